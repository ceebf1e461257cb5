"""What the DNS of a domain is to say, beside what the last check found: a sheet for its owner to work through.

Asks the database only; smtpy.admin.checks asks DNS. Who keeps that DNS is asked for here, best effort.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin import checks, domains
from smtpy.admin.domains import DomainView
from smtpy.config import Settings
from smtpy.dns import DnsTrouble
from smtpy.resolver import Resolver
from smtpy.store.checks import DomainCheck
from smtpy.store.findings import is_contested
from smtpy.store.schema import Alias, SigningKey
from smtpy.zone.findings import BAD, GOOD, Status
from smtpy.zone.providers import Provider, provider_of, zones
from smtpy.zone.records import Wanted, keyless

UNCHECKED = "unchecked"  # beside the statuses of smtpy.zone.findings
_WORST = (
    Status.OK.value,
    UNCHECKED,
    Status.UNKNOWN.value,
    Status.WARNING.value,
    Status.MISSING.value,
    Status.WRONG.value,
)


@dataclass(frozen=True, slots=True)
class Record:
    """The values to publish under one name, and what was found there. `host`: the name within the domain, or `@`.

    `status` is that of the finding, or `unchecked`. `values` of an MX: without the preference, which stands apart.
    """

    kind: str
    name: str
    host: str
    type: str
    preference: int | None
    values: tuple[str, ...]
    required: bool
    leaving: bool
    why: str
    status: str
    found: tuple[str, ...]
    todo: str

    @property
    def good(self) -> bool:
        return self.status in GOOD

    @property
    def bad(self) -> bool:
        return self.required and self.status in BAD


@dataclass(frozen=True, slots=True)
class Sheet:
    """A domain and its records, the most important first. `keyless`: it has no key to publish.

    `contested`: its record of ownership cannot prove it, since mailboxes are on it.
    """

    domain: DomainView
    records: tuple[Record, ...]
    checked_at: datetime | None
    keyless: bool
    contested: bool

    @property
    def needed(self) -> tuple[Record, ...]:
        """Those that mail cannot do without."""
        return tuple(each for each in self.records if each.required)

    @property
    def done(self) -> int:
        """How many of the needed are right."""
        return sum(each.good for each in self.needed)

    @property
    def complete(self) -> bool:
        return self.domain.proven_at is not None and self.done == len(self.needed)


@dataclass(frozen=True, slots=True)
class Summary:
    """A domain in a list. `status`: the worst of what is required. `keys`: how many of each state."""

    aliases: int
    status: str
    checked_at: datetime | None
    used: int
    waiting: int


def sheet(session: Session, name: str, settings: Settings) -> Sheet:
    """By name or UUID. Raises NotFound, InTrash."""
    domain = domains.show(session, name)
    wanted = checks.wanted(session, domain.uuid, settings)
    rows = {
        (row.kind, row.name): row
        for row in session.scalars(select(DomainCheck).where(DomainCheck.subject == domain.name))
    }
    contested = domain.proven_at is None and is_contested(session, domain.name)
    found = {} if contested else rows  # what was found then is about the mailboxes on it
    groups = groupby(wanted, key=lambda each: (each.kind, each.name))
    records = tuple(_record(domain.name, tuple(group), found) for _, group in groups)
    checked_at = max((row.checked_at for row in found.values()), default=None)
    return Sheet(domain, records, checked_at, keyless(wanted), contested)


def _record(domain: str, group: Sequence[Wanted], found: dict[tuple[str, str], DomainCheck]) -> Record:
    first, row = group[0], found.get((group[0].kind.value, group[0].name))
    if row is not None and row.expected != ", ".join(f"{each.type} {each.value}" for each in group):
        row = None  # it was of another value
    is_mx = first.type == "MX"
    values = tuple(each.value.partition(" ")[2] if is_mx else each.value for each in group)
    status, told, todo = (row.status, tuple(row.found), row.todo) if row else (UNCHECKED, (), "")
    return Record(
        kind=first.kind.value,
        name=first.name,
        host=_host(first.name, domain),
        type=first.type,
        preference=int(first.value.partition(" ")[0]) if is_mx else None,
        values=values,
        required=first.required,
        leaving=first.leaving,
        why=first.why if len(group) == 1 else _WHY_MX,
        status=status,
        found=told,
        todo=todo,
    )


_WHY_MX = "Tell other servers where to bring the mail of the domain."


def _host(name: str, domain: str) -> str:
    return "@" if name == domain else name.removesuffix(f".{domain}")


def summaries(session: Session, views: Sequence[DomainView]) -> dict[int, Summary]:
    """Of the domains of a list, by their ids: three statements, however many they are."""
    ids, names = [each.id for each in views], [each.name for each in views]
    living = select(Alias.domain_id, func.count()).where(Alias.domain_id.in_(ids), Alias.deleted_at.is_(None))
    aliases: dict[int, int] = {row[0]: row[1] for row in session.execute(living.group_by(Alias.domain_id))}
    chosen = select(DomainCheck.subject, DomainCheck.status, DomainCheck.required, DomainCheck.checked_at)
    seen: dict[str, list[tuple[str, bool, datetime]]] = {}
    for subject, status, required, at in session.execute(chosen.where(DomainCheck.subject.in_(names))):
        seen.setdefault(subject, []).append((status, required, at))
    keys = select(SigningKey.domain_id, SigningKey.used_from.is_not(None), func.count())
    keys = keys.where(SigningKey.domain_id.in_(ids), SigningKey.retired_at.is_(None))
    counted: dict[tuple[int, bool], int] = {
        (domain, bool(used)): number
        for domain, used, number in session.execute(
            keys.group_by(SigningKey.domain_id, SigningKey.used_from.is_not(None))
        )
    }
    return {
        each.id: Summary(
            aliases.get(each.id, 0),
            _worst([status for status, required, _ in seen.get(each.name, ()) if required]),
            max((at for _, _, at in seen.get(each.name, ())), default=None),
            counted.get((each.id, True), 0),
            counted.get((each.id, False), 0),
        )
        for each in views
    }


def _worst(statuses: Sequence[str]) -> str:
    return max(statuses, key=_WORST.index, default=UNCHECKED)


def keeper(resolver: Resolver, name: str, seconds: float) -> tuple[Provider | None, tuple[str, ...]]:
    """Who keeps the DNS of a domain, and its name servers; (None, ()): nobody could say in that time."""
    dns = resolver.within(seconds)
    for zone in zones(name):
        try:
            servers = tuple(str(each) for each in dns.ask(zone, "NS").records)
        except DnsTrouble:
            return None, ()
        if servers:
            return provider_of(servers), servers
    return None, ()

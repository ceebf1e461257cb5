"""Checks of DNS: ask several resolvers what a domain publishes, judge it, keep what was found.

A check that fails warns, and changes nothing that the mail path reads. One that finds a waiting pair at every resolver
that answers has it used from then on (smtpy.admin.keys), and one that finds the record of ownership proves the domain
(smtpy.admin.ownership): the only changes, and so they go through the one door. A check is bounded in time and in
questions, whatever the DNS of a stranger makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import domains, keys
from smtpy.admin.change import change, reading
from smtpy.admin.pairs import KeyView
from smtpy.admin.refusals import Refusal
from smtpy.authn.suffixes import Suffixes
from smtpy.config import Settings
from smtpy.dns import Answer, Dns, DnsTrouble
from smtpy.dns import Kind as DnsKind
from smtpy.resolver import Resolver
from smtpy.store.findings import Subject, is_contested, keep
from smtpy.terms import vault_of
from smtpy.zone.findings import Finding
from smtpy.zone.judge import judge
from smtpy.zone.look import Resolvers, Seen
from smtpy.zone.records import Kind, PublicKey, Service, Wanted, expected
from smtpy.zone.replies import judge_replies

LOOK_SECONDS = 8.0  # for all questions of a check to one resolver
MOST_QUESTIONS = 60  # of a check to one resolver: our records take 25, an SPF record of a stranger up to 30 more
PATIENCE = timedelta(days=1)  # for which a new key may wait before anybody is told


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: of each record, and of the keys. `lingering` are those that have waited for long.

    `proven`: the domain was switched on by it; `refusal`: why not, although its DNS is right.
    """

    findings: tuple[Finding, ...]
    unreached: tuple[str, ...] = ()  # resolvers
    used: tuple[KeyView, ...] = ()  # from now on
    lingering: tuple[KeyView, ...] = ()
    proven: bool = False
    refusal: str = ""


def check(engine: Engine, subject: Subject, settings: Settings, by: str, seconds: float = LOOK_SECONDS) -> Checked:
    """Ask, judge, keep; what is seen everywhere is used and proven. `seconds`: that each resolver has.

    Trouble with DNS is found, not raised. No transaction is open while DNS is asked. Raises NotFound, InTrash.
    """
    used: tuple[KeyView, ...] = ()
    proven, refusal = False, ""
    if subject.ours:
        seen = _domain(engine, subject.name, settings, seconds)
        proven, refusal = _prove_seen(engine, subject.name, seen.findings, settings, by)
        used = _use_seen(engine, subject.name, seen.findings, settings, by)
    else:
        seen = judge_replies(subject.name, _resolvers(settings, seconds), Suffixes())
    now = datetime.now(UTC)
    with reading(engine) as session:  # of what is not ours there are no keys
        lingering = keys.lingering(session, now - PATIENCE, subject.name)
        contested = subject.ours and is_contested(session, subject.name)
    if not contested:
        keep(engine, subject.name, seen.findings, now)
    return Checked(seen.findings, seen.unreached, used, lingering, proven, refusal)


def wanted(session: Session, name: str, settings: Settings) -> tuple[Wanted, ...]:
    """All that a domain of ours is to publish. Raises NotFound, InTrash."""
    row = domains.DOMAINS.living(session, name)
    published = [
        PublicKey(key.selector, key.record, key.state) for key in keys.of_domain(session, row.name) if not key.unneeded
    ]
    return expected(row.name, row.uuid, published, Service(settings.mx_hosts, settings.report_address))


def _domain(engine: Engine, name: str, settings: Settings, seconds: float) -> Seen:
    with reading(engine) as session:
        records = wanted(session, name, settings)
    return judge(name, settings.mx_hosts, records, _resolvers(settings, seconds), Suffixes())


def _resolvers(settings: Settings, seconds: float) -> Resolvers:
    """Those to ask, new ones without memory: who corrects a record and checks again wants to see it."""
    return {
        str(server): partial(_opened, Resolver([server], settings.dns_timeout_seconds), seconds)
        for server in settings.check_resolvers
    }


def _opened(resolver: Resolver, seconds: float) -> Dns:
    return Sparing(resolver.within(seconds), MOST_QUESTIONS)


class Sparing:
    """A `Dns` that asks so many questions and no more; the same one again costs nothing."""

    def __init__(self, dns: Dns, most: int) -> None:
        self._dns, self._most = dns, most
        self._asked: set[tuple[str, str]] = set()

    def ask(self, name: str, kind: DnsKind) -> Answer:
        self._asked.add((name, kind))
        if len(self._asked) > self._most:
            raise DnsTrouble(f"{name} {kind}: more than {self._most} questions")
        return self._dns.ask(name, kind)


def _prove_seen(engine: Engine, name: str, found: Sequence[Finding], settings: Settings, by: str) -> tuple[bool, str]:
    """Have an unproven domain be its owner's if all resolvers that answered show the record of ownership."""
    shown = any(each.kind is Kind.OWNERSHIP and each.works for each in found)
    with reading(engine) as session:
        if not shown or domains.show(session, name).proven_at is not None:
            return False, ""
    try:
        with change(engine, by=by, hostname=settings.hostname) as c:
            return domains.prove(c, name).proven_at is not None, ""
    except Refusal as refusal:  # what stands in the way is not in DNS
        return False, refusal.message


def _use_seen(engine: Engine, name: str, found: Sequence[Finding], settings: Settings, by: str) -> tuple[KeyView, ...]:
    """Have the waiting pair used if all resolvers that answered show it: mail is signed for receivers everywhere.

    One that is silent contradicts nobody, or it alone would keep mail from being signed.
    """
    seen = {each.name.partition("._domainkey.")[0] for each in found if each.kind is Kind.DKIM and each.works}
    with reading(engine) as session:
        waiting = any(key.state == "waiting" for key in keys.of_domain(session, name))
    if not waiting:
        return ()
    with change(engine, by=by, hostname=settings.hostname, vault=vault_of(settings)) as c:
        return keys.seen(c, name, seen)

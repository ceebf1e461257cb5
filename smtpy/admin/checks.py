"""Checks of DNS: ask several resolvers what a domain publishes, judge it, keep what was found.

A check that fails warns, and changes nothing that the mail path reads. One that finds a waiting pair at every resolver
that answers has it used from then on (smtpy.admin.keys): the only change, and so it goes through the one door.
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
from smtpy.authn.suffixes import Suffixes
from smtpy.config import Settings
from smtpy.resolver import Resolver
from smtpy.store.findings import Subject, keep
from smtpy.terms import vault_of
from smtpy.zone.findings import Finding
from smtpy.zone.judge import judge
from smtpy.zone.look import Resolvers, Seen
from smtpy.zone.records import Kind, PublicKey, Service, Wanted, expected
from smtpy.zone.replies import judge_replies

LOOK_SECONDS = 8.0  # for all questions of a check to one resolver
PATIENCE = timedelta(days=1)  # for which a new key may wait before anybody is told


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: of each record, and of the keys. `lingering` are those that have waited for long."""

    findings: tuple[Finding, ...]
    unreached: tuple[str, ...] = ()  # resolvers
    used: tuple[KeyView, ...] = ()  # from now on
    lingering: tuple[KeyView, ...] = ()


def check(engine: Engine, subject: Subject, settings: Settings, by: str) -> Checked:
    """Ask, judge, keep; a new pair that is seen everywhere is used. Raises NotFound, InTrash.

    Trouble with DNS is found, not raised. No transaction is open while DNS is asked.
    """
    if subject.ours:
        seen = _domain(engine, subject.name, settings)
        used = _use_seen(engine, subject.name, seen.findings, settings, by)
    else:
        seen, used = judge_replies(subject.name, _resolvers(settings), Suffixes()), ()
    now = datetime.now(UTC)
    keep(engine, subject.name, seen.findings, now)
    with reading(engine) as session:  # of what is not ours there are no keys
        lingering = keys.lingering(session, now - PATIENCE, subject.name)
    return Checked(seen.findings, seen.unreached, used, lingering)


def wanted(session: Session, name: str, settings: Settings) -> tuple[Wanted, ...]:
    """All that a domain of ours is to publish. Raises NotFound, InTrash."""
    row = domains.DOMAINS.living(session, name)
    published = [
        PublicKey(key.selector, key.record, key.state) for key in keys.of_domain(session, row.name) if not key.unneeded
    ]
    return expected(row.name, row.uuid, published, Service(settings.mx_hosts, settings.report_address))


def _domain(engine: Engine, name: str, settings: Settings) -> Seen:
    with reading(engine) as session:
        records = wanted(session, name, settings)
    return judge(name, settings.mx_hosts, records, _resolvers(settings), Suffixes())


def _resolvers(settings: Settings) -> Resolvers:
    """Those to ask, new ones without memory: who corrects a record and checks again wants to see it."""
    return {
        str(server): partial(Resolver([server], settings.dns_timeout_seconds).within, LOOK_SECONDS)
        for server in settings.check_resolvers
    }


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

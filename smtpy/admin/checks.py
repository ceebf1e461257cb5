"""Checks of DNS: ask several resolvers what a domain publishes, judge it, keep what was found.

A check that fails warns, and changes nothing that the mail path reads. One that finds a waiting key at every resolver
has it used from then on (smtpy.admin.keys): the only change, and so it goes through the one door.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import domains, keys
from smtpy.admin.change import change, reading
from smtpy.authn.suffixes import Suffixes
from smtpy.config import Settings
from smtpy.resolver import Resolver
from smtpy.store.findings import Subject, keep
from smtpy.terms import vault_of
from smtpy.zone.findings import Finding, Status
from smtpy.zone.judge import judge
from smtpy.zone.look import Resolvers
from smtpy.zone.records import Kind, PublicKey, Service, Wanted, expected
from smtpy.zone.replies import judge_replies

LOOK_SECONDS = 8.0  # for all questions of a check to one resolver


def check(engine: Engine, subject: Subject, settings: Settings, by: str) -> tuple[Finding, ...]:
    """Ask, judge, keep; new keys that are seen everywhere are used. Raises NotFound, InTrash.

    Trouble with DNS is found, not raised. No transaction is open while DNS is asked.
    """
    if subject.ours:
        found = _domain(engine, subject.name, settings)
        _use_seen(engine, subject.name, found, settings, by)
    else:
        found = judge_replies(subject.name, _resolvers(settings), Suffixes())
    keep(engine, subject.name, found, datetime.now(UTC))
    return found


def wanted(session: Session, name: str, settings: Settings) -> tuple[Wanted, ...]:
    """All that a domain of ours is to publish. Raises NotFound, InTrash."""
    row = domains.DOMAINS.living(session, name)
    published = [PublicKey(key.selector, key.record, key.state) for key in keys.of_domain(session, row.name)]
    return expected(row.name, row.uuid, published, Service(settings.mx_hosts, settings.report_address))


def _domain(engine: Engine, name: str, settings: Settings) -> tuple[Finding, ...]:
    with reading(engine) as session:
        records = wanted(session, name, settings)
    return judge(name, settings.mx_hosts, records, _resolvers(settings), Suffixes())


def _resolvers(settings: Settings) -> Resolvers:
    """Those to ask, new ones without memory: who corrects a record and checks again wants to see it."""
    return {
        str(server): partial(Resolver([server], settings.dns_timeout_seconds).within, LOOK_SECONDS)
        for server in settings.check_resolvers
    }


def _use_seen(engine: Engine, name: str, found: Sequence[Finding], settings: Settings, by: str) -> None:
    """Only what every resolver shows counts: mail is signed for receivers everywhere."""
    seen = {
        each.name.partition("._domainkey.")[0] for each in found if each.kind is Kind.DKIM and each.status is Status.OK
    }
    with reading(engine) as session:
        waiting = any(key.state == "waiting" for key in keys.of_domain(session, name))
    if waiting:
        with change(engine, by=by, hostname=settings.hostname, vault=vault_of(settings)) as c:
            keys.seen(c, name, seen)

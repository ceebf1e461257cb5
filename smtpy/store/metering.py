"""What came into the journal and the events of Postfix's log since a place in them, for counters.

As far as the worker has counted them (smtpy.store.counting), and no further: below that no row is still to come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from smtpy.store import bounce_counting, counting
from smtpy.store.checks import DomainCheck
from smtpy.store.events import MailEvent
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.tallies import JournalPosition

BATCH = 5000  # rows at once
_MESSAGE = (JournalRow.stage, JournalRow.verdict, JournalRow.micros)
_AUTHENTICATION = (JournalRow.spf, JournalRow.dkim, JournalRow.dmarc, JournalRow.arc)


@dataclass(frozen=True, slots=True)
class Place:
    """The last rows that were read of both."""

    journal: int
    events: int


@dataclass(frozen=True, slots=True)
class Fresh:
    """What lies behind a place, up to another: messages (stage, verdict, micros, spf, dkim, dmarc, arc), recipients
    (decision, why, number), events (kind, delay in seconds)."""

    until: Place
    messages: Sequence[Any] = ()
    recipients: Sequence[Any] = ()
    events: Sequence[Any] = ()


def end(engine: Engine) -> Place:
    """The place behind all that has been counted."""
    with _reading(engine) as connection:
        return _end(connection)


def fresh(engine: Engine, since: Place) -> Fresh:
    """What comes next, a batch at most; its place is `since` when there is nothing."""
    with _reading(engine) as connection:
        there = _end(connection)
        until = Place(
            _up_to(connection, JournalRow.id, since.journal, there.journal),
            _up_to(connection, MailEvent.id, since.events, there.events),
        )
        of = JournalRecipient
        grouped = select(of.decision, of.why, func.count()).group_by(of.decision, of.why)
        rows = select(*_MESSAGE, *_AUTHENTICATION).where(JournalRow.id > since.journal, JournalRow.id <= until.journal)
        theirs = grouped.where(of.journal_id > since.journal, of.journal_id <= until.journal)
        told = select(MailEvent.kind, MailEvent.delay).where(MailEvent.id > since.events, MailEvent.id <= until.events)
        messages, recipients = connection.execute(rows).all(), connection.execute(theirs).all()
        return Fresh(until, messages, recipients, connection.execute(told).all())


def dns(engine: Engine) -> dict[tuple[str, str], int]:
    """How many records of a kind are in a state, as the last checks found."""
    counted = select(DomainCheck.kind, DomainCheck.status, func.count()).group_by(DomainCheck.kind, DomainCheck.status)
    with _reading(engine) as connection:
        return {(kind, status): number for kind, status, number in connection.execute(counted)}


def _reading(engine: Engine) -> Connection:
    """No transaction: on SQLite that would hold up whoever writes."""
    return engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def _up_to(connection: Connection, number: Any, since: int, there: int) -> int:
    """The last number of a batch; there are gaps of many thousand million between parts (smtpy.store.parts)."""
    last = connection.scalar(select(number).where(number > since).order_by(number).offset(BATCH - 1).limit(1))
    return there if last is None else min(last, there)


def _end(connection: Connection) -> Place:
    named = select(JournalPosition.name, JournalPosition.journal_id)
    at = {name: number for name, number in connection.execute(named)}  # noqa: C416 - a row is no tuple to mypy
    return Place(at.get(counting.READER, 0), at.get(bounce_counting.READER, 0))

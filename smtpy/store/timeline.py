"""Reading journal and log together: all that is known of messages, or of queue files.

A message is its first row in the journal, as `meant` finds it; its second passes and what Postfix did are found from
there. Every question is an indexed one with a limit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, literal_column, select, true, union
from sqlalchemy.orm import Session

from smtpy.store.events import MailEvent
from smtpy.store.happenings import AT_END, COLUMNS, Happening
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.rows import Delivery, Entry

MAX_ROUNDS = 4  # from a file to its copies, from there to reports, and once more for each that was requeued
MAX_HAPPENINGS = 20_000  # of one reading
# Written out: of a limit that it does not know PostgreSQL thinks so little that it would read all there is by time.
_MOST: ColumnElement[int] = literal_column(str(MAX_HAPPENINGS))
EARLIER, LATER = timedelta(hours=1), timedelta(days=400)  # ids of queue files may come again in other years


def visible_to(owner: int) -> ColumnElement[bool]:
    """The recipients that are a member's."""
    return JournalRecipient.owner_id == owner


def linked_to(session: Session, ids: Iterable[str], rounds: int = MAX_ROUNDS) -> list[Row[Any]]:
    """The rows that join one queue file to another, from these files on."""
    known, new = set(ids), set(ids)
    found: dict[int, Row[Any]] = {}
    for _ in range(rounds):
        if not new:
            break
        both = [MailEvent.queue_id.in_(new), MailEvent.other_id.in_(new)]
        links = [
            select(MailEvent.id, MailEvent.queue_id, MailEvent.other_id).where(each, MailEvent.other_id.is_not(None))
            for each in both
        ]
        rows = session.execute(union(*links).limit(MAX_HAPPENINGS)).all()
        found |= {row.id: row for row in rows}
        new = {each for row in rows for each in (row.queue_id, row.other_id)} - known
        known |= new
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Known:
    """All rows about a message: its first entry, those of its second pass, what happened. `whole`: no recipient of it
    was left out."""

    entry: Entry
    seconds: tuple[Entry, ...]
    happenings: tuple[Happening, ...]
    whole: bool


def known(session: Session, numbers: Sequence[int], owner: int | None = None) -> list[Known]:
    """What is known of these messages, in their order; of their recipients only the owner's, if one is named."""
    firsts = _entries(session, JournalRow.id.in_(numbers), owner)
    seconds: dict[str, list[Entry]] = {}
    uuids = [entry.uuid for entry, _ in firsts]
    for entry, _ in _entries(session, JournalRow.parent.in_(uuids), owner):
        if entry.recipients:
            seconds.setdefault(entry.parent or "", []).append(entry)
    times = [entry.at for entry, _ in firsts]
    files = {each.queue_id for of in seconds.values() for each in of} | {entry.queue_id for entry, _ in firsts}
    told = _told(session, {each for each in files if each}, min(times), max(times)) if times else {}
    order = {number: place for place, number in enumerate(numbers)}
    made = []
    for entry, whole in firsts:
        happenings = _joined(told, _files_of(entry, seconds))
        if owner is not None:
            happenings = tuple(_shown(each) for each in happenings if each.kind != "refused" or each.relay == AT_END)
        made.append(Known(entry, tuple(seconds.get(entry.uuid, ())), happenings, whole))
    return sorted(made, key=lambda each: order[each.entry.id or 0])


def _shown(each: Happening) -> Happening:
    """Who was refused beside a member's recipients is for operators; that the whole message was is not."""
    return replace(each, recipient=None, key=None) if each.kind == "refused" else each


def _files_of(entry: Entry, seconds: dict[str, list[Entry]]) -> set[str]:
    return {each.queue_id for each in (entry, *seconds.get(entry.uuid, ())) if each.queue_id}


def happened(session: Session, queue_id: str) -> list[Happening]:
    """All that is known of a queue file and what it is linked to."""
    linked = {each for row in linked_to(session, {queue_id}) for each in (row.queue_id, row.other_id)}
    return _read(session, MailEvent.queue_id.in_({queue_id, *linked}))


def _entries(session: Session, condition: ColumnElement[bool], owner: int | None) -> list[tuple[Entry, bool]]:
    rows = session.execute(select(JournalRow.__table__).where(condition).order_by(JournalRow.id)).all()
    numbers = [row.id for row in rows]
    mine: ColumnElement[bool] = visible_to(owner) if owner is not None else true()
    wanted = select(JournalRecipient, mine.label("mine")).where(JournalRecipient.journal_id.in_(numbers))
    wanted = wanted.order_by(JournalRecipient.journal_id, JournalRecipient.position)
    deliveries: dict[int, list[Delivery]] = {number: [] for number in numbers}
    whole = dict.fromkeys(numbers, True)
    for row, is_mine in session.execute(wanted):
        if is_mine:
            delivery = Delivery(row.recipient, row.key, row.alias_id, row.decision, tuple(row.targets), row.why)
            deliveries[row.journal_id].append(delivery)
        else:
            whole[row.journal_id] = False
    return [(Entry(**row._mapping, recipients=tuple(deliveries[row.id])), whole[row.id]) for row in rows]


def _told(session: Session, files: set[str], since: datetime, until: datetime) -> dict[str, list[Happening]]:
    """What happened to these files and those that came of them.

    The times are compared here: PostgreSQL, once it plans for any values, would read by them instead of by the files.
    """
    first, last = since - EARLIER, until + LATER
    told: dict[str, list[Happening]] = {}
    new = files
    for _ in range(MAX_ROUNDS):
        if not new:
            break
        before = [each for each in _read(session, MailEvent.queue_id.in_(new)) if first <= each.at <= last]
        again = _read(session, and_(MailEvent.other_id.in_(new), MailEvent.kind == "requeued"))
        again = [each for each in again if first <= each.at <= last]
        for each in before:
            told.setdefault(each.queue_id, []).append(each)
        onward = {each.other_id for each in before if each.other_id and each.kind in ("sent", "reported")}
        new = (onward | {each.queue_id for each in again}) - told.keys() - files
        files = files | new
    return told


def _read(session: Session, condition: ColumnElement[bool]) -> list[Happening]:
    rows = select(*COLUMNS).where(condition).order_by(MailEvent.at, MailEvent.id).limit(_MOST)
    return [Happening(*row) for row in session.execute(rows)]


def told_of(
    session: Session, names: Sequence[str], since: datetime, until: datetime
) -> dict[str, tuple[Happening, ...]]:
    """What happened to these queue files and what came of each."""
    told = _told(session, set(names), since, until)
    return {name: _joined(told, {name}) for name in names}


def _joined(told: dict[str, list[Happening]], files: set[str]) -> tuple[Happening, ...]:
    """Of all that happened, what belongs to one message, which began with these files."""
    known_ids, new = set[str](), files
    olds = {each.other_id: each.queue_id for of in told.values() for each in of if each.kind == "requeued"}
    found: list[Happening] = []
    while new:
        known_ids |= new
        mine = [each for queue_id in new for each in told.get(queue_id, ())]
        found += mine
        onward = {each.other_id for each in mine if each.other_id and each.kind in ("sent", "reported")}
        new = (onward | {olds[each] for each in new if each in olds}) - known_ids
    return tuple(sorted(found, key=lambda each: (each.at, each.id)))

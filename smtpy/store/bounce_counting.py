"""Counts what failed for good: events of Postfix's log, put to the alias whose copy it was.

An event names its queue file, and the journal has whose that was. Both are written by different processes: an event
whose journal row is not there yet is waited for, a little while, and all behind it with it.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, select

from smtpy.store.counting import BATCH, add_days, begin, move, settled
from smtpy.store.events import MailEvent
from smtpy.store.happenings import key_of
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.schema import Alias

READER = "bounces"
FAILED = ("bounced", "gave up")  # smtpy.store.happenings; a deferred one that is given up has no bounce of its own
PATIENCE = timedelta(seconds=30)  # for the journal, which gathers rows
KEPT = timedelta(days=30)  # no file stays in the queue for longer, and its id may be given again
ENDS = ("forward", "as promised", "hold")


def count(engine: Engine, now: datetime, limit: int = BATCH) -> int:
    """Count the next events, `limit` at most; how many these were. 0: there are no more for now."""
    until = settled(engine, MailEvent, READER)
    with engine.begin() as connection:
        at = begin(connection, READER, until)
        chosen = select(MailEvent.id, MailEvent.at, MailEvent.kind, MailEvent.queue_id, MailEvent.original)
        chosen = chosen.add_columns(MailEvent.key).where(MailEvent.id > at, MailEvent.id <= until)
        rows = connection.execute(chosen.order_by(MailEvent.id).limit(limit)).all()
        done = _counted(connection, rows, now)
        if done:
            move(connection, READER, done[-1].id)
    return len(done)


def _counted(connection: Connection, rows: Sequence[Any], now: datetime) -> Sequence[Any]:
    """Count them, up to one whose journal row is still to come; those that are done with."""
    days: Counter[tuple[int, int, date]] = Counter()
    for number, event in enumerate(rows):
        if event.kind not in FAILED:
            continue
        whose = _whose(connection, event)
        if whose is None and event.at > now - PATIENCE:
            rows = rows[:number]
            break
        for alias_id, owner_id in whose or ():
            days[alias_id, owner_id, event.at.astimezone(UTC).date()] += 1
    nothing = dict.fromkeys(("forwarded", "refused", "held"), 0)
    add_days(
        connection,
        (
            {"alias_id": alias_id, "owner_id": owner_id, "day": day, "bounced": number, **nothing}
            for (alias_id, owner_id, day), number in days.items()
        ),
    )
    return rows


def _whose(connection: Connection, event: Any) -> set[tuple[int, int]] | None:
    """The aliases it failed for, with their owners; None: the journal does not know the file."""
    since, until = event.at - KEPT, event.at + PATIENCE
    file = select(JournalRow.id).where(JournalRow.queue_id == event.queue_id, JournalRow.at.between(since, until))
    number = connection.scalar(file.order_by(JournalRow.id.desc()).limit(1))
    if number is None:
        return None
    chosen = select(JournalRecipient.alias_id, Alias.owner_id, JournalRecipient.key, JournalRecipient.targets)
    chosen = chosen.join(Alias, Alias.id == JournalRecipient.alias_id).where(JournalRecipient.journal_id == number)
    chosen = chosen.where(JournalRecipient.decision.in_(ENDS)).with_for_update(read=True, key_share=True, of=Alias)
    found = connection.execute(chosen).all()
    return {(row.alias_id, row.owner_id) for row in found if event.kind == "gave up" or _is_for(event, row)}


def _is_for(event: Any, row: Any) -> bool:
    """Whether the attempt was for that recipient: by the address it was rewritten from, else by its mailbox."""
    if event.original:
        return bool(key_of(event.original) == row.key)
    return event.key in {row.key, *map(key_of, row.targets)}

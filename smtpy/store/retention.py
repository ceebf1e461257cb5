"""Takes away what has been kept for long enough: the journal, what Postfix's log told, stored senders, announcements.

A batch is a transaction of its own, so that whoever else writes waits for one at most; SQLite has a single writer, and
whoever calls leaves it to others between two batches. What has not been counted yet (smtpy.store.counting) stays, and
so does the newest row of a table: SQLite would give its number again, and readers go by numbers.

On PostgreSQL the journal and the events go by whole parts (smtpy.store.parts), and single rows only where they are
older by `slack` than they need be: those of a part that was in use for too long, such as the one that an upgrade has
made of all there was.

Events stay a day longer than the journal: a message that is still known is known with its end, and `smtpy audit mail`
misses nothing of what it still counts.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select

from smtpy.store import bounce_counting, counting, parts
from smtpy.store.accounts import Announcement
from smtpy.store.events import MailEvent
from smtpy.store.records import JournalRecipient, JournalRow, ReturnToken
from smtpy.store.tallies import JournalPosition

BATCH = 500  # rows of one transaction; a journal row goes with its recipients
LONGER = timedelta(days=1)  # for events
NONE = timedelta()
_COUNTED = {JournalRow: (parts.JOURNAL, counting.READER), MailEvent: (parts.EVENTS, bounce_counting.READER)}

Purge = Callable[[Engine, datetime, int], int]  # engine, what is older goes, rows at most -> rows that went


def journal(engine: Engine, before: datetime, limit: int = BATCH, slack: timedelta = NONE) -> int:
    """Messages that came before then."""
    return _counted(engine, JournalRow, before, limit, slack)


def events(engine: Engine, before: datetime, limit: int = BATCH, slack: timedelta = NONE) -> int:
    """What happened a day before then, or earlier."""
    return _counted(engine, MailEvent, before - LONGER, limit, slack)


def senders(engine: Engine, before: datetime, limit: int = BATCH) -> int:
    """Senders kept under a token that was last used before then."""
    old = select(ReturnToken.token).where(ReturnToken.used_at < before).order_by(ReturnToken.used_at).limit(limit)
    with engine.begin() as connection:  # whoever uses one meanwhile keeps it
        gone = delete(ReturnToken).where(ReturnToken.token.in_(old), ReturnToken.used_at < before)
        return connection.execute(gone).rowcount


def announcements(engine: Engine, before: datetime, limit: int = BATCH) -> int:
    """Announcements that were over before then; the audit trail has their words."""
    over = select(Announcement.id).where(Announcement.shown_until < before).order_by(Announcement.id).limit(limit)
    with engine.begin() as connection:
        return connection.execute(delete(Announcement).where(Announcement.id.in_(over))).rowcount


def _counted(
    engine: Engine, table: type[JournalRow | MailEvent], before: datetime, limit: int, slack: timedelta
) -> int:
    """Rows of what a reader counts, as far as it has come: all parts that are old, or the oldest rows."""
    what, reader = _COUNTED[table]
    with engine.connect() as connection:
        come = connection.scalar(select(JournalPosition.journal_id).where(JournalPosition.name == reader)) or 0
    if gone := parts.drop(engine, what, before, come):
        return gone
    if engine.dialect.name == "postgresql":
        before -= slack
    with engine.begin() as connection:
        newest = connection.scalar(select(func.max(table.id))) or 0
        old = select(table.id).where(table.at < before, table.id <= come, table.id < newest)
        numbers = connection.scalars(old.order_by(table.at).limit(limit)).all()
        if numbers and table is JournalRow:
            connection.execute(delete(JournalRecipient).where(JournalRecipient.journal_id.in_(numbers)))
        if numbers:
            connection.execute(delete(table).where(table.id.in_(numbers)))
    return len(numbers)

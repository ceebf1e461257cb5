"""The journal: one row for each message with what was decided and why. It may fail; the mail may not.

Rows are written in batches by a thread of their own. While the database is away they wait in memory, the oldest are
given up first, and the log says how many. A row that the database will not take is written alone, then without its
aliases (which may have been purged since), then given up. Where something is taken and not delivered, the row is what
the 250 stands on: `record_now` waits for it.
"""

import logging
import threading
import time
from collections import deque
from dataclasses import replace
from itertools import islice

from sqlalchemy import Engine, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from smtpy.store.records import JournalRow
from smtpy.store.rows import Delivery, Entry, entries, write

__all__ = ["Delivery", "Entry", "Journal", "JournalDown", "entries"]

BATCH = 500  # rows of one transaction: other writers of SQLite wait for it
LONGEST_PAUSE = 5.0  # seconds between two attempts while the database is away
COMPLAINT_SECONDS = 60.0  # between two log lines about lost rows

log = logging.getLogger("smtpy.journal")


class JournalDown(Exception):
    """The row could not be written."""


class Journal:
    """`every`: seconds for which rows are gathered; `buffer`: rows kept while the database is away."""

    def __init__(self, engine: Engine, *, every: float, buffer: int) -> None:
        self.lost = 0
        self._engine = engine
        self._every = every
        self._waiting: deque[Entry] = deque(maxlen=buffer)
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._complained = (0, -COMPLAINT_SECONDS)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def record(self, entry: Entry) -> None:
        """Have it written soon. Never waits for the database, never raises."""
        with self._lock:
            if len(self._waiting) == self._waiting.maxlen:
                self.lost += 1
            self._waiting.append(entry)

    def record_now(self, entry: Entry) -> None:
        """Write it before returning. Raises JournalDown."""
        try:
            self._write_alone(entry)
        except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
            raise JournalDown(f"the journal takes no row ({type(error).__name__})") from error

    def told(self) -> dict[str, float]:
        """How it does, for `smtpy.pulse`."""
        return {"lost": self.lost, "waiting": len(self._waiting)}

    def close(self, timeout: float) -> None:
        """Write what is left, for `timeout` seconds at most; what is not written by then is lost and said so."""
        self._closing.set()
        self._thread.join(timeout)
        with self._lock:
            self.lost += len(self._waiting)
            self._waiting.clear()
        self._complain(at_once=True)

    def _run(self) -> None:
        pause = self._every
        while not self._closing.wait(pause):
            pause = self._every if self._flush() else min(LONGEST_PAUSE, pause * 2)
            self._complain()
        self._flush()

    def _flush(self) -> bool:
        """Write all that waits; False: the database is away. Rows stay in line until they are written."""
        while batch := self._first():
            try:
                self._write(batch)
            except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
                if not _is_about_the_row(error):
                    log.debug("the journal cannot be written now: %s", type(error).__name__)
                    return False
                if not self._write_one_by_one(batch):
                    return False
        return True

    def _first(self) -> list[Entry]:
        with self._lock:
            return list(islice(self._waiting, BATCH))

    def _write(self, batch: list[Entry]) -> None:
        with self._engine.begin() as connection:
            write(connection, batch)
        self._done(batch)

    def _write_one_by_one(self, batch: list[Entry]) -> bool:
        for entry in batch:
            try:
                self._write_alone(entry)
            except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
                if not _is_about_the_row(error):
                    return False
                self.lost += 1
                log.error("journal row %s is given up: %s", entry.uuid, type(error).__name__)
            self._done([entry])
        return True

    def _write_alone(self, entry: Entry) -> None:
        try:
            with self._engine.begin() as connection:
                write(connection, [entry])
        except IntegrityError:
            if self._is_written(entry):  # a commit whose answer got lost
                return
            orphans = tuple(replace(delivery, alias_id=None) for delivery in entry.recipients)
            with self._engine.begin() as connection:
                write(connection, [replace(entry, recipients=orphans)])

    def _is_written(self, entry: Entry) -> bool:
        with self._engine.connect() as connection:
            return connection.scalar(select(JournalRow.id).where(JournalRow.uuid == entry.uuid)) is not None

    def _done(self, batch: list[Entry]) -> None:
        """Take written rows out of the line; some may have been pushed out of it meanwhile."""
        with self._lock:
            for entry in batch:
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()
                else:
                    self.lost -= 1  # pushed out, but written after all

    def _complain(self, *, at_once: bool = False) -> None:
        lost, at = self._complained
        if self.lost > lost and (at_once or time.monotonic() - at >= COMPLAINT_SECONDS):
            log.error("%d journal rows lost so far, because the database did not take them in time", self.lost)
            self._complained = (self.lost, time.monotonic())


def _is_about_the_row(error: Exception) -> bool:
    """Whether trying again is no use: the row itself is refused, not the writing."""
    if isinstance(error, DBAPIError):
        return isinstance(error, (IntegrityError, DataError))
    return isinstance(error, (StatementError, ValueError, TypeError, OverflowError))

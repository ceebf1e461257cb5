"""The epoch: a number that rises with every change of the directory, so that caches know when to ask again.

SQLite has no way to tell; `PRAGMA data_version` costs microseconds and moves with every commit of somebody else, so
the row is read only then. PostgreSQL tells by NOTIFY; the row is read at each poll as well, which finds out whether
the connection still lives. A standby of PostgreSQL tells nothing, and refuses those who would listen: the row is read.
"""

import logging
import select as polling
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from smtpy.store.engine import database_path, file_id
from smtpy.store.schema import Epoch

CHANNEL = "smtpy_epoch"
_LONGEST_PAUSE = 1.0  # seconds: between attempts to connect, and between signs of life from PostgreSQL

_RAISE = update(Epoch).where(Epoch.id == 1).values(value=Epoch.value + 1).returning(Epoch.value)
_READ = select(Epoch.value).where(Epoch.id == 1)

log = logging.getLogger("smtpy.store")


def bump(connection: Connection) -> None:
    """Raise the epoch in the transaction that changes the directory; its commit tells every process."""
    value = connection.execute(_RAISE).scalar_one()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(value))))


class EpochWatcher:
    """A thread that watches the epoch, `poll` seconds apart.

    `generation` rises with every change it sees, and with every new connection, since it may have missed some.
    `value` is the epoch it last saw, None before the first time. `alive`: whether it can see changes now.
    """

    def __init__(self, engine: Engine, poll: float, *, of_standby: bool = False) -> None:
        self.generation = 0
        self.value: int | None = None
        self.alive = False
        self._of_standby = of_standby
        self._what = "the standby's changes" if of_standby else "the directory's changes"
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._poll = poll
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="epoch", daemon=True)

    def start(self) -> None:
        """Begin to watch; after a fork, never before one."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns within the poll interval."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                with self._engine.connect() as connection:
                    self._watch(connection)
            except (SQLAlchemyError, OSError) as error:
                pause = self._poll if self.alive else min(_LONGEST_PAUSE, max(pause, 0.05) * 2)
                self._report(False, f"{self._what} cannot be seen: {error.__class__.__name__}")

    def _watch(self, connection: Connection) -> None:
        """Until stopped; raises when the database goes away."""
        connection.detach()  # listening, it is of no use to others
        moved = self._sqlite(connection) if connection.dialect.name == "sqlite" else self._postgresql(connection)
        self.value = connection.execute(_READ).scalar_one()
        self.generation += 1
        self._report(True, f"watching {self._what}")
        while moved():
            if self.value != (value := connection.execute(_READ).scalar_one()):
                self.value = value  # first: who sees the new generation is to see this too
                self.generation += 1

    def _sqlite(self, connection: Connection) -> Callable[[], bool]:
        path = database_path(self._engine) or ""
        file = file_id(path)
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()

        def moved() -> bool:
            nonlocal version
            while not self._stopping.wait(self._poll):
                if file is None or file != file_id(path):
                    raise DisconnectionError("the database file was removed or replaced")
                if version != (version := connection.exec_driver_sql("PRAGMA data_version").scalar_one()):
                    return True
            return False

        return moved

    def _postgresql(self, connection: Connection) -> Callable[[], bool]:
        if self._of_standby:
            return lambda: not self._stopping.wait(self._poll)
        driver: Any = connection.connection.dbapi_connection  # of psycopg
        driver.add_notify_handler(lambda _: None)  # that the socket spoke is all the news
        connection.exec_driver_sql(f"LISTEN {CHANNEL}")
        socket = polling.poll()
        socket.register(driver.fileno(), polling.POLLIN)
        milliseconds = int(min(self._poll, _LONGEST_PAUSE) * 1000)

        def moved() -> bool:
            socket.poll(milliseconds)
            return not self._stopping.is_set()

        return moved

    def _report(self, alive: bool, text: str) -> None:
        if alive != self.alive:
            log.log(logging.INFO if alive else logging.WARNING, text)
        self.alive = alive

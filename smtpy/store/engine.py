"""Engines that never hang: what a database does not answer within the deadline is an error, and errors are temporary.

SQLite: an existing file only, since a mail server that finds an empty directory would refuse every address
(`migrate.upgrade` makes the file); WAL, so that readers never wait for a writer; transactions take the write lock at
their begin, because one that takes it half way is not let wait. An open file stays readable after it was removed or
replaced; so each checkout compares it with what lies at the path.

PostgreSQL: `statement_timeout` ends what the server works on; a server or a network that says nothing is given up by
the client itself (`smtpy.store.patient`).

Open engines and their connections after a fork, never before.
"""

import math
import os
import sqlite3
from functools import partial
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

_GRACE = 1.25  # the server's own timeout is to come first: it leaves the connection whole


def open_engine(url: str, *, deadline: float = 2.0, create: bool = False) -> Engine:
    """An engine for `sqlite:////path` or `postgresql://...`; connects when first used.

    `deadline` in seconds for each wait: lock, connection, statement. `create`: SQLite may make the file.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, deadline, create)
    return _postgresql(parsed.set(drivername="postgresql+psycopg"), deadline)


def database_path(engine: Engine) -> str | None:
    """The file of a SQLite database; None for a server."""
    return engine.url.database if engine.dialect.name == "sqlite" else None


def file_id(path: str) -> tuple[int, int] | None:
    """Which file lies there now (device, inode); None: no file."""
    try:
        status = os.stat(path)  # noqa: PTH116  # a question's whole overhead; Path would double it
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _sqlite(url: URL, deadline: float, create: bool) -> Engine:
    path = url.database or ""
    uri = f"file:{quote(path)}?mode={'rwc' if create else 'rw'}"
    connect = partial(sqlite3.connect, uri, uri=True, timeout=deadline, check_same_thread=False)
    # No upper bound: a connection is a file handle, and a thread that waits for one may wait in vain.
    engine = create_engine(url, creator=connect, poolclass=QueuePool, pool_size=16, max_overflow=-1)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = file_id(path)
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute("PRAGMA journal_mode=WAL").close()
        connection.execute("PRAGMA synchronous=FULL").close()  # a row that a 250 stands on outlives a power cut
        connection.execute("PRAGMA foreign_keys=ON").close()

    @event.listens_for(engine, "checkout")
    def same_file(_connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        if record.info["file"] != file_id(path):
            raise DisconnectionError("the database file was removed or replaced")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL, deadline: float) -> Engine:
    from smtpy.store.patient import Patient  # SQLite needs no driver of PostgreSQL's, which takes long to import

    milliseconds = int(deadline * 1000)
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=deadline,
        pool_pre_ping=True,
        use_native_hstore=False,  # one question less for each new connection
        connect_args={
            "client_encoding": "UTF8",  # in a database of SQL_ASCII all text would come as octets
            "connect_timeout": max(2, math.ceil(deadline)),  # libpq takes no less
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} -c timezone=UTC",
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": milliseconds,
        },
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: list[Any], named: dict[str, Any]) -> Patient:
        connection = Patient.connect(*arguments, **named)
        connection.patience = deadline * _GRACE
        return connection

    return engine

"""Migrations: the schema brought up to what this version needs, or back. The only place that may create a database.

Of several who migrate at once one does it, and the others find it done: SQLite has one writer, and on PostgreSQL they
wait for a lock. How a schema stands to this version is told without Alembic, since every service asks when it starts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, Engine, String, column, func, inspect, select, table
from sqlalchemy.exc import SQLAlchemyError

import migrations
from smtpy.directory.questions import Unavailable
from smtpy.store.engine import open_engine

PATIENCE_SECONDS = 3600.0  # a big table takes its time; nobody waits for an answer here
_LOCK = 0x736D747079  # of PostgreSQL's advisory locks, for whoever migrates: "smtpy"
VERSIONS = "alembic_version"  # the table; Alembic's own name
_REVISION = select(column("version_num", String)).select_from(table(VERSIONS))


class Fit(Enum):
    """How a schema stands to this version."""

    RIGHT = "right"
    BEHIND = "behind"
    AHEAD = "ahead"


class Ahead(Exception):
    """The schema was made by a version that is newer than this one."""


def upgrade(engine: Engine, revision: str = "head") -> str | None:
    """Bring the schema up; creates a SQLite database that is not there. All or nothing. Raises Ahead.

    The revision that was found, once it was this one's turn; None: no schema.
    """
    return _run(engine, "upgrade", revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the schema back; what the older one has no place for is lost. Raises Ahead."""
    _run(engine, "downgrade", revision)


def bring(engine: Engine, revision: str) -> None:
    """Bring the schema to just that revision, from whichever side. Raises Ahead."""
    found = upgrade(engine, revision)
    if found is not None and found > revision:
        downgrade(engine, revision)


def fit(engine: Engine) -> Fit:
    """How the schema stands to this version; no schema is behind. Raises Unavailable."""
    found = current(engine)
    if found == head():
        return Fit.RIGHT
    return Fit.BEHIND if found is None or knows(found) else Fit.AHEAD


def current(engine: Engine) -> str | None:
    """The revision of the database; None: no schema. Raises Unavailable."""
    try:  # without a transaction, which on SQLite would wait for writers
        with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            return revision_of(connection)
    except SQLAlchemyError as error:
        raise Unavailable(f"the database does not answer ({type(error).__name__})") from error


def head() -> str:
    """The revision this version needs."""
    return _revisions()[-1]


def knows(revision: str) -> bool:
    """Whether this version can take a schema from there to its own."""
    return revision in _revisions()


def _revisions() -> list[str]:
    """Oldest first: what the names of the steps begin with."""
    return sorted(step.name[:4] for step in Path(migrations.__path__[0], "versions").glob("[0-9]*.py"))


def revision_of(connection: Connection) -> str | None:
    """The same by this connection, in its transaction."""
    there = inspect(connection).has_table(VERSIONS)
    return connection.scalar(_REVISION) if there else None


def _run(engine: Engine, act: str, revision: str) -> str | None:
    from alembic import command  # only whoever migrates pays for it
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    with _connection(engine) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        found = revision_of(connection)
        if found is not None and not knows(found):
            raise Ahead(found)
        config.attributes["connection"] = connection
        getattr(command, act)(config, revision)
    return found


@contextmanager
def _connection(engine: Engine) -> Iterator[Connection]:
    url = engine.url.render_as_string(hide_password=False)
    own = open_engine(url, deadline=PATIENCE_SECONDS, create=True)
    try:
        with own.connect() as connection:
            if own.dialect.name == "sqlite":
                # SQLite alters a table by making another; dropping the old one must not cascade to its children.
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            yield connection
    finally:
        own.dispose()

"""Migrations: the schema brought up to what this version needs, or back. The only place that may create a database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

import migrations
from smtpy.directory.questions import Unavailable
from smtpy.store.engine import open_engine

PATIENCE_SECONDS = 3600.0  # a big table takes its time; nobody waits for an answer here


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up; creates a SQLite database that is not there. All or nothing."""
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the schema back; what the older one has no place for is lost."""
    _run(engine, command.downgrade, revision)


def current(engine: Engine) -> str | None:
    """The revision of the database; None: no schema. Raises Unavailable."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise Unavailable(f"the database does not answer ({type(error).__name__})") from error


def head() -> str:
    """The revision this version needs."""
    return ScriptDirectory.from_config(_config()).get_heads()[0]


def knows(revision: str) -> bool:
    """Whether this version can take a schema from there to its own."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _run(engine: Engine, act: Callable[[Config, str], None], revision: str) -> None:
    with _connection(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        act(config, revision)


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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0].replace("%", "%%"))
    return config

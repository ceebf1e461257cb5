"""A database at the head of its migrations, a copy for each test: SQLite always, PostgreSQL when it is installed."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from smtpy.store import migrate
from smtpy.store.engine import open_engine
from tests.postgres import Postgres


def _migrated(url: str) -> str:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def template(postgres_server: Postgres) -> str:
    """A migrated PostgreSQL database to copy."""
    return make_url(_migrated(postgres_server.new_database(kept=True))).database or ""


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a migrated SQLite database to copy."""
    path = tmp_path_factory.mktemp("template") / "smtpy.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_template'), tmp_path / 'smtpy.db')}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database(request.getfixturevalue("template"))
    opened = open_engine(url)
    yield opened
    opened.dispose()

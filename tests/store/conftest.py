"""Databases as `migrate` makes them: SQLite and PostgreSQL, fresh for each test."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from smtpy.store.engine import open_engine
from smtpy.store.migrate import upgrade
from tests.postgres import Postgres

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "smtpy.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    url = postgres_server.new_database(kept=True)
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return make_url(url).database or ""


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "smtpy.db")
        return f"sqlite:///{copy}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("postgres_template"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on it, with a short deadline."""
    opened = open_engine(database_url, deadline=0.5)
    yield opened
    opened.dispose()


@pytest.fixture
def patient_engine(database_url: str) -> Iterator[Engine]:
    """One for tests that write a lot, with a long one."""
    opened = open_engine(database_url, deadline=60.0)
    yield opened
    opened.dispose()


@pytest.fixture
def now() -> datetime:
    """The time it is: tokens expire by the clock."""
    return datetime.now(UTC)

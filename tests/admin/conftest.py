"""A database at the head of its migrations: SQLite always, PostgreSQL when it is installed."""

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


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        url = _migrated(f"sqlite:///{tmp_path / 'smtpy.db'}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database(request.getfixturevalue("template"))
    opened = open_engine(url)
    yield opened
    opened.dispose()

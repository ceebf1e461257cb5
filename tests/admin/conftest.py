"""A database at the head of its migrations: SQLite always, PostgreSQL when it is installed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from smtpy.store import migrate
from smtpy.store.engine import open_engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'smtpy.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_engine(url)
    migrate.upgrade(opened)
    yield opened
    opened.dispose()

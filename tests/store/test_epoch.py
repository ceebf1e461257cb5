"""A change is seen within a second, whatever else happens to the database."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from smtpy.store.engine import database_path, open_engine
from smtpy.store.epoch import EpochWatcher
from smtpy.store.returns import remember
from tests.postgres import Postgres
from tests.store.town import NOW, changing, found
from tests.waiting import until

POLL = 0.1
PROMISE = 1.0  # seconds


@pytest.fixture
def watcher(engine: Engine) -> Iterator[EpochWatcher]:
    watching = EpochWatcher(engine, POLL)
    watching.start()
    until(lambda: watching.alive, "watching", 5.0)
    yield watching
    watching.stop()


@pytest.fixture
def elsewhere(database_url: str) -> Iterator[Engine]:
    """Another process's engine."""
    other = open_engine(database_url, deadline=0.5)
    yield other
    other.dispose()


def test_a_change_is_seen_within_a_second(watcher: EpochWatcher, elsewhere: Engine) -> None:
    for _ in range(3):
        before = watcher.generation
        with changing(elsewhere):
            pass
        changed = time.monotonic()
        until(lambda before=before: watcher.generation == before + 1, "change seen", PROMISE)
        assert time.monotonic() - changed < PROMISE


def test_what_changes_no_address_is_not_a_change(watcher: EpochWatcher, elsewhere: Engine) -> None:
    before = watcher.generation
    remember(elsewhere, "a" * 26, "long@far.example", NOW)
    with pytest.raises(ZeroDivisionError), changing(elsewhere):
        raise ZeroDivisionError
    with changing(elsewhere):
        pass
    until(lambda: watcher.generation > before, "change seen", PROMISE)
    assert watcher.generation == before + 1


def test_it_stops_at_once(engine: Engine) -> None:
    watching = EpochWatcher(engine, 60.0)
    watching.start()
    until(lambda: watching.alive, "watching", 5.0)
    begun = time.monotonic()
    watching.stop()
    assert time.monotonic() - begun < 1.5


def test_it_stops_while_it_cannot_connect(tmp_path: Path) -> None:
    watching = EpochWatcher(open_engine(f"sqlite:///{tmp_path}/none.db"), POLL)
    watching.start()
    begun = time.monotonic()
    watching.stop()
    assert time.monotonic() - begun < 1.0
    assert (watching.alive, watching.generation) == (False, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_removed_and_a_replaced_file(watcher: EpochWatcher, engine: Engine, tmp_path: Path) -> None:
    path = Path(database_path(engine) or "")
    shutil.copy(path, tmp_path / "copy.db")
    before = watcher.generation
    path.rename(tmp_path / "away.db")
    until(lambda: not watcher.alive, "loss seen", PROMISE)
    assert watcher.generation == before
    assert not path.exists()
    (tmp_path / "copy.db").rename(path)
    until(lambda: watcher.alive, "return seen", 2 * PROMISE)
    assert watcher.generation > before
    again = watcher.generation
    found(engine)
    until(lambda: watcher.generation > again, "change of the new file seen", PROMISE)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_goes_and_comes(watcher: EpochWatcher, elsewhere: Engine, postgres: Postgres) -> None:
    before = watcher.generation
    postgres.stop()
    until(lambda: not watcher.alive, "loss seen", PROMISE)
    assert watcher.generation == before
    postgres.start()
    until(lambda: watcher.alive, "return seen", 3 * PROMISE)
    assert watcher.generation > before
    again = watcher.generation
    with changing(elsewhere):
        pass
    until(lambda: watcher.generation > again, "change seen", PROMISE)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lost_connection_may_have_missed_a_change(watcher: EpochWatcher, postgres: Postgres) -> None:
    before = watcher.generation
    ended = postgres.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%epoch%' AND pid <> pg_backend_pid()"
    )
    assert ended
    until(lambda: watcher.alive and watcher.generation > before, "watching again", PROMISE)

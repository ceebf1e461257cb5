"""What is remembered, for how long, and what is said while the database is away."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, update

from smtpy.config import Settings
from smtpy.directory.entries import Domain
from smtpy.directory.questions import Unavailable
from smtpy.store.cache import CachedDirectory, NotCached
from smtpy.store.directory import SqlDirectory, open_directory
from smtpy.store.engine import database_path, open_engine
from smtpy.store.epoch import EpochWatcher
from smtpy.store.returns import remember
from smtpy.store.schema import Alias
from tests.postgres import Postgres
from tests.store.town import Town, changing, found
from tests.waiting import until

DEADLINE = 0.5
SLACK = 1.5  # seconds that a busy machine may add
NUMBERS = 300  # of addresses


class Counter:
    """How often the database was asked."""

    def __init__(self, engine: Engine) -> None:
        self.questions = 0
        event.listen(engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.questions += statement.startswith("SELECT") and "FROM epoch" not in statement


Opener = Callable[..., CachedDirectory]


@pytest.fixture
def opening(database_url: str) -> Iterator[Opener]:
    """Opens cached directories as a process of the mail path does, and closes them."""
    opened: list[CachedDirectory] = []

    def open_(entries: int = 1000, *, watching: bool = True) -> CachedDirectory:
        engine = open_engine(database_url, deadline=DEADLINE)
        watcher = EpochWatcher(engine, 0.1)
        watcher.start()
        opened.append(CachedDirectory(SqlDirectory(engine), watcher, entries))
        if watching:
            until(lambda: watcher.alive, "watching", 5.0)
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def ask(directory: Any) -> tuple[str, ...]:
    """Where sales@our.example goes."""
    domain = directory.domain("our.example")
    assert isinstance(domain, Domain)
    alias = directory.alias(domain, "sales")
    assert alias is not None
    return tuple(alias.mailboxes)


def keys(directory: Any, domain: Domain) -> list[str]:
    """The selectors of what signs for the domain."""
    return [each.selector for each in directory.signing_keys(domain)]


def warm(directory: CachedDirectory) -> Domain:
    """The directory has been asked everything once."""
    domain = directory.domain("our.example")
    assert domain is not None
    assert ask(directory) == ("one@far.example",)
    assert directory.alias(domain, "nobody") is None
    assert directory.automatic(domain) == ()
    assert keys(directory, domain) == ["r1"]
    assert directory.domain("foreign.example") is None
    return domain


def assert_warm_answers(directory: CachedDirectory, domain: Domain) -> None:
    """Everything that was known is still said, quickly, "no" included."""
    for each in (directory, directory.ready()):
        begun = time.monotonic()
        for _ in range(NUMBERS):
            assert ask(each) == ("one@far.example",)
            assert each.alias(domain, "nobody") is None
            assert keys(each, domain) == ["r1"]
            assert each.domain("foreign.example") is None
        assert time.monotonic() - begun < DEADLINE + SLACK


def assert_old_answers(directory: CachedDirectory, domain: Domain) -> None:
    """After a change that could not be read any more, what was known is said, and an old "no" is "I do not know"."""
    assert ask(directory) == ("one@far.example",)
    for each in (directory, directory.ready()):
        assert ask(each) == ("one@far.example",)
        assert keys(each, domain) == ["r1"]
        with pytest.raises((Unavailable, NotCached)):
            each.alias(domain, "nobody")
        with pytest.raises((Unavailable, NotCached)):
            each.domain("foreign.example")
        assert each.domain("far.example") is None  # that of the mailbox: as known as the alias that leads there


def assert_unknown_is_unavailable(directory: CachedDirectory, domain: Domain) -> None:
    """What was never asked is not known, and the waiting is not repeated for each address."""
    begun = time.monotonic()
    for number in range(NUMBERS):
        with pytest.raises(Unavailable):
            directory.alias(domain, f"unasked{number}")
        with pytest.raises(NotCached):
            directory.ready().alias(domain, f"unasked{number}")
    assert time.monotonic() - begun < 2 * DEADLINE + SLACK


def test_answers_are_remembered_both_yes_and_no(engine: Engine, opening: Opener) -> None:
    found(engine)
    directory = opening()
    counter = Counter(directory.engine)
    domain = warm(directory)
    asked = counter.questions
    assert asked == 6
    warm(directory)
    assert counter.questions == asked
    assert ask(directory.ready()) == ("one@far.example",)
    with pytest.raises(NotCached):
        directory.ready().alias(domain, "unasked")
    assert counter.questions == asked


def test_a_change_is_seen_within_a_second(engine: Engine, opening: Opener) -> None:
    found(engine)
    directory = opening()
    domain = warm(directory)
    with changing(engine) as session:
        town = Town(session)
        town.alias(1, domain.id, "nobody", (1,))
        session.execute(update(Alias).where(Alias.local == "sales").values(enabled=False))
    until(lambda: directory.alias(domain, "nobody"), "the new alias", 1.0)
    sales = directory.alias(domain, "sales")
    assert sales is not None
    assert sales.off
    assert directory.stale == 0


def test_it_counts_where_answers_come_from(engine: Engine, opening: Opener) -> None:
    found(engine)
    directory = opening()
    assert directory.told() == {"answers memory": 0, "answers database": 0, "answers stale": 0, "watching": True}
    ask(directory)
    assert directory.told() == {"answers memory": 0, "answers database": 2, "answers stale": 0, "watching": True}
    ask(directory.ready())
    assert directory.told() == {"answers memory": 2, "answers database": 2, "answers stale": 0, "watching": True}


def test_it_is_bounded_and_the_least_used_go_first(engine: Engine, opening: Opener) -> None:
    found(engine)
    directory = opening(10)
    counter = Counter(directory.engine)
    domain = directory.domain("our.example")
    assert domain is not None
    for number in range(100):
        directory.alias(domain, f"unknown{number}")
        directory.domain("our.example")  # used all the time, so it stays
    assert counter.questions == 101
    directory.alias(domain, "unknown99")
    assert counter.questions == 101
    directory.alias(domain, "unknown0")
    assert counter.questions == 102
    assert len(directory._held) == 10


def test_threads_share_it(engine: Engine, opening: Opener) -> None:
    found(engine)
    directory = opening(20)
    domain = warm(directory)
    wrong: list[object] = []

    def work(seed: int) -> None:
        try:
            for number in range(200):
                directory.alias(domain, f"unknown{(seed * number) % 50}")
                if ask(directory) != ("one@far.example",):
                    wrong.append(number)
        except (Unavailable, KeyError, AssertionError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_sender_is_remembered_for_an_outage_only(engine: Engine, opening: Opener, now: Any) -> None:
    directory = opening()
    assert directory.sender("a" * 26) is None
    remember(engine, "a" * 26, "long@far.example", now)
    assert directory.sender("a" * 26) == "long@far.example"
    with pytest.raises(NotCached):
        directory.ready().sender("a" * 26)


def test_a_process_opens_it_from_its_settings(engine: Engine, database_url: str) -> None:
    found(engine)
    secrets = {"secret_keys": ["k" * 32], "srs_secrets": ["s" * 16], "encryption_keys": ["k" * 32]}
    named = {"hostname": "mx.our.example", "postmaster": "me@far.example", "database_url": database_url}
    directory = open_directory(Settings.model_validate({**named, **secrets, "cache_entries": 7}))
    try:
        assert ask(directory) == ("one@far.example",)
        assert directory.engine.url.database == engine.url.database
    finally:
        directory.close()
    assert not any(thread.name == "epoch" for thread in threading.enumerate())


# --- The database is away -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("asked_before", [True, False])
def test_a_locked_sqlite_is_read_all_the_same(engine: Engine, opening: Opener, asked_before: bool) -> None:
    """WAL: who holds the file exclusively keeps writers out, not us."""
    found(engine)
    locker = sqlite3.connect(database_path(engine) or "", isolation_level=None)
    directory = opening() if asked_before else None
    if directory:
        warm(directory)
    locker.execute("BEGIN EXCLUSIVE")
    assert ask(directory or opening()) == ("one@far.example",)
    locker.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_sqlite_locked_against_readers_is_unavailable_until_it_is_not(engine: Engine, opening: Opener) -> None:
    found(engine)
    engine.dispose()
    locker = sqlite3.connect(database_path(engine) or "", isolation_level=None)
    locker.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
    locker.execute("BEGIN EXCLUSIVE")
    directory = opening(watching=False)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        directory.domain("our.example")
    assert time.monotonic() - begun < 2 * DEADLINE + SLACK
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        directory.domain("our.example")
    assert time.monotonic() - begun < DEADLINE / 2
    locker.close()
    until(lambda: _answers(directory), "answers again", 5.0)


def _answers(directory: CachedDirectory) -> bool:
    try:
        return ask(directory) == ("one@far.example",)
    except Unavailable:
        return False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_removed_file_warm(engine: Engine, opening: Opener, tmp_path: Path) -> None:
    found(engine)
    directory = opening()
    domain = warm(directory)
    assert directory.awaits("soon.example") is False
    path = Path(database_path(engine) or "")
    engine.dispose()
    shutil.move(path, tmp_path / "away.db")
    assert_unknown_is_unavailable(directory, domain)
    assert_warm_answers(directory, domain)
    assert directory.awaits("soon.example") is False
    directory._watcher.generation += 1  # as after a change just before
    assert_old_answers(directory, domain)
    assert directory.stale > 0
    with pytest.raises(Unavailable):  # it may have been announced by that change
        directory.awaits("soon.example")
    assert not path.exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_removed_file_cold_and_its_return(engine: Engine, opening: Opener, tmp_path: Path) -> None:
    found(engine)
    engine.dispose()
    path = Path(database_path(engine) or "")
    shutil.move(path, tmp_path / "away.db")
    directory = opening(watching=False)
    with pytest.raises(Unavailable):
        directory.domain("our.example")
    with pytest.raises(Unavailable):
        directory.sender("a" * 26)
    assert not path.exists()
    shutil.move(tmp_path / "away.db", path)
    until(lambda: _answers(directory), "answers again", 5.0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_open_file_that_was_replaced_is_not_read_any_more(engine: Engine, opening: Opener, tmp_path: Path) -> None:
    path = Path(database_path(engine) or "")
    shutil.copy(path, tmp_path / "empty.db")
    found(engine)
    directory = opening()
    domain = warm(directory)
    (tmp_path / "empty.db").rename(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    until(lambda: directory.domain("our.example") is None, "the new file read", 2.0)
    assert directory.alias(domain, "sales") is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_stopped_server_warm_and_cold(engine: Engine, opening: Opener, postgres: Postgres, now: Any) -> None:
    found(engine)
    remember(engine, "a" * 26, "long@far.example", now)
    directory, cold = opening(), opening()
    domain = warm(directory)
    assert directory.sender("a" * 26) == "long@far.example"
    postgres.stop()
    with pytest.raises(Unavailable):
        cold.domain("our.example")
    assert_unknown_is_unavailable(directory, domain)
    assert_warm_answers(directory, domain)
    directory._watcher.generation += 1
    assert_old_answers(directory, domain)
    assert directory.sender("a" * 26) == "long@far.example"
    assert directory.stale > 0
    postgres.start()
    until(lambda: _answers(cold), "answers again", 5.0)
    until(lambda: directory._watcher.alive, "watching again", 5.0)
    assert directory.alias(domain, "unasked") is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_silent_server_is_given_up_warm_and_cold(engine: Engine, opening: Opener, postgres: Postgres) -> None:
    found(engine)
    directory, cold = opening(), opening()
    domain = warm(directory)
    postgres.hang()
    try:
        for each in (directory, cold):
            begun = time.monotonic()
            with pytest.raises(Unavailable):
                each.domain("unasked.example")
            assert time.monotonic() - begun < 2 * DEADLINE + 2.0 + SLACK  # libpq waits two seconds for a connection
        assert_warm_answers(directory, domain)
    finally:
        postgres.resume()
    until(lambda: _answers(cold), "answers again", 5.0)

"""The SQLite database locked, removed and replaced under a running service.

What was asked for before flows on; what was not hears 451. Each process has a memory of its own, so the milter runs one
worker here: with two, the one that has not met an alias yet would put it off.
"""

import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from smtpy.admin import aliases
from tests.failures.conftest import Opener
from tests.failures.village import (
    ANN,
    BEN,
    CAT,
    NEW,
    QUIET,
    Letter,
    assert_arrives,
    assert_put_off,
    changing,
    decisive,
    declare,
    recovers,
    write,
)
from tests.stand import Stand
from tests.waiting import until

DEADLINE = 2.0  # a busy machine takes one to answer
AT_MOST = 3 * DEADLINE  # seconds a message, if policy, lookup and milter each have to find out that nobody answers
SETTINGS = {"SMTPY_MILTER_WORKERS": "1", "SMTPY_DEADLINE_SECONDS": str(DEADLINE)}


@contextmanager
def locked_to_writers(database: Path) -> Iterator[None]:
    """As by a transaction that somebody forgot to end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def locked_to_all(database: Path) -> Iterator[None]:
    """As during recovery: all locks of the WAL index (SQLite's WAL-mode file format, 2.3.1): readers wait, too."""
    with Path(f"{database}-shm").open("r+b") as index:
        fcntl.lockf(index, fcntl.LOCK_EX, 8, 120)
        yield


@contextmanager
def removed(database: Path) -> Iterator[None]:
    """All of its files; put back at the end."""
    aside = database.with_suffix(".aside")
    aside.mkdir()
    files = [each.rename(aside / each.name) for each in database.parent.glob(f"{database.name}*")]
    try:
        yield
    finally:
        for each in database.parent.glob(f"{database.name}*"):
            each.unlink()
        for each in files:
            each.rename(database.parent / each.name)
        aside.rmdir()


@contextmanager
def emptied(database: Path) -> Iterator[None]:
    """Somebody has put an empty file in its place."""
    with removed(database):
        database.touch()
        yield


@pytest.fixture(scope="module")
def shared(opened: Opener) -> Iterator[Stand]:
    with opened(settings=SETTINGS) as stand:
        yield stand


Away = Callable[[Path], AbstractContextManager[None]]
AWAY: dict[str, Away] = {"locked": locked_to_all, "removed": removed, "emptied": emptied}


def database_of(stand: Stand) -> Path:
    return stand.folder / "state" / "smtpy.db"


@pytest.mark.parametrize("away", AWAY.values(), ids=AWAY)
def test_away(village: Stand, away: Away) -> None:
    """ANN was asked for before, BEN was not; nor was anything of two.example."""
    forget(village)
    before = write(ANN)
    assert_arrives(village, before, before.send(village))
    with away(database_of(village)):
        for _ in range(3):
            known, started = write(ANN), time.monotonic()
            assert_arrives(village, known, known.send(village))
            assert time.monotonic() - started < AT_MOST
        for stranger in (BEN, CAT):
            unknown, started = write(stranger), time.monotonic()
            assert_put_off(village, unknown, decisive(unknown.send(village)))
            assert time.monotonic() - started < AT_MOST
    all_recover(village)


def test_away_at_the_start(village: Stand) -> None:
    """A service that meets no database starts, and waits for it."""
    with removed(database_of(village)):
        forget(village)
        letter = write(ANN)
        assert_put_off(village, letter, decisive(letter.send(village)))
    all_recover(village)


def test_away_after_a_change(village: Stand) -> None:
    """What is in memory is known to be old, and still better than nothing; of the mailbox's domain, too, of which
    nobody has asked since the change.
    """
    letter = write(ANN)
    assert_arrives(village, letter, letter.send(village))
    assert decisive(write(NEW).send(village)).code == 550
    with changing(village) as c:
        declare(c, NEW)
    until(lambda: write(NEW).send(village).accepted, "change seen")
    with removed(database_of(village)):
        for _ in range(5):
            known, started = write(ANN), time.monotonic()
            assert_arrives(village, known, known.send(village))
            assert time.monotonic() - started < AT_MOST
    all_recover(village)


def test_locked_to_writers(village: Stand) -> None:
    """Readers do not notice (WAL). What must be written before the 250 is put off, and the journal waits."""
    with locked_to_writers(database_of(village)):
        letter, dropped = write(ANN, BEN), write(QUIET)
        stored = Letter((CAT,), local="l" * 60)  # its return address does not fit, and is stored under a token
        assert_arrives(village, letter, letter.send(village))
        assert_put_off(village, dropped, decisive(dropped.send(village)))
        assert_put_off(village, stored, decisive(stored.send(village)))
        assert letter.rows(village) == []
    until(lambda: letter.rows(village) == ["forward", "forward"], "rows written")
    assert dropped.rows(village) == []
    assert dropped.send(village).accepted
    assert dropped.rows(village) == ["drop"]
    assert_arrives(village, stored, stored.send(village))


def test_replaced(village: Stand) -> None:
    """By a backup that is played back: what it says holds, without a restart."""
    database = database_of(village)
    with closing(sqlite3.connect(database)) as now, closing(sqlite3.connect(f"{database}.backup")) as backup:
        now.backup(backup)
    with changing(village) as c:
        aliases.delete(c, BEN)
    until(lambda: decisive(write(BEN).send(village)).code == 550, "alias gone")
    for each in database.parent.glob(f"{database.name}-*"):
        each.unlink()
    Path(f"{database}.backup").rename(database)
    until(lambda: write(BEN).send(village).accepted, "alias back")


def all_recover(stand: Stand) -> None:
    for each in (ANN, BEN, CAT):
        recovers(stand, each)


def forget(stand: Stand) -> None:
    """Services that remember nothing."""
    for name in stand.services:
        stand.stop(name)
        stand.start(name)

"""The disk of the database is full: mail flows, the journal waits, and nothing is dropped without its row.

The disk is a small tmpfs, so these tests take root; without it they are skipped.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.failures.conftest import Opener
from tests.failures.disks import filled, small_disk
from tests.failures.village import ANN, BEN, CAT, QUIET, assert_arrives, assert_put_off, decisive, write
from tests.stand import Stand
from tests.waiting import until


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of four megabytes."""
    with small_disk(4) as folder:
        yield folder


@pytest.fixture
def village(opened: Opener, disk: Path) -> Iterator[Stand]:
    with opened(database_url=f"sqlite:///{disk / 'smtpy.db'}") as stand:
        yield stand


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Nothing can be written; room that SQLite has already, in its WAL, is taken from it."""
    with closing(sqlite3.connect(disk / "smtpy.db")) as database:
        until(lambda: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, "WAL emptied")
    with filled(disk):
        yield


def test_mail_flows_and_the_journal_follows(village: Stand, disk: Path) -> None:
    """BEN and CAT are asked for while nothing can be written, and split."""
    first = write(ANN)
    assert_arrives(village, first, first.send(village))
    until(lambda: first.rows(village), "first row written")
    with full(disk):
        letters = [write(*recipients) for recipients in ((ANN,), (BEN,), (CAT,), (ANN, BEN, CAT))]
        for letter in letters:
            assert_arrives(village, letter, letter.send(village))
        dropped, mixed = write(QUIET), write(ANN, QUIET)
        for letter in (dropped, mixed):
            assert_put_off(village, letter, decisive(letter.send(village)))
        assert not [letter for letter in (*letters, dropped, mixed) if letter.rows(village)]
    until(lambda: all(letter.rows(village) for letter in letters), "rows written")
    assert sorted(letters[-1].rows(village)) == ["forward"] * 3 + ["split"] * 3
    assert dropped.rows(village) == []
    assert dropped.send(village).accepted
    assert dropped.rows(village) == ["drop"]
    assert mixed.send(village).accepted
    village.wait_empty()
    assert mixed.copies(village) == ["ann@home.example"]

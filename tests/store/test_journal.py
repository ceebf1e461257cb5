"""The journal may fail; the mail may not: rows wait, are cut, are given up, and nobody is kept waiting."""

import contextlib
import logging
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from os import geteuid
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, event, select, text

from smtpy.store.engine import database_path, open_engine
from smtpy.store.journal import BATCH, Delivery, Entry, Journal, JournalDown, entries
from smtpy.store.rows import MAX_OCTETS, write
from smtpy.store.schema import Alias, AliasMailbox
from tests.postgres import Postgres
from tests.store.town import NOW, found
from tests.waiting import until

AT_ONCE = 0.4  # seconds in which thousands of rows are handed over
DEADLINE = 0.5  # of the fixture's engine
SLACK = 1.5  # seconds that a busy machine may add


def entry(number: int = 0, *deliveries: Delivery, **values: Any) -> Entry:
    given: dict[str, Any] = {
        "uuid": str(uuid4()),
        "at": NOW + timedelta(seconds=number),
        "stage": "front",
        "queue_id": f"4Q{number}",
        "parent": None,
        "client": "192.0.2.1",
        "reverse_path": "author@far.example",
        "message_id": f"<{number}@far.example>",
        "size": 5000,
        "verdict": "accept",
        "why": "exact alias",
        "micros": 500,
        "recipients": deliveries or (delivery(),),
    }
    return Entry(**{**given, **values})


def delivery(key: str = "sales@our.example", alias_id: int | None = None, **values: Any) -> Delivery:
    given = {"decision": "forward", "targets": ("one@far.example",), "why": "exact alias"}
    return Delivery(**{"recipient": key, "key": key, "alias_id": alias_id, **given, **values})


def unnumbered(found_entries: list[Entry]) -> list[Entry]:
    return [replace(each, id=None) for each in found_entries]


def kept(engine: Engine) -> list[str | None]:
    """The queue ids of all rows, oldest first."""
    return [each.queue_id for each in reversed(entries(engine, limit=100_000))]


Opener = Callable[..., Journal]


@pytest.fixture
def opening(engine: Engine) -> Iterator[Opener]:
    """Opens journals and closes them."""
    opened: list[Journal] = []

    def open_(every: float = 0.02, buffer: int = 10_000) -> Journal:
        opened.append(Journal(engine, every=every, buffer=buffer))
        return opened[-1]

    yield open_
    for each in opened:
        each.close(5.0)


def hand_over(journal: Journal, rows: list[Entry]) -> None:
    """`record` never waits."""
    begun = time.monotonic()
    for each in rows:
        journal.record(each)
    assert time.monotonic() - begun < AT_ONCE


# --- Writing --------------------------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_went(engine: Engine, opening: Opener) -> None:
    row = entry(
        1,
        delivery("sales@our.example"),
        delivery("päivi@our.example", recipient="PÄIVI+x@our.example", decision="drop", targets=(), why="off"),
        parent=str(uuid4()),
        authentication="spf=pass smtp.mailfrom=author@far.example;\n\tdkim=none",
        spf="pass",
        dkim="none",
        dmarc="temperror",
        arc="none",
        signed="d=our.example s=r1",
    )
    bare = entry(2, queue_id=None, message_id=None, reverse_path="", recipients=())
    journal = opening()
    hand_over(journal, [row, bare])
    until(lambda: len(entries(engine)) == 2, "both rows")
    assert unnumbered(entries(engine)) == [bare, row]
    assert journal.lost == 0


def test_many_rows_keep_their_order(engine: Engine, opening: Opener) -> None:
    rows = [entry(number) for number in range(2 * BATCH + 1)]
    journal = opening(every=60.0)
    hand_over(journal, rows)
    journal.close(20.0)
    assert kept(engine) == [each.queue_id for each in rows]
    assert journal.lost == 0


def test_record_now_is_there_when_it_returns(engine: Engine, opening: Opener) -> None:
    row = entry()
    opening(every=60.0).record_now(row)
    assert unnumbered(entries(engine)) == [row]


def test_a_purged_alias_costs_no_row(engine: Engine, opening: Opener) -> None:
    found(engine)
    gone, there = entry(1, delivery(alias_id=77)), entry(2, delivery(alias_id=1))
    journal = opening()
    hand_over(journal, [gone, there])
    journal.record_now(entry(3, delivery(alias_id=78)))
    until(lambda: len(kept(engine)) == 3, "all rows")
    assert {each.queue_id: each.recipients[0].alias_id for each in entries(engine)} == {
        "4Q1": None,
        "4Q2": 1,
        "4Q3": None,
    }
    with engine.begin() as connection:
        connection.execute(delete(AliasMailbox))
        connection.execute(delete(Alias))
    assert [each.recipients[0].alias_id for each in entries(engine)] == [None, None, None]


BAD_ROWS = {
    "a time without zone": {"at": NOW.replace(tzinfo=None)},
    "a name that is none": {"uuid": "not-a-uuid"},
    "a parent that is none": {"parent": "not-a-uuid"},
    "a size beyond 64 bits": {"size": 1 << 80},
    "a size that is none": {"size": None},
    "targets that are no text": {"recipients": (delivery(why=None),)},
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_stops_no_other(engine: Engine, opening: Opener, caplog: Any, name: str) -> None:
    bad = entry(2, **BAD_ROWS[name])
    journal = opening(every=0.05)
    hand_over(journal, [entry(1), bad, entry(3)])
    until(lambda: kept(engine) == ["4Q1", "4Q3"], "the good rows")
    until(lambda: journal.lost == 1, "the loss counted")
    assert bad.uuid in caplog.text
    with pytest.raises(JournalDown):
        journal.record_now(bad)
    journal.record(entry(4))
    until(lambda: kept(engine)[-1] == "4Q4", "the next row")


def test_texts_of_strangers_are_made_to_fit(engine: Engine, opening: Opener) -> None:
    long = "\U0001f4e8" * 3000
    strange = entry(1, delivery("nul\0@our.example"), reverse_path="half\ud800", message_id=long, why="x" * 10_000)
    opening().record_now(strange)
    (row,) = entries(engine)
    assert row.recipients[0].key == "nul\ufffd@our.example"
    assert row.reverse_path == "half?"
    assert row.message_id == "\U0001f4e8" * (MAX_OCTETS // 4)
    assert len(row.why) == MAX_OCTETS
    assert unnumbered(entries(engine, about=long)) == unnumbered([row])


def test_a_row_whose_commit_was_not_heard_of_is_not_written_twice(engine: Engine, opening: Opener) -> None:
    row = entry(1)
    with engine.begin() as connection:
        write(connection, [row])
    journal = opening()
    hand_over(journal, [row, entry(2)])
    until(lambda: kept(engine) == ["4Q1", "4Q2"], "the second row")
    assert journal.lost == 0


# --- The database is away -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def away(engine: Engine, request: pytest.FixtureRequest) -> Iterator[None]:
    """The database takes no writes: SQLite is locked, PostgreSQL stopped."""
    if path := database_path(engine):
        locker = sqlite3.connect(path, isolation_level=None)
        locker.execute("BEGIN EXCLUSIVE")
        yield
        locker.execute("ROLLBACK")
        locker.close()
    else:
        server: Postgres = request.getfixturevalue("postgres")
        server.stop()
        yield
        server.start()


def test_an_outage_costs_time_but_no_rows(engine: Engine, opening: Opener, request: pytest.FixtureRequest) -> None:
    rows = [entry(number) for number in range(1000)]
    journal = opening()
    with away(engine, request):
        hand_over(journal, rows)
        begun = time.monotonic()
        with pytest.raises(JournalDown):
            journal.record_now(entry(7777))
        assert time.monotonic() - begun < DEADLINE + SLACK
    until(lambda: len(kept(engine)) == 1000, "all rows")
    assert kept(engine) == [each.queue_id for each in rows]
    assert journal.lost == 0


def test_what_does_not_fit_goes_oldest_first(
    engine: Engine, opening: Opener, request: pytest.FixtureRequest, caplog: Any
) -> None:
    journal = opening(buffer=100)
    with away(engine, request):
        hand_over(journal, [entry(number) for number in range(250)])
        assert journal.lost == 150
        until(lambda: "150 journal rows lost" in caplog.text, "the complaint")
    until(lambda: len(kept(engine)) == 100, "the newest rows")
    assert kept(engine) == [f"4Q{number}" for number in range(150, 250)]
    assert sum("journal rows lost" in line for line in caplog.messages) == 1


def test_closing_does_not_wait_for_a_database_that_is_away(
    engine: Engine, opening: Opener, request: pytest.FixtureRequest, caplog: Any
) -> None:
    journal = opening()
    with away(engine, request):
        hand_over(journal, [entry(1), entry(2)])
        begun = time.monotonic()
        journal.close(1.0)
        assert time.monotonic() - begun < 1.0 + SLACK
        assert "2 journal rows lost" in caplog.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_removed_file_is_not_written(engine: Engine, opening: Opener, tmp_path: Path) -> None:
    path = Path(database_path(engine) or "")
    journal = opening()
    journal.record_now(entry(1))
    shutil.move(path, tmp_path / "away.db")
    with pytest.raises(JournalDown):
        journal.record_now(entry(2))
    hand_over(journal, [entry(3)])
    shutil.move(tmp_path / "away.db", path)
    until(lambda: kept(engine) == ["4Q1", "4Q3"], "the row that waited")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    if geteuid() != 0:
        pytest.skip("only root can mount the small file system this needs")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(path: Path) -> None:
    """Write until nothing goes any more."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    assert shutil.disk_usage(path).free == 0


def test_a_full_disk_delays_rows_only(small_disk: Path, sqlite_template: Path) -> None:
    shutil.copy(sqlite_template, small_disk / "smtpy.db")
    engine = open_engine(f"sqlite:///{small_disk}/smtpy.db", deadline=DEADLINE)
    journal = Journal(engine, every=0.02, buffer=10_000)
    journal.record_now(entry(1))
    filler = small_disk / "filler"
    fill(filler)
    rows = [entry(number) for number in range(2, 500)]
    hand_over(journal, rows)
    begun = time.monotonic()
    with pytest.raises(JournalDown):
        journal.record_now(entry(7777))
    assert time.monotonic() - begun < DEADLINE + SLACK
    assert kept(engine)[:1] == ["4Q1"]  # what can be read is read
    filler.unlink()
    until(lambda: len(kept(engine)) == 499, "all rows")
    assert kept(engine) == [f"4Q{number}" for number in range(1, 500)]
    assert journal.lost == 0
    journal.close(5.0)
    engine.dispose()


# --- Reading --------------------------------------------------------------------------------------------------------


def test_what_a_row_can_be_found_by(engine: Engine, opening: Opener) -> None:
    one = entry(1, delivery("sales@our.example"), delivery("info@our.example"))
    two = entry(2, delivery("info@our.example"), reverse_path="other@far.example")
    journal = opening()
    for each in (one, two):
        journal.record_now(each)
    cases = {
        one.uuid: [one],
        one.uuid.upper(): [one],
        "4Q2": [two],
        "<1@far.example>": [one],
        "1@far.example": [one],
        "SALES@OUR.example": [one],
        "info@our.example": [two, one],
        "other@far.example": [two],
        "nobody@our.example": [],
        "": [],
        "\0": [],
    }
    for about, expected in cases.items():
        assert unnumbered(entries(engine, about=about)) == expected, about


def test_pages_follow_each_other(engine: Engine) -> None:
    with engine.begin() as connection:
        write(connection, [entry(number) for number in range(10)])
    for about in (None, "sales@our.example", "author@far.example"):
        seen: list[str | None] = []
        before: int | None = None
        while page := entries(engine, about=about, limit=4, before=before):
            assert len(page) <= 4
            seen += [each.queue_id for each in page]
            before = page[-1].id
        assert seen == [f"4Q{number}" for number in reversed(range(10))], about


def test_looking_something_up_reads_no_whole_table(patient_engine: Engine) -> None:
    engine = patient_engine
    with engine.begin() as connection:
        write(connection, [entry(number, delivery(f"a{number}@our.example")) for number in range(10_000)])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    asked: list[tuple[str, Any]] = []
    event.listen(
        engine, "before_cursor_execute", lambda _c, _k, statement, values, *_: asked.append((statement, values))
    )
    for about in ("a77@our.example", "author@far.example", "4Q77", "<77@far.example>", str(uuid4())):
        asked.clear()
        entries(engine, about=about, limit=10)
        assert plans(engine, list(asked)) == [], about


def plans(engine: Engine, asked: list[tuple[str, Any]]) -> list[str]:
    words = "EXPLAIN QUERY PLAN" if database_path(engine) else "EXPLAIN"
    with engine.connect() as connection:
        lines = [str(row[-1]) for one, values in asked for row in connection.exec_driver_sql(f"{words} {one}", values)]
    return [line for line in lines if "SCAN journal" in line or "Seq Scan on journal" in line]


def test_no_thread_is_left(engine: Engine) -> None:
    journal = Journal(engine, every=60.0, buffer=10)
    journal.close(5.0)
    assert not journal._thread.is_alive()
    with engine.connect() as connection:
        assert connection.scalar(select(1)) == 1


@pytest.fixture(autouse=True)
def _hear_all(caplog: Any) -> None:
    caplog.set_level(logging.DEBUG, "smtpy.journal")

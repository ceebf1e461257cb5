"""What was in the database is in the one that is filled, on either kind, from either kind, of an older schema too."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pyrage import x25519
from sqlalchemy import Engine, select, text

from smtpy.backup.archive import BadArchive, reading, writing
from smtpy.backup.making import END, MANIFEST, make
from smtpy.backup.restoring import check, fill_with
from smtpy.config import Settings
from smtpy.seed import plant
from smtpy.store import migrate, parts
from smtpy.store.columns import Base
from smtpy.store.engine import open_engine
from smtpy.store.journal import entries
from smtpy.store.rows import write
from smtpy.store.transfer import Unfit, is_empty
from tests.postgres import Postgres
from tests.store.test_journal import entry

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
Of = Callable[[str], Settings]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Where nothing is yet, not even a schema."""
    if request.param == "sqlite":
        opened = open_engine(f"sqlite:///{tmp_path / 'new.db'}", deadline=10.0)
    else:
        server: Postgres = request.getfixturevalue("postgres")
        opened = open_engine(server.new_database(), deadline=10.0)
    yield opened
    opened.dispose()


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables by the models, which tell the same of both databases."""
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if table.name != "epoch"
        }


@pytest.fixture
def odd(engine: Engine) -> Engine:
    """A database of one person with what is apt to get lost: nulls of two kinds, odd texts, octets, times."""
    with engine.begin() as connection:
        connection.execute(
            Base.metadata.tables["users"].insert(),
            {"email": "ann@inbox.example", "key": "ann@inbox.example", "totp": bytes(range(256)), "created_at": NOW},
        )
        connection.execute(
            Base.metadata.tables["choices"].insert(),
            [{"name": "a", "value": None}, {"name": "b", "value": {"at": "x"}}, {"name": "c", "value": "\u2028\n\x85"}],
        )
    return engine


def test_a_town_comes_back_whole(
    engine: Engine, empty: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    patient = open_engine(engine.url.render_as_string(hide_password=False), deadline=60.0)
    plant(patient, settings("sqlite:////x"), "small", 1, NOW)
    before = contents(patient)
    patient.dispose()
    assert all(before[name] for name in ("users", "aliases", "journal", "journal_recipients", "signing_keys", "audit"))
    path = make(tmp_path / "a.age", engine, settings("sqlite:////x"), NOW).path
    backup, rows = check(path, str(identity))
    assert rows == sum(map(len, before.values())) + 1  # the epoch
    assert backup.secrets["encryption_keys"] == ["e" * 40, "f" * 40]
    fill_with(path, str(identity), empty, migrate.head())
    assert contents(empty) == before
    assert migrate.current(empty) == migrate.head()


def test_rows_of_all_parts_come_back_and_the_next_has_a_place(
    engine: Engine, empty: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    """PostgreSQL's numbers of messages leap from part to part; SQLite takes them as they are."""
    with engine.begin() as connection:
        write(connection, [entry(1)])
    parts.divide(engine, NOW, timedelta())
    with engine.begin() as connection:
        write(connection, [entry(2)])
    assert [each.id for each in entries(engine)] == [parts.STRIDE if engine.dialect.name == "postgresql" else 2, 1]
    path = make(tmp_path / "a.age", engine, settings("sqlite:////x"), NOW).path
    fill_with(path, str(identity), empty, migrate.head())
    assert contents(empty) == contents(engine)
    with empty.begin() as connection:
        write(connection, [entry(3)])
    numbers = [each.id or 0 for each in entries(empty)]
    assert numbers[0] == numbers[1] + 1


def test_odd_values_come_back_as_they_were(
    odd: Engine, empty: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    path = make(tmp_path / "a.age", odd, settings("sqlite:////x"), NOW).path
    fill_with(path, str(identity), empty, migrate.head())
    assert contents(empty) == contents(odd)
    for engine in (odd, empty):  # the null of JSON, which is not NULL
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT CAST(value AS TEXT) FROM choices WHERE name = 'a'")) == "null"


def test_counters_go_on_behind_what_was_filled_in(
    odd: Engine, empty: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    path = make(tmp_path / "a.age", odd, settings("sqlite:////x"), NOW).path
    fill_with(path, str(identity), empty, migrate.head())
    user = {"email": "bob@inbox.example", "key": "bob@inbox.example"}
    with empty.begin() as connection:
        connection.execute(Base.metadata.tables["users"].insert(), user)
        assert connection.scalar(select(Base.metadata.tables["users"].c.id).filter_by(**user)) > 1


@pytest.mark.parametrize("is_made", [False, True])
def test_an_older_schema_comes_back_as_this_one(
    tmp_path: Path, empty: Engine, settings: Of, identity: x25519.Identity, is_made: bool
) -> None:
    old = open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    migrate.upgrade(old, "0002")
    with old.begin() as connection:
        connection.execute(
            text("INSERT INTO users VALUES (1, :u, :e, :e, '', 'user', 1, :t, :t, NULL)"),
            {"u": "a" * 32, "e": "ann@inbox.example", "t": "2026-01-01 00:00:00.000000"},
        )
    path = make(tmp_path / "a.age", old, settings("sqlite:////x"), NOW).path
    old.dispose()
    if is_made:  # as `smtpy init` leaves it
        migrate.upgrade(empty)
    fill_with(path, str(identity), empty, check(path, str(identity))[0].revision)
    assert migrate.current(empty) == migrate.head()
    with empty.connect() as connection:
        row = connection.execute(select(Base.metadata.tables["users"])).one()
    assert (row.email, row.uuid) == ("ann@inbox.example", "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa")
    assert row.created_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_newer_one_is_refused_by_name(odd: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path) -> None:
    path = make(tmp_path / "a.age", odd, settings("sqlite:////x"), NOW).path
    with reading(path, str(identity)) as parts:
        kept = dict(parts)
    manifest = json.loads(kept[MANIFEST]) | {"revision": "9999", "smtpy": "99.1"}
    with writing(path, [str(identity.to_public())]) as add:
        for name, octets in kept.items():
            add(name, json.dumps(manifest).encode() if name == MANIFEST else octets)
    with pytest.raises(BadArchive, match=r"SMTPy 99\.1, which is newer"):
        check(path, str(identity))


def test_rows_that_are_missing_are_missed(
    odd: Engine, empty: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    path = make(tmp_path / "a.age", odd, settings("sqlite:////x"), NOW).path
    with reading(path, str(identity)) as parts:
        kept = dict(parts)
    with writing(path, [str(identity.to_public())]) as add:
        for name, octets in kept.items():
            if name != END:
                add(name, octets)
    with pytest.raises(BadArchive, match="rows"):
        check(path, str(identity))
    with pytest.raises(BadArchive, match="rows"):
        fill_with(path, str(identity), empty, migrate.head())
    assert is_empty(empty)


def test_what_is_read_fits_together_while_others_write(
    odd: Engine, settings: Of, identity: x25519.Identity, tmp_path: Path
) -> None:
    """Each user gets a mailbox in the same transaction; never is one in the backup without the other."""
    users, mailboxes = Base.metadata.tables["users"], Base.metadata.tables["mailboxes"]
    done: list[int] = []

    def write() -> None:
        while len(done) < 2000 and not stop:
            name = f"u{len(done)}@inbox.example"
            with odd.begin() as connection:
                number = connection.execute(users.insert().returning(users.c.id), {"email": name, "key": name}).scalar()
                connection.execute(
                    mailboxes.insert(), {"owner_id": number, "address": name, "key": name, "domain": "inbox.example"}
                )
            done.append(1)

    stop: list[int] = []
    writer = Thread(target=write)
    writer.start()
    try:
        counts = []
        for number in range(5):
            path = make(tmp_path / f"{number}.age", odd, settings("sqlite:////x"), NOW).path
            with reading(path, str(identity)) as parts:
                rows = {name.split("-")[-1]: len(octets.splitlines()) for name, octets in parts}
            counts.append((rows["users.json"] - 1, rows.get("mailboxes.json", 0)))
    finally:
        stop.append(1)
        writer.join()
    assert all(user == mailbox for user, mailbox in counts)
    assert counts[0] != counts[-1]


def test_a_database_without_tables_is_none(tmp_path: Path, settings: Of) -> None:
    sqlite3.connect(tmp_path / "none.db").close()
    engine = open_engine(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(Unfit, match="smtpy init"):
        make(tmp_path / "a.age", engine, settings("sqlite:////x"), NOW)
    assert not (tmp_path / "a.age").exists()

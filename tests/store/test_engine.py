"""No wait of any kind lasts much longer than the deadline, and no connection is other than it should be."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from smtpy.store.engine import database_path, file_id, open_engine
from smtpy.store.schema import User
from tests import postgres as plugin
from tests.postgres import Postgres
from tests.store.town import found

DEADLINE = 0.5  # of the fixture's engine
SLACK = 1.5  # seconds that a busy machine may add

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
only_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def seconds_until_error(engine: Engine, statement: str) -> float:
    begun = time.monotonic()
    with pytest.raises(OperationalError), engine.begin() as connection:
        connection.execute(text(statement))
    return time.monotonic() - begun


def test_a_writer_waits_for_another_no_longer_than_the_deadline(engine: Engine) -> None:
    change = "UPDATE epoch SET value = value + 1"
    with engine.begin() as holder:
        holder.execute(text(change))
        assert DEADLINE * 0.8 < seconds_until_error(engine, change) < DEADLINE + SLACK
    with engine.begin() as connection:
        connection.execute(text(change))


@only_postgresql
def test_a_long_statement_ends_at_the_deadline(engine: Engine) -> None:
    assert seconds_until_error(engine, "SELECT pg_sleep(20)") < DEADLINE + SLACK


@only_postgresql
def test_a_silent_server_is_given_up(engine: Engine, postgres: Postgres) -> None:
    with engine.connect() as connection:
        postgres.hang()
        try:
            begun = time.monotonic()
            with pytest.raises(OperationalError, match="silent"):
                connection.execute(text("SELECT 1"))
            assert time.monotonic() - begun < DEADLINE + SLACK
            assert (
                seconds_until_error(engine, "SELECT 1") < 2.0 + DEADLINE + SLACK
            )  # a connection takes libpq two seconds to give up
        finally:
            postgres.resume()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1


@only_postgresql
def test_a_restarted_server_costs_no_error(engine: Engine, postgres: Postgres) -> None:
    found(engine)
    postgres.stop()
    postgres.start()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 1


@only_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", 500)]
)
def test_sqlite_is_set_up(engine: Engine, pragma: str, value: object) -> None:
    with engine.connect() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value


@only_sqlite
def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    found(engine)
    with engine.begin() as writer:
        writer.execute(User.__table__.update().values(name="new"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as reader:
            assert reader.scalar(text("SELECT name FROM users")) == ""


@only_sqlite
def test_a_replaced_file_is_not_written(engine: Engine, tmp_path: Path) -> None:
    found(engine)
    path = Path(database_path(engine) or "")
    before = file_id(str(path))
    path.rename(tmp_path / "old.db")
    assert seconds_until_error(engine, "DELETE FROM users") < DEADLINE + SLACK
    assert not path.exists()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE users (id INTEGER)")
    other.close()
    assert file_id(str(path)) != before
    with engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 0


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(OperationalError):
        open_engine(f"sqlite:///{path}").connect()
    assert not path.exists()


def test_a_name_with_odd_characters(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/50% of #1 ä.db", create=True)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    assert (tmp_path / "50% of #1 ä.db").exists()


def test_rows_must_belong_to_somebody(engine: Engine) -> None:
    found(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("DELETE FROM users"))


def test_a_transaction_that_fails_leaves_nothing(engine: Engine) -> None:
    with contextlib.suppress(ZeroDivisionError), engine.begin() as connection:
        connection.execute(text("UPDATE epoch SET value = 99"))
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT value FROM epoch")) == 0


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [("true", pytest.fail.Exception), ("false", pytest.skip.Exception), (None, pytest.skip.Exception)],
)
def test_no_postgresql_is_said_with_the_packages_name(monkeypatch: Any, ci: str | None, outcome: Any) -> None:
    monkeypatch.setattr(plugin, "binaries", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    if ci is not None:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install postgresql"):
        plugin.require()


def test_text_is_text_in_a_database_without_an_encoding(postgres: Postgres) -> None:
    name = "plain"
    postgres.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    engine = open_engine(postgres.url(name))
    try:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 'J\u00f6rg'::text")) == "J\u00f6rg"
    finally:
        engine.dispose()
        postgres.run(f"DROP DATABASE {name}")

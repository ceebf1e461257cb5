"""A real standby beside its primary: what it is believed, and what goes on while either is away."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, make_url, update

from smtpy.config import Settings
from smtpy.directory.entries import Domain
from smtpy.directory.questions import Unavailable
from smtpy.doctor.finding import WARNING
from smtpy.doctor.standby import examine
from smtpy.store.cache import CachedDirectory
from smtpy.store.directory import open_directory
from smtpy.store.engine import open_engine
from smtpy.store.epoch import CHANNEL
from smtpy.store.migrate import upgrade
from smtpy.store.returns import remember
from smtpy.store.schema import Alias
from tests.postgres import Postgres, require
from tests.store.town import Town, changing, found
from tests.waiting import until

DEADLINE = 1.0
PROMISE = 1.0  # seconds in which a change is seen
SECRETS = {"secret_keys": ["k" * 32], "srs_secrets": ["s" * 16], "encryption_keys": ["k" * 32]}
NAMED = {"hostname": "mx.our.example", "postmaster": "me@far.example"}


class Pair:
    """A primary with the town in it, and its standby."""

    def __init__(self, primary: Postgres, standby: Postgres) -> None:
        self.primary, self.standby = primary, standby
        self.engine = open_engine(primary.url("postgres"), deadline=DEADLINE)

    def declare(self, local: str) -> None:
        """A new alias, by way of the primary."""
        with changing(self.engine) as session:
            Town(session).alias(1, 1, local, (1,))

    def follow(self) -> None:
        """The standby has all that the primary has."""
        (at,) = self.primary.run("SELECT pg_current_wal_lsn()")[0]
        until(lambda: self.standby.run(f"SELECT pg_last_wal_replay_lsn() >= '{at}'")[0][0], "replayed", 10.0)

    @contextmanager
    def lagging(self) -> Iterator[None]:
        """The standby replays nothing within."""
        self.standby.run("SELECT pg_wal_replay_pause()")
        until(lambda: self.standby.run("SELECT pg_get_wal_replay_pause_state()") == [("paused",)], "paused", 10.0)
        try:
            yield
        finally:
            self.standby.run("SELECT pg_wal_replay_resume()")

    @contextmanager
    def opened(self, database: str = "", *, watching: bool = True) -> Iterator[CachedDirectory]:
        """The directory of a process of the mail path."""
        urls = {"database_url": database or self.primary.url("postgres"), "standby_url": self.standby.url("postgres")}
        more: dict[str, Any] = {"deadline_seconds": DEADLINE, "epoch_poll_seconds": 0.05}
        directory = open_directory(Settings.model_validate({**NAMED, **SECRETS, **urls, **more}))
        try:
            source: Any = directory._source
            if watching:
                until(lambda: source._heard.alive and source._come.alive, "watching both", 5.0)
            yield directory
        finally:
            directory.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    programs = require()
    primary = Postgres(programs)
    standby = None
    try:
        primary.start()
        engine = open_engine(primary.url("postgres"), deadline=10.0)
        upgrade(engine)
        found(engine)
        engine.dispose()
        standby = Postgres(programs, of=primary)
        standby.start()
        yield primary, standby
    finally:
        if standby:
            standby.close()
        primary.close()


@pytest.fixture
def pair(servers: tuple[Postgres, Postgres]) -> Iterator[Pair]:
    """Both up, and the standby with all there is."""
    made = Pair(*servers)
    made.follow()
    yield made
    made.engine.dispose()
    for each in servers:
        each.resume() if each._process else each.start()


def test_a_standby_refuses_whoever_listens(pair: Pair) -> None:
    """Why it is looked at, several times a second."""
    with pytest.raises(psycopg.Error, match="during recovery"):
        pair.standby.run(f"LISTEN {CHANNEL}")


def ask(directory: Any, local: str = "sales") -> bool:
    """Whether there is such an alias."""
    domain = directory.domain("our.example")
    assert isinstance(domain, Domain)
    return directory.alias(domain, local) is not None


@contextmanager
def asked(pair: Pair) -> Iterator[dict[str, int]]:
    """How many questions each server is put."""
    counted = {"primary": 0, "standby": 0}
    folders = {make_url(pair.primary.url("x")).query["host"]: "primary"}
    folders[make_url(pair.standby.url("x")).query["host"]] = "standby"

    def hear(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "FROM epoch" not in statement:
            counted[folders[connection.engine.url.query["host"]]] += 1

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield counted
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def test_the_standby_is_asked_where_it_has_all_that_is_known_of(pair: Pair) -> None:
    with pair.opened() as directory, asked(pair) as counted:
        assert (ask(directory), ask(directory, "nobody")) == (True, False)
    assert counted == {"primary": 0, "standby": 3}


def test_a_change_is_seen_within_a_second_though_the_standby_lags(pair: Pair) -> None:
    with pair.opened() as directory:
        assert not ask(directory, "new")
        with pair.lagging():
            pair.declare("new")
            until(lambda: ask(directory, "new"), "the new alias", PROMISE)
            with asked(pair) as counted:
                assert not ask(directory, "nobody")
            assert counted["primary"] > 0 == counted["standby"]
            with changing(pair.engine) as session:
                session.execute(update(Alias).where(Alias.local == "new").values(enabled=False))
            domain = directory.domain("our.example")
            assert domain is not None
            until(lambda: (directory.alias(domain, "new") or pytest.fail("lost")).off, "switched off", PROMISE)
        pair.follow()
        source: Any = directory._source
        until(source._has_come_as_far, "noticed", PROMISE)
        with asked(pair) as counted:
            assert not ask(directory, "nobody else")
        assert counted["standby"] > 0 == counted["primary"]


def test_a_sender_is_asked_of_the_primary_where_the_standby_has_none(pair: Pair) -> None:
    """Tokens raise no epoch: a bounce may come back before the standby has heard of the message."""
    with pair.opened() as directory, pair.lagging():
        remember(pair.engine, "t" * 26, "long@far.example", datetime.now(UTC))
        assert directory.sender("t" * 26) == "long@far.example"
        assert directory.sender("u" * 26) is None


@pytest.mark.parametrize("go", [Postgres.stop, Postgres.hang])
def test_the_standby_away(pair: Pair, go: Any) -> None:
    with pair.opened() as directory:
        source: Any = directory._source
        assert ask(directory)
        go(pair.standby)
        until(lambda: not source._come.alive, "loss seen", DEADLINE + 2.0)
        begun = time.monotonic()
        assert (ask(directory), ask(directory, f"nobody of {go.__name__}")) == (True, False)
        assert time.monotonic() - begun < DEADLINE
        pair.standby.resume() if pair.standby._process else pair.standby.start()
        until(source._has_come_as_far, "back", 5.0)


@pytest.mark.parametrize("go", [Postgres.stop, Postgres.hang])
def test_the_primary_away(pair: Pair, go: Any) -> None:
    """Every address is answered, whether or not memory has it, and at once; what is not there is refused as ever."""
    with pair.opened() as directory:
        assert directory.domain("our.example")
        go(pair.primary)
        begun = time.monotonic()
        assert (ask(directory), ask(directory, "nobody")) == (True, False)
        assert directory.domain("foreign.example") is None
        assert time.monotonic() - begun < DEADLINE
        source: Any = directory._source
        until(lambda: not source._heard.alive, "loss seen", DEADLINE + 2.0)
        assert not ask(directory, "nobody else")
        with pytest.raises(Unavailable):
            directory.sender("u" * 26)
        assert ask(directory)


def assert_known(directory: CachedDirectory) -> None:
    """An alias, and that the domain of its mailbox is none of ours, though no other "no" is believed."""
    assert ask(directory)
    assert directory.domain("far.example") is None
    with pytest.raises(Unavailable):
        directory.domain("foreign.example")


def test_the_primary_away_and_the_standby_behind(pair: Pair) -> None:
    """What it knows is believed. What it does not know may have been made since."""
    name = f"late{time.monotonic_ns()}"
    with pair.opened() as directory, pair.lagging():
        pair.declare(name)
        source: Any = directory._source
        until(lambda: not source._has_come_as_far(), "change heard of", PROMISE)
        pair.primary.stop()
        until(lambda: not source._heard.alive, "loss seen", PROMISE)
        for _ in range(3):
            with pytest.raises(Unavailable):
                ask(directory, name)
            assert_known(directory)


def test_a_start_while_the_primary_is_away(pair: Pair) -> None:
    """Nobody knows how far the standby should have come."""
    pair.primary.stop()
    with pair.opened(watching=False) as directory:
        source: Any = directory._source
        until(lambda: source._come.alive, "the standby seen", 5.0)
        for _ in range(3):
            with pytest.raises(Unavailable):
                ask(directory, "nobody")
            assert_known(directory)
        pair.primary.start()
        until(source._has_come_as_far, "the primary heard", 5.0)
        assert not ask(directory, "nobody")


def doctor(pair: Pair, standby: Postgres | None = None, database: str = "postgres") -> tuple[int, str]:
    urls = {"database_url": pair.primary.url("postgres"), "standby_url": (standby or pair.standby).url(database)}
    more: dict[str, Any] = {"deadline_seconds": DEADLINE}
    (found,) = examine(Settings.model_validate({**NAMED, **SECRETS, **urls, **more}))
    return found.code, found.words


def test_the_doctor_looks_at_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor(pair) == (os.EX_OK, "the standby follows the primary")
    assert doctor(pair, pair.primary) == (WARNING, "what standby_url leads to is no standby, or none any more")
    assert doctor(pair, database="nowhere") == (WARNING, "the standby does not answer")
    monkeypatch.setattr("smtpy.doctor.standby.LATE_SECONDS", 0)
    with pair.lagging():
        time.sleep(0.6)  # rounded up to a second
        pair.declare(f"late{time.monotonic_ns()}")
        code, words = doctor(pair)
    assert (code, bool(re.fullmatch(r"the standby is \d+ s behind", words))) == (WARNING, True)
    pair.primary.stop()
    assert doctor(pair) == (os.EX_OK, "the standby follows the primary")


def test_the_doctor_knows_a_copy_of_another_database(pair: Pair, postgres: Postgres) -> None:
    code, words = doctor(pair, postgres)
    assert (code, "another database" in words) == (os.EX_CONFIG, True)


def test_the_standby_becomes_the_primary(pair: Pair) -> None:
    """`database_url` names both, so whoever takes writes is found."""
    second = Postgres(require(), of=pair.primary)
    try:
        second.start()
        hosts = [make_url(each.url("postgres")).query["host"] for each in (pair.primary, second)]
        both = f"postgresql://postgres@/postgres?host={hosts[0]}&host={hosts[1]}&target_session_attrs=read-write"
        there = Pair(pair.primary, second)
        there.follow()
        with there.opened(both) as directory:
            assert ask(directory)
            pair.primary.stop()
            assert not ask(directory, "nobody")
            second.run("SELECT pg_promote()")
            source: Any = directory._source
            until(lambda: source._heard.alive, "the new primary heard", 5.0)
            with changing(directory.engine) as session:
                Town(session).alias(1, 1, "promoted", (1,))
            until(lambda: ask(directory, "promoted"), "the new alias", PROMISE)
    finally:
        second.close()

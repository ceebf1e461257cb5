"""`smtpy worker` as people start it: does what is due, once however many run, and ends when it is told to."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import domains
from smtpy.admin.change import change
from smtpy.config import Settings
from smtpy.store.checks import DomainCheck, Lease
from smtpy.terms import vault_of
from tests.nameserver import Nameserver, silence
from tests.waiting import until
from tests.worker.conftest import ANN, Settle
from tests.worker.published import published

AT_MOST = 10.0  # seconds from SIGTERM to the end, on a busy machine; less than any wait that is cut short takes

Start = Callable[[Settings], "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker with these settings; what still runs at the end is killed."""
    started = []

    def starting(settings: Settings) -> "subprocess.Popen[bytes]":
        secret = {name: " ".join(each.get_secret_value() for each in getattr(settings, name)) for name in SECRETS}
        plain = {name: str(getattr(settings, name)) for name in PLAIN}
        given = (
            secret | plain | {"run_dir": str(tmp_path), "check_resolvers": " ".join(map(str, settings.check_resolvers))}
        )
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SMTPY_")}
        environ |= {f"SMTPY_{name.upper()}": value for name, value in given.items()}
        command = [str(Path(sys.executable).parent / "smtpy"), "worker"]
        with (tmp_path / f"log{len(started)}").open("wb") as log:
            started.append(subprocess.Popen(command, env=environ, stderr=log))
        return started[-1]

    yield starting
    for each in started:
        with contextlib.suppress(ProcessLookupError):
            each.kill()
        each.wait()


SECRETS = ("secret_keys", "srs_secrets", "encryption_keys")
PLAIN = ("hostname", "postmaster", "database_url", "state_dir", "deadline_seconds")


def checked(engine: Engine) -> dict[str, str]:
    """The statuses of our.example."""
    with Session(engine) as session:
        rows = session.scalars(select(DomainCheck).where(DomainCheck.subject == "our.example"))
        return {row.kind: row.status for row in rows}


def log_of(tmp_path: Path, number: int = 0) -> str:
    return (tmp_path / f"log{number}").read_text()


def test_checks_what_is_due_and_ends_when_told(
    house: Engine, settings: Settings, nameserver: Nameserver, start: Start, tmp_path: Path
) -> None:
    nameserver.zone.names |= published(house, settings)
    worker = start(settings)
    until(lambda: len(checked(house)) > 5, "our.example checked")
    assert checked(house)["dkim"] == "ok"
    until(lambda: "check domain=inbox.example" in log_of(tmp_path), "both told")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(AT_MOST) == 0
    lines = log_of(tmp_path).splitlines()
    assert " INFO worker: ready: " in lines[0]
    assert "check domains, rotate keys, purge keys" in lines[0]
    assert sum("check domain=our.example ok=" in line for line in lines) == 1
    assert "Traceback" not in "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_ends_while_dns_hangs_and_leaves_the_work_to_the_next(
    house: Engine, settle: Settle, settings: Settings, nameserver: Nameserver, start: Start, number: signal.Signals
) -> None:
    with silence() as (host, port):
        worker = start(settle(check_resolvers=[f"{host}:{port}"]))
        until(lambda: leased(house), "the lease taken")
        time.sleep(0.5)
        worker.send_signal(number)
        began = time.monotonic()
        assert worker.wait(AT_MOST) == 0
        assert time.monotonic() - began < AT_MOST
    assert checked(house) == {}
    nameserver.zone.names |= published(house, settings)
    start(settings)
    until(lambda: checked(house), "our.example checked by the next", 10.0)


def test_ends_while_the_database_hangs(house: Engine, settle: Settle, start: Start, tmp_path: Path) -> None:
    with house.begin() as connection:  # on SQLite that is the lock itself
        if house.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE leases")
        worker = start(settle(deadline_seconds=30))
        until(lambda: "ready:" in log_of(tmp_path), "ready")
        time.sleep(0.5)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(AT_MOST) == 0
    assert not leased(house)


def leased(engine: Engine) -> bool:
    with Session(engine) as session:
        return session.get(Lease, "check domains") is not None


def test_two_workers_do_not_both_do_a_duty(
    house: Engine, settings: Settings, nameserver: Nameserver, start: Start, tmp_path: Path
) -> None:
    names = [f"d{number}.example" for number in range(12)]
    with change(house, by="test", vault=vault_of(settings)) as c:
        for name in names:
            domains.add(c, name, owner=ANN)
    for _ in range(2):
        start(settings)
    until(lambda: sum(told(tmp_path, number) for number in range(2)) >= 14, "all told")
    time.sleep(1)
    assert sorted(told(tmp_path, number) for number in range(2)) == [0, 14]
    assert sum(kind == "MX" and name == "d7.example" for name, kind, _ in nameserver.asked) == 1


def told(tmp_path: Path, number: int) -> int:
    return log_of(tmp_path, number).count(" check domain=")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_goes_on_when_the_database_comes_back(
    house: Engine, settings: Settings, nameserver: Nameserver, start: Start, tmp_path: Path
) -> None:
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    away = file.with_name("away.db")
    house.dispose()
    file.rename(away)
    worker = start(settings)
    until(lambda: "not done why=" in log_of(tmp_path), "told that the database is away")
    assert worker.poll() is None
    away.rename(file)
    until(lambda: checked(house), "our.example checked", 40.0)

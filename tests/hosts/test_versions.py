"""A database of another version: no service starts on it, and each says what to do. Of several who upgrade one does."""

import os
import sqlite3
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.postgres import Postgres
from tests.stand import SMTPY, WEB
from tests.waiting import free_ports, until

COMMANDS = {**{name: [SMTPY, name] for name in ("lookup", "policy", "milter", "worker")}, "web": [*WEB]}
OTHERS = {"0001": "run `smtpy init`", "9999": "install that version here, too"}
HOSTS = 2


def environ(config: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SMTPY_")}
    return {**inherited, "SMTPY_CONFIG": str(config), "SMTPY_WEB_BIND": f"127.0.0.1:{free_ports(1)[0]}"}


def initiating(folder: Path, *more: str) -> "subprocess.Popen[str]":
    """`smtpy init` under way, for a configuration of its own."""
    folder.mkdir(exist_ok=True)
    words = ("--hostname", "mx.our.example", "--postmaster", "postmaster@inbox.example", "--run-dir", str(folder))
    command = [SMTPY, "init", "--config", str(folder / "smtpy.toml"), *words, *more]
    return subprocess.Popen(
        command, env=environ(folder / "smtpy.toml"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@dataclass(frozen=True, slots=True)
class House:
    """A host with its own database."""

    folder: Path

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        known = environ(self.folder / "smtpy.toml")
        return subprocess.run(command, env=known, capture_output=True, text=True, timeout=20, check=False)

    @contextmanager
    def at(self, revision: str) -> Iterator[None]:
        """The database says it is of that version."""
        with closing(sqlite3.connect(self.folder / "smtpy.db", isolation_level=None)) as database:
            ((now,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
            database.execute("UPDATE alembic_version SET version_num = ?", [revision])
            try:
                yield
                assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(revision,)]
            finally:
                database.execute("UPDATE alembic_version SET version_num = ?", [now])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("house")
    made = initiating(folder, "--state-dir", str(folder))
    told, trouble = made.communicate(timeout=20)
    assert (made.returncode, trouble) == (0, ""), told
    return House(folder)


@pytest.mark.parametrize(("service", "revision"), [*((service, "0001") for service in COMMANDS), ("lookup", "9999")])
def test_no_service_starts_on_another_version(house: House, service: str, revision: str) -> None:
    with house.at(revision):
        ended = house.run(*COMMANDS[service])
    assert ended.returncode == (1 if service == "web" else os.EX_CONFIG), ended.stderr  # 1 is gunicorn's to say
    assert OTHERS[revision] in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(house.folder.glob("*.sock")) == []


def test_metrics_tell_of_another_version(house: House) -> None:
    (port,) = free_ports(1)
    known = {**environ(house.folder / "smtpy.toml"), "SMTPY_METRICS_LISTEN": f"inet:127.0.0.1:{port}"}
    with house.at("9999"), subprocess.Popen([SMTPY, "metrics"], env=known, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: 'smtpy_doctor{subject="database"} 2.0' in visit(port), "told")
        finally:
            process.terminate()


def visit(port: int) -> str:
    """What Prometheus is told; "" before there is anybody to ask."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_a_newer_database_is_not_taken_back(house: House) -> None:
    with house.at("9999"):
        ended = house.run(SMTPY, "init")
    assert (ended.returncode, ended.stdout.count("database")) == (os.EX_CONFIG, 0)
    assert ended.stderr.splitlines()[-1].endswith("install that version here, too")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_several_hosts_that_upgrade_at_once_one_does(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/smtpy.db"
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database()
    words = ("--state-dir", str(tmp_path), "--database-url", url)
    started = [initiating(tmp_path / f"host{number}", *words) for number in range(HOSTS)]
    ended = [(each.communicate(timeout=60), each.returncode) for each in started]
    assert [code for _, code in ended] == [0] * HOSTS, ended
    said = sorted(told.splitlines()[-1] for (told, _), _ in ended)
    assert said == ["created the database", *["the database is up to date"] * (HOSTS - 1)]

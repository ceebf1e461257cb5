"""A private PostgreSQL, as a pytest plugin: one server for the session, a database of its own for whoever asks.

It lies in memory where there is room, else in /tmp, answers on a UNIX socket only, and runs as user postgres when the
tests run as root (it refuses root). Nothing is synced: what it holds is worth nothing after the session. A database is
a thousand files: on a disk it takes ten times as long to make one, which nearly every test of a session does. It goes
with its test: the hundreds of a session would fill the memory, or take minutes to remove from a busy disk.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from tests.waiting import until

PACKAGE = "postgresql"
MEMORY, DISK = Path("/dev/shm"), Path("/tmp")  # noqa: S108 - a folder of its own is made there
ROOM = 1 << 30  # octets; it takes less than a tenth of that
USER = "postgres"


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL that is installed (Debian's places)."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def require() -> Path:
    """The binaries; without them the test fails where tests must be complete (CI=true), and is skipped elsewhere."""
    if found := binaries():
        return found
    words = f"PostgreSQL is not installed: apt-get install {PACKAGE}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


def _place() -> Path:
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM else DISK


class Postgres:
    """A server that can be stopped, hung and started again; a standby `of` another one, if that is named."""

    def __init__(self, programs: Path, of: "Postgres | None" = None) -> None:
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_place()))  # a socket's path is short
        self._as_user: list[str] = []
        self._numbers = count(1)
        self._passing: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._as_user = ["setpriv", f"--reuid={USER}", f"--regid={owner.pw_gid}", "--init-groups"]
        words = ["initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C.UTF-8"]
        if of:
            words = ["pg_basebackup", "--write-recovery-conf", "--checkpoint=fast", f"--dbname={of.url('postgres')}"]
        subprocess.run(
            [*self._as_user, str(programs / words[0]), *words[1:], "--no-sync", "-D", str(self._folder / "data")],
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        """Run it and wait until it answers."""
        settings = ["listen_addresses=", f"unix_socket_directories={self._folder}", "fsync=off", "max_connections=200"]
        settings += ["min_wal_size=32MB", "max_wal_size=64MB"]  # of memory
        settings += ["wal_retrieve_retry_interval=100ms"]  # of a standby, whose primary comes and goes
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._as_user or ["setpriv"]),
                    *("--pdeathsig", "INT", str(self._programs / "postgres"), "-D", str(self._folder / "data")),
                    *(word for setting in settings for word in ("-c", setting)),
                ],
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        until(self._answers, "PostgreSQL ready")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """End it at once: clients lose their connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            self._process = None

    def hang(self) -> None:
        """No process of it does anything any more: connections stay open and silent."""
        self._signal_all(signal.SIGSTOP)

    def resume(self) -> None:
        """End of `hang`."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        pid = self._process.pid  # each backend leads a session of its own, but stays the postmaster's child
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in (pid, *map(int, children)):
            with suppress(ProcessLookupError):  # a backend that was woken may have ended at once
                os.kill(each, number)

    def close(self) -> None:
        """Stop it and take it all away."""
        self.stop()
        shutil.rmtree(self._folder)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self._folder}"

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """One statement outside any transaction; its rows."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=2) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def new_database(self, template: str = "template0", *, kept: bool = False) -> str:
        """The URL of a new database, which lasts as long as the test; as the session, if it is `kept`."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        if not kept:
            self._passing.append(name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Take a database away, whoever uses it."""
        self.run(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def drop_databases(self) -> None:
        """Those which are not kept."""
        while self._passing:
            self.drop(self.url(self._passing.pop()))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Have the tests of the web pages, which run on SQLite, run on PostgreSQL."""
    parser.addoption("--web-on", choices=("sqlite", "postgresql"), default="sqlite", help="the database of tests/web")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The session's server; see `postgres`."""
    server = Postgres(require())
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[Postgres]:
    """The server, up at the start of each test and again at its end, whatever the test does to it."""
    yield postgres_server
    if postgres_server._process is None:
        postgres_server.start()
    postgres_server.drop_databases()

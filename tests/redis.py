"""A private Redis, as a pytest plugin: one server for whoever asks, on a UNIX socket in a short folder of /tmp."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.waiting import free_ports, until

PACKAGE = "redis-server"


def require() -> str:
    """The program; without it the test fails where tests must be complete (CI=true), and is skipped elsewhere."""
    if found := shutil.which(PACKAGE):
        return found
    words = f"Redis is not installed: apt-get install {PACKAGE}"
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


class Redis:
    """A server that keeps nothing, and can be stopped and started again."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        (self.port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.unix_url = f"redis+unix://{self._folder}/redis.sock"

    def start(self) -> None:
        """Run it and wait until it answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", "redis.sock"]
        words += ["--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", self._program, *words, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, "Redis ready")

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def stop(self) -> None:
        """End it at once, with all it counted."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def close(self) -> None:
        """Stop it and take it away."""
        self.stop()
        shutil.rmtree(self._folder)


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """A server that is up."""
    server = Redis(require())
    try:
        server.start()
        yield server
    finally:
        server.close()

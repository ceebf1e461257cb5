"""`make run` as a newcomer meets it: the message arrives, one at a time, and nothing outlives it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stand import ROOT
from tests.waiting import free_ports, until

RUN = [sys.executable, str(Path(__file__).parents[1] / "demo" / "run.py")]


def _ports() -> int:
    """A port which is free, as are those that count from it."""

    def found() -> int | None:
        (first,) = free_ports(1)
        with suppress(OSError, OverflowError):
            for each in (first + 1, first + 53, first + 74):
                socket.create_server(("127.0.0.1", each)).close()
            return first
        return None

    return int(until(found, "free ports"))


def _asked(port: int, path: str) -> tuple[int, str]:
    """Status and words of a page."""
    with urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=10) as answer:
        return answer.status, answer.read().decode()


class Demo:
    """One folder, and what runs on it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="smtpy-demo-"))
        self.folder.chmod(0o755)
        (self.web,) = free_ports(1)
        ports = {"SMTPY_DEMO_PORT": str(_ports()), "SMTPY_DEMO_WEB": str(self.web)}
        self.environ = {**os.environ, **ports, "SMTPY_DEMO_DIR": str(self.folder)}
        self._output = self.folder / "output"

    def start(self) -> None:
        with self._output.open("wb") as out:
            self._process = subprocess.Popen(RUN, env=self.environ, stdout=out, stderr=out, start_new_session=True)

    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def wait_said(self, words: str) -> None:
        until(lambda: words in self.said() or self._process.poll() is not None, words, 60)
        assert words in self.said()

    def stop(self, number: int) -> int:
        self._process.send_signal(number)
        return self._process.wait(30)

    def left(self) -> list[str]:
        """Processes which have the folder in their arguments or in what they were started with."""
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.folder).encode() in (each / "cmdline").read_bytes() + (each / "environ").read_bytes():
                    found.append((each / "cmdline").read_text())
        return found

    def close(self) -> None:
        if self._process.poll() is None:
            self.stop(signal.SIGTERM)
        subprocess.run([*ROOT, "rm", "-rf", str(self.folder)], check=True)


@pytest.fixture
def demo() -> Iterator[Demo]:
    one = Demo()
    one.start()
    yield one
    one.close()


def test_a_message_arrives_and_the_reason_is_shown(demo: Demo) -> None:
    demo.wait_said("(once; as you@inbox.example")
    said = demo.said()
    for words in ("MAIL FROM:<SRS0=", "RCPT TO:<you@inbox.example>", "forward -> you@inbox.example: exact alias"):
        assert words in said
    link = re.search(rf"The web pages: http://localhost:{demo.web}(/auth/first/\S+)", said)
    assert link
    assert _asked(demo.web, link[1])[0] == 200
    assert _asked(demo.web, "/readyz") == (200, "ok\n")
    second = subprocess.run(RUN, env=demo.environ, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "runs already" in second.stderr
    assert demo.stop(signal.SIGINT) == 0
    assert demo.left() == []
    demo.start()
    demo.wait_said("kept")  # secrets and database are those of the first run
    demo.wait_said("Ctrl-C stops everything")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", ["created the database", "postfix.1 started", "hello.1 started"])
def test_stopped_while_starting_it_leaves_nothing(demo: Demo, number: int, moment: str) -> None:
    demo.wait_said(moment)
    assert demo.stop(number) == 0
    assert demo.left() == []


def test_what_is_left_when_it_is_killed_ends_by_itself(demo: Demo) -> None:
    demo.wait_said("hello.1 started")
    assert demo.stop(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not demo.left(), "nothing left", 30)

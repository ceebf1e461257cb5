"""The internet itself: hosts reach each other by name and nobody else, and nothing of it outlives its maker."""

import signal
import subprocess
import sys

import pytest

from tests.judges.internet import REPOSITORY, Internet
from tests.judges.names import Names
from tests.waiting import until

RESOLVED = "import socket; print(socket.gethostbyname('named.example'), socket.getfqdn('203.0.113.99'))"
MAKER = """
import sys
from tests.judges.internet import Internet
with Internet() as internet:
    internet.host("one", 1).start("sleep", "600")
    print(internet.folder, flush=True)
    sys.stdin.read()
"""


def test_hosts_have_names_both_ways(internet: Internet, names: Names) -> None:
    names.host(internet.host("named", 99), "named.example")
    said = internet.hosts["dns"].run(sys.executable, "-c", RESOLVED).decode()
    assert said == "203.0.113.99 named.example\n"


def test_a_host_reaches_nothing_of_the_machine(internet: Internet) -> None:
    links = internet.hosts["dns"].run("ip", "-brief", "link").decode()
    assert [line.split()[0].partition("@")[0] for line in links.splitlines()] == ["lo", "eth0"]
    assert internet.hosts["dns"].run("ip", "route", "show", "default") == b""


@pytest.mark.usefixtures("internet")  # which says so where there can be none
def test_nothing_outlives_its_maker() -> None:
    maker = subprocess.Popen(
        [sys.executable, "-c", MAKER], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert maker.stdin
    assert maker.stdout
    with maker.stdin, maker.stdout:
        folder = maker.stdout.readline().decode().strip()
        assert inside(folder)
        maker.send_signal(signal.SIGKILL)
        maker.wait()
        until(lambda: not inside(folder), "everything ended")
    subprocess.run(["rm", "-rf", folder], check=True)


def inside(folder: str) -> str:
    """The processes that have a file of that folder mounted."""
    grep = ["sh", "-c", f"grep --files-with-matches --no-messages {folder} /proc/[0-9]*/mountinfo"]
    return subprocess.run(grep, capture_output=True, text=True, check=False).stdout

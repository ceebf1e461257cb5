"""The internet that the judges' tests share, made once: a name server, those who judge, and who asks for them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.judges.internet import Host, Internet
from tests.judges.names import Names
from tests.judges.rspamd import Rspamd
from tests.judges.verifiers import Panel

HERE = Path(__file__).parent
LISTS = ("package.json", "package-lock.json", ".npmrc")
OURS = "our.example"


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    """Hosts in namespaces of their own."""
    with Internet() as one:
        yield one


@pytest.fixture(scope="session")
def names(internet: Internet) -> Names:
    """The DNS that all hosts ask."""
    server = Names(internet.host("dns", 53))
    server.start()
    return server


@pytest.fixture(scope="session")
def gmail(internet: Internet, names: Names) -> Host:
    """Where the large receiver is; see `receiver`."""
    host = internet.host("gmail", 20)
    names.host(host, "in.gmail.example")
    return host


@pytest.fixture(scope="session")
def rspamd(gmail: Host) -> Rspamd:
    """It trusts what we have sealed."""
    one = Rspamd(gmail, trusted=(OURS,))
    one.start()
    return one


@pytest.fixture(scope="session")
def node_packages(pytestconfig: pytest.Config) -> Path:
    """The folder with what package-lock.json lists, kept from one session to the next as long as that is the same."""
    folder = pytestconfig.cache.mkdir("judges-node")
    made_of, wanted = folder / "made-of", b"".join((HERE / each).read_bytes() for each in LISTS)
    if not made_of.exists() or made_of.read_bytes() != wanted:
        for each in LISTS:
            copy(HERE / each, folder)
        subprocess.run(["npm", "ci"], cwd=folder, check=True, capture_output=True)
        made_of.write_bytes(wanted)
    return folder


@pytest.fixture(scope="session")
def panel(internet: Internet, rspamd: Rspamd, node_packages: Path) -> Panel:
    """The judges."""
    return Panel(internet.host("verifier", 25), rspamd, node_packages)

"""The internet that the judges' tests share, made once: a name server, those who judge, and who asks for them."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest

from tests.judges.forwarder import Forwarder
from tests.judges.internet import Host, Internet
from tests.judges.names import Names
from tests.judges.passing import CHANGES
from tests.judges.places import Kept, Way
from tests.judges.receiver import Receiver
from tests.judges.rspamd import Rspamd
from tests.judges.sender import Sender
from tests.judges.verifiers import Panel

HERE = Path(__file__).parent
LISTS = ("package.json", "package-lock.json", ".npmrc")
TRUSTED = ("our.example", "other.example")
# Where each alias leads. No keys of keyless.example are in DNS, so that its mail is neither signed nor sealed.
ALIASES = {
    "gmail@our.example": "user@gmail.example",
    "gmail@other.example": "user@gmail.example",
    "gmail@keyless.example": "user@gmail.example",
    "kept@our.example": "user@kept.example",
    "kept@other.example": "user@kept.example",
    "seven@our.example": "user@seven.example",
    **{f"{each}@our.example": f"{each}@list.example" for each in CHANGES},
}


@pytest.fixture(scope="session")
def internet() -> Iterator[Internet]:
    """Hosts in namespaces of their own. Who may not make them fails where tests must be complete (CI=true)."""
    if os.geteuid() != 0:
        words = "hosts in namespaces take root"
        pytest.fail(words) if os.environ.get("CI") == "true" else pytest.skip(words)
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
    """Where the large receiver is."""
    return internet.host("gmail", 20)


@pytest.fixture(scope="session")
def rspamd(gmail: Host) -> Rspamd:
    """It trusts what our domains have sealed."""
    one = Rspamd(gmail, TRUSTED)
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
        done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        made_of.write_bytes(wanted)
    return folder


@pytest.fixture(scope="session")
def panel(internet: Internet, rspamd: Rspamd, node_packages: Path) -> Panel:
    """The judges."""
    return Panel(internet.host("verifier", 25), rspamd, node_packages)


@pytest.fixture(scope="session")
def receiver(gmail: Host, rspamd: Rspamd, names: Names) -> Receiver:
    """gmail.example: refuses what it does not believe."""
    one = Receiver(gmail, "gmail.example", names)
    one.start()
    return one


@pytest.fixture(scope="session")
def kept(internet: Internet, names: Names) -> Kept:
    """kept.example: believes everything."""
    return Kept(internet.host("kept", 21), "kept.example", names)


@pytest.fixture(scope="session")
def seven(internet: Internet, names: Names) -> Kept:
    """seven.example: an old server, whose mail has seven bits."""
    return Kept(internet.host("seven", 22), "seven.example", names, "8BITMIME", "SMTPUTF8")


@pytest.fixture(scope="session")
def sender(internet: Internet, names: Names) -> Sender:
    """alice@sender.example."""
    return Sender(internet.host("sender", 30), internet.host("thief", 31), "sender.example", names)


@pytest.fixture(scope="session")
def way(internet: Internet, names: Names, receiver: Receiver, sender: Sender) -> Way:
    """list.example: changes what comes and passes it on to gmail.example. It seals as itself, with the sender's key."""
    names.publish(*(each for each in sender.key.records("list.example") if each.startswith("rsa.")))
    return Way(internet.host("list", 40), "list.example", names, "in.gmail.example", sender.key.pem)


@pytest.fixture(scope="session")
def forwarder(internet: Internet, names: Names) -> Forwarder:
    """SMTPy."""
    one = Forwarder(internet.host("smtpy", 10), "mx.our.example", ALIASES, keyless=("keyless.example",))
    one.start(names)
    return one

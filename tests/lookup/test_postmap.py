"""`smtpy lookup` and `smtpy policy` as processes, asked by Postfix's own socketmap client: postmap -q."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smtpy.admin import aliases, domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.store.engine import open_engine
from tests.waiting import until

SMTPY = str(Path(sys.executable).parent / "smtpy")
SECRET = "inbox.example"


@dataclass
class Site:
    """An installation in a folder: configuration, database, sockets, and a main.cf that says nothing."""

    folder: Path

    def smtpy(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [SMTPY, "--config", str(self.folder / "smtpy.toml"), *words]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60, check=False)

    def start(self, service: str) -> subprocess.Popen[str]:
        """The service, when it says that it is ready."""
        command = ["setpriv", "--pdeathsig", "KILL", SMTPY, "--config", str(self.folder / "smtpy.toml"), service]
        log = self.folder / f"{service}.log"
        log.write_text("")
        with log.open("a") as out:
            process = subprocess.Popen(command, env=self.environ, stderr=out, text=True)
        try:
            until(lambda: process.poll() is not None or "ready" in log.read_text(), f"{service} ready")
            assert process.poll() is None, log.read_text()
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def postmap(self, table: str, key: str) -> tuple[int, str]:
        """What `postmap -q` exits with and prints: (0, value), (1, "") or (1, why it failed)."""
        query = ["postmap", "-c", str(self.folder / "postfix"), "-q", key, f"socketmap:unix:{self.socket}:{table}"]
        asked = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
        return asked.returncode, (asked.stdout or asked.stderr).strip()

    @property
    def socket(self) -> Path:
        return self.folder / "run" / "lookup.sock"

    @property
    def environ(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("SMTPY_")}


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(number)
    return process.wait(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    (site.folder / "run").mkdir()
    (site.folder / "postfix").mkdir()
    (site.folder / "postfix" / "main.cf").write_text("compatibility_level = 3.6\nsmtputf8_enable = yes\n")
    settings = {"hostname": "mx.our.example", "postmaster": f"postmaster@{SECRET}"}
    folders = {"state-dir": str(site.folder / "state"), "run-dir": str(site.folder / "run")}
    options = [f"--{key}={value}" for key, value in {**settings, **folders}.items()]
    made = site.smtpy("init", *options)
    assert made.returncode == 0, made.stderr
    engine = open_engine(f"sqlite:///{site.folder}/state/smtpy.db")
    with change(engine, by="test") as c:
        members.add(c, "ann@people.example")
        for name in ("ann", '"b, b"'):
            mailboxes.add(c, f"{name}@{SECRET}", owner="ann@people.example", verified=True)
        for name in ("our.example", "bücher.example"):
            domains.add(c, name, owner="ann@people.example")
        for address in ("sales@our.example", "jörg@our.example", '"a b"@our.example', "sales@bücher.example"):
            aliases.add(c, address, to=(f"ann@{SECRET}",))
        aliases.add(c, "team@our.example", to=(f"ann@{SECRET}", f'"b, b"@{SECRET}'))
        aliases.add(c, "closed@our.example", to=(f"ann@{SECRET}",))
        aliases.off(c, "closed@our.example")
    engine.dispose()
    return site


@pytest.fixture(scope="module")
def lookup(site: Site) -> Iterator[Site]:
    process = site.start("lookup")
    try:
        yield site
    finally:
        assert stop(process) == 0
    assert not site.socket.exists()


ANN = f"ann@{SECRET}"
FOUND = {
    ("aliases", "sales@our.example"): ANN,
    ("aliases", "SALES+x@Our.Example"): ANN,
    ("aliases", "jörg@our.example"): ANN,
    ("aliases", '"a b"@our.example'): ANN,
    ("aliases", "sales@bücher.example"): ANN,
    ("aliases", "sales@xn--bcher-kva.example"): ANN,
    ("aliases", "team@our.example"): f'{ANN}, "b, b"@{SECRET}',
    ("aliases", "postmaster@mx.our.example"): f"postmaster@{SECRET}",
    ("domains", "our.example"): "our.example",
    ("domains", "bücher.example"): "xn--bcher-kva.example",
    ("domains", "mx.our.example"): "mx.our.example",
}
NOT_FOUND = (
    ("aliases", "nobody@our.example"),
    ("aliases", "closed@our.example"),
    ("aliases", "x@elsewhere.example"),
    ("aliases", "a%b@our.example"),
    ("aliases", "sales"),
    ("domains", "elsewhere.example"),
    ("domains", "sub.our.example"),
)


@pytest.mark.parametrize(("asked", "value"), FOUND.items(), ids=[" ".join(each) for each in FOUND])
def test_postmap_finds(lookup: Site, asked: tuple[str, str], value: str) -> None:
    assert lookup.postmap(*asked) == (0, value)


@pytest.mark.parametrize("asked", NOT_FOUND, ids=" ".join)
def test_postmap_does_not_find(lookup: Site, asked: tuple[str, str]) -> None:
    assert lookup.postmap(*asked) == (1, "")


def test_postmap_hears_that_a_table_is_none(lookup: Site) -> None:
    status, said = lookup.postmap("nonesuch", "sales@our.example")
    assert status == 1
    assert "no such table" in said


def test_a_second_service_is_refused_and_the_first_goes_on(lookup: Site) -> None:
    second = lookup.smtpy("lookup")
    assert second.returncode == os.EX_UNAVAILABLE
    assert "in use" in second.stderr
    assert lookup.postmap("aliases", "sales@our.example") == (0, ANN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_policy_service_ends_when_told_and_starts_again_when_killed(site: Site, number: signal.Signals) -> None:
    assert stop(site.start("policy"), signal.SIGKILL) == -signal.SIGKILL
    process = site.start("policy")  # on the socket left behind
    with socket.socket(socket.AF_UNIX) as idle:
        idle.connect(str(site.folder / "run" / "policy.sock"))
        assert stop(process, number) == 0
    assert not (site.folder / "run" / "policy.sock").exists()


def test_a_refusal_of_a_declared_address_is_in_the_journal(site: Site) -> None:
    process = site.start("policy")
    lines = "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=\nclient_address=192.0.2.1\nrecipient={}\n\n"
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(site.folder / "run" / "policy.sock"))
        for recipient in ("closed@our.example", "nobody@our.example"):
            connection.sendall(lines.format(recipient).encode())
            assert connection.recv(1000).startswith(b"action=550 5.")
    assert stop(process) == 0
    (entry,) = json.loads(site.smtpy("log", "--json").stdout)
    assert (entry["stage"], entry["verdict"], entry["client"]) == ("rcpt", "refuse", "192.0.2.1")
    assert entry["recipients"][0]["key"] == "closed@our.example"
    assert site.folder.joinpath("policy.log").read_text().count("NOQUEUE") == 2

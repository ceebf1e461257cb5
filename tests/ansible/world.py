"""A small world for hosts that systemd has booted: a wire, a DNS, the mailbox's server, and somebody who certifies.

Everything lives in namespaces of one `unshare`, which die with it: a Debian for each host by systemd-nspawn, over a
tree that all of them share (an overlay each), in a network of its own without a way out. The rest of the world is this
process, on the other end of the wire, and pebble, the test server of Let's Encrypt's makers.

    SMTPY_ANSIBLE_DIR   where the tree is kept, 1 GB; default /var/cache/smtpy-ansible
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.dns import Zone
from tests.nameserver import Nameserver

TREE = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SMTPY_ANSIBLE_DIR") or "/var/cache/smtpy-ansible")
INSIDE = "SMTPY_ANSIBLE_INSIDE"  # set in the namespaces
HOSTS = FOLDER / "hosts"
WORLD = "203.0.113.1"
ACME, ROOTS = f"https://{WORLD}:14000/dir", f"https://{WORLD}:15000/roots/0"
MAILBOX, SENDER = "me@inbox.example", "friend@sender.example"
PEERS = {
    "inbox.example": {"MX": [(10, "mail.inbox.example")]},
    "mail.inbox.example": {"A": [WORLD]},
    "sender.example": {"MX": [(10, "mail.sender.example")], "TXT": [f"v=spf1 ip4:{WORLD} -all"]},
    "mail.sender.example": {"A": [WORLD]},
}
CGROUPS = {"name=systemd": Path("/sys/fs/cgroup/systemd"), "": Path("/sys/fs/cgroup/unified")}


class Otherwise(Exception):
    """What was expected, and what was found."""


@dataclass(frozen=True)
class Host:
    """A Debian on the wire."""

    name: str
    address: str

    def ssh(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command on it, as root."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "LogLevel=ERROR")
        words = ["ssh", "-i", str(FOLDER / "key"), *(f"-o{each}" for each in options), f"root@{self.address}", command]
        return subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def does(self, command: str) -> str:
        """A command on it that ends well; what it says. Raises Otherwise."""
        done = self.ssh(command)
        if done.returncode:
            raise Otherwise(f"{self.name}: {command}: {done.stdout}{done.stderr}")
        return done.stdout.strip()


class World:
    """What has arrived, and a way to take a host off the wire."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, bytes]] = []  # recipient, message
        self.running: dict[Host, ExitStack] = {}

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """The mailbox's server takes everything."""
        self.arrived += [(each, bytes(envelope.original_content or b"")) for each in envelope.rcpt_tos]
        return "250 2.0.0 Ok: kept"

    def stop(self, host: Host) -> None:
        """Power it off."""
        self.running.pop(host).close()


def apart(arguments: Sequence[str]) -> int:
    """This program again, in namespaces of its own; its status. What it leaves in the cgroups is removed."""
    flags = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private", "--mount-proc")
    command = ["unshare", *flags, sys.executable, "-m", "tests.ansible.converge", *arguments]
    try:
        return subprocess.run(command, check=False, env={**os.environ, INSIDE: "1"}).returncode
    finally:
        shutil.rmtree(HOSTS, ignore_errors=True)
        for group in (group for mine in own_cgroups() for group in mine.glob("smtpy-*")):
            for each in (*sorted(group.rglob("*/"), reverse=True), group):
                with contextlib.suppress(OSError):
                    each.rmdir()


def own_cgroups() -> Iterator[Path]:
    """Those that systemd in a host wants a part of; no others, so that limits hold as they do for this process."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kind, path = line.split(":", 2)
        top = CGROUPS.get(kind)
        if top is not None:
            top = top if top.is_dir() else Path("/sys/fs/cgroup")  # where there are none but of version 2
            yield top / path.lstrip("/")


@contextlib.contextmanager
def world(hosts: Sequence[Host]) -> Iterator[World]:
    """All of it, for the time of the block."""
    Path("/run/netns").mkdir(exist_ok=True)
    run("mount -t tmpfs tmpfs /run/netns")
    run("ip link set lo up")
    run("ip link add wire type bridge")
    run(f"ip addr add {WORLD}/32 dev wire")
    run("ip link set wire up")
    run("ip route add default dev wire")  # whoever it is: on the wire
    one = World()
    with ExitStack() as stack:
        smtp = Controller(one, hostname=WORLD, port=25)
        smtp.start()
        stack.callback(smtp.stop)
        zone = Zone({**PEERS, **{host.name: {"A": [host.address]} for host in hosts}})
        stack.enter_context(Nameserver(zone, host=WORLD, port=53))
        stack.enter_context(certifier())
        for host in hosts:
            one.running[host] = stack.enter_context(ExitStack())
            one.running[host].enter_context(booted(host))
        for host in hosts:
            wait_for(lambda host=host: host.ssh("true").returncode == 0, f"{host.name} to answer by SSH", 60)
        yield one


@contextlib.contextmanager
def booted(host: Host) -> Iterator[None]:
    """A copy of the base on the wire, with systemd as its first process."""
    name = host.name.partition(".")[0]
    run(f"ip netns add {name}")
    run(f"ip link add name {name} master wire type veth peer name eth0 netns {name}")
    run(f"ip link set dev {name} up")
    for command in (f"addr add {host.address}/32 dev eth0", "link set eth0 up", "link set lo up"):
        run(f"ip -n {name} {command}")
    run(f"ip -n {name} route add default dev eth0")
    command = ["systemd-nspawn", "--quiet", "--boot", f"--machine={name}", "-D", str(rooted(host, HOSTS / name))]
    command += ["--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off", "--capability=CAP_NET_ADMIN"]
    command += [f"--network-namespace-path=/run/netns/{name}"]
    # Each in a cgroup of its own: nspawn makes two below, by names that are always the same.
    groups = [each / f"smtpy-{name}" for each in own_cgroups()]
    for each in groups:
        each.mkdir(exist_ok=True)
    enter = "; ".join(f"echo $$ >{each}/cgroup.procs" for each in groups)
    with (FOLDER / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", f'{enter}; exec "$@"', "sh", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)  # systemd-nspawn powers it off
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def rooted(host: Host, folder: Path) -> Path:
    """Its file system: what it writes lies over the base, which stays as it is."""
    shutil.rmtree(folder, ignore_errors=True)
    for each in ("upper", "work", "root"):
        (folder / each).mkdir(parents=True)
    layers = f"lowerdir={FOLDER}/base,upperdir={folder}/upper,workdir={folder}/work"
    run(f"mount -t overlay overlay -o {layers} {folder}/root")
    etc, trusted = folder / "root/etc", folder / "root/usr/local/share/ca-certificates"
    (etc / "resolv.conf").unlink(missing_ok=True)
    (etc / "resolv.conf").write_text(f"nameserver {WORLD}\n")
    (etc / "hostname").write_text(f"{host.name}\n")
    trusted.mkdir(parents=True, exist_ok=True)
    shutil.copy(FOLDER / "acme.pem", trusted / "acme.crt")
    return folder / "root"


@contextlib.contextmanager
def certifier() -> Iterator[None]:
    """pebble at ACME, who looks whether a name is ours on port 80, as Let's Encrypt does. Hosts trust its own HTTPS."""
    paths = {"certificate": str(FOLDER / "acme.pem"), "privateKey": str(FOLDER / "acme.key")}
    name = ("-subj", f"/CN={WORLD}", "-addext", f"subjectAltName=IP:{WORLD}")
    key = ("-newkey", "rsa:2048", "-keyout", paths["privateKey"], "-out", paths["certificate"])
    subprocess.run(["openssl", "req", "-x509", "-noenc", "-days", "9", *name, *key], check=True, capture_output=True)
    ports = {
        "listenAddress": f"{WORLD}:14000",
        "managementListenAddress": f"{WORLD}:15000",
        "httpPort": 80,
        "tlsPort": 443,
    }
    (FOLDER / "pebble.json").write_text(json.dumps({"pebble": {**paths, **ports}}))
    words = ["pebble", "-config", str(FOLDER / "pebble.json"), "-dnsserver", f"{WORLD}:53"]
    environ = {**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with (FOLDER / "pebble.log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def note(words: str) -> None:
    """Something for who watches."""
    print(words, flush=True)


def run(command: str) -> None:
    """One step here; its own words if it fails."""
    subprocess.run(command.split(), check=True)


def wait_for(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Until it is true. Raises Otherwise."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Otherwise(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)

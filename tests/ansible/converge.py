"""`make ansible-test`: ansible/ against a Debian 12 that systemd has booted, from bare to a message forwarded.

    the playbook, then again: changed=0, and with --check: changed=0
    every unit runs, none fails, and none is more exposed than EXPOSURE (`systemd-analyze security`)
    a message comes in by SMTP with STARTTLS, and arrives at the mailbox's server; what is to be closed is closed
    another release goes in force, after a backup, and the one before comes back; but not if the schema has gone ahead
    the same host with PostgreSQL and Redis, filled from that backup, forwards too

The host is a systemd-nspawn in a network of its own, without a way out; DNS and the mailbox's server are in this
process, on the other end of the wire. Everything lives in namespaces of one `unshare`, which dies with it. Wants root,
and what `requirements/debian ansible` installs. The last words are OK, or what was otherwise.

    SMTPY_ANSIBLE_DIR   where the base is kept, 1 GB; default /var/cache/smtpy-ansible
"""

import contextlib
import os
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pyrage import x25519

from tests.dns import Zone
from tests.nameserver import Nameserver

TREE = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SMTPY_ANSIBLE_DIR") or "/var/cache/smtpy-ansible")
INSIDE = "SMTPY_ANSIBLE_INSIDE"  # set in the namespaces
NAME, HOST, WORLD = "mx.you.example", "203.0.113.25", "203.0.113.1"
DOMAIN, ALIAS, MAILBOX, SENDER = "you.example", "shop@you.example", "me@inbox.example", "friend@sender.example"
ZONE = {
    "inbox.example": {"MX": [(10, "mail.inbox.example")]},
    "mail.inbox.example": {"A": [WORLD]},
    "sender.example": {"MX": [(10, "mail.sender.example")], "TXT": [f"v=spf1 ip4:{WORLD} -all"]},
    "mail.sender.example": {"A": [WORLD]},
    NAME: {"A": [HOST]},
}
IDENTITY = x25519.Identity.generate()
PASSWORD = "a-password-of-the-test"
INVENTORY = f"""
mx:
  hosts:
    {NAME}:
      ansible_host: {HOST}
      ansible_user: root
      ansible_ssh_private_key_file: {FOLDER}/key
      ansible_ssh_common_args: -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
  vars:
    smtpy_postmaster: {MAILBOX}
    backup_recipients: [{IDENTITY.to_public()}]
"""
# The same host with a database and counters that others could share.
SHARED = f"""
    postgres_clients: [{WORLD}]
    redis_clients: [{WORLD}]
    vault_postgres_password: {PASSWORD}
    vault_redis_password: {PASSWORD}
    vault_database_url: postgresql://smtpy:{PASSWORD}@127.0.0.1/smtpy?sslmode=require
    vault_limits_url: redis://:{PASSWORD}@127.0.0.1:6379
database: {{hosts: {{{NAME}: }}}}
counters: {{hosts: {{{NAME}: }}}}
"""
EXPOSURE = {"lookup": 2.0, "policy": 2.0, "milter": 2.0, "worker": 2.0, "web": 2.0, "queue": 4.0, "metrics": 2.0}
SAY = "UPDATE alembic_version SET version_num = ?"
OPEN, CLOSED = (22, 25), 8099


class Otherwise(Exception):
    """What was expected, and what was found."""


def main() -> None:
    """In the first process: what needs the network. In the second: everything else."""
    if os.geteuid() != 0:
        sys.exit("this boots a Debian, which takes root: run it with sudo")
    if INSIDE not in os.environ:
        subprocess.run([TREE / "tests/ansible/base", FOLDER], check=True, env={**os.environ, "PYTHON": sys.executable})
        sys.exit(apart())
    try:
        with world() as arrived:
            check(arrived)
    except Otherwise as found:
        sys.exit(f"NOT OK: {found}")
    print("OK")


def apart() -> int:
    """This program again, in namespaces of its own; its status. What it leaves in the cgroups is removed."""
    flags = ("--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private", "--mount-proc")
    command = ["unshare", *flags, sys.executable, "-m", "tests.ansible.converge"]
    try:
        return subprocess.run(command, check=False, env={**os.environ, INSIDE: "1"}).returncode
    finally:
        shutil.rmtree(FOLDER / "host", ignore_errors=True)
        for name in ("payload", "supervisor"):
            for top in (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")):
                remove_groups(top / name)


def remove_groups(group: Path) -> None:
    """An empty cgroup, and those below it."""
    if not group.is_dir():
        return
    for each in sorted(group.rglob("*/"), reverse=True):
        with contextlib.suppress(OSError):
            each.rmdir()
    with contextlib.suppress(OSError):
        group.rmdir()


@contextlib.contextmanager
def world() -> Iterator[list[tuple[str, bytes]]]:
    """The host, DNS and a mailbox's server, for the time of the block; what has arrived: recipient, message."""
    Path("/run/netns").mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "tmpfs", "/run/netns")
    for command in (
        "ip link set lo up",
        "ip netns add host",
        "ip link add wire type veth peer name eth0 netns host",
        f"ip addr add {WORLD}/24 dev wire",
        "ip link set wire up",
        f"ip -n host addr add {HOST}/24 dev eth0",
        "ip -n host link set eth0 up",
        "ip -n host link set lo up",
        f"ip -n host route add default via {WORLD}",
    ):
        run(*command.split())
    arrived: list[tuple[str, bytes]] = []
    server = Controller(Inbox(arrived), hostname=WORLD, port=25)
    server.start()
    try:
        with Nameserver(Zone(ZONE), host=WORLD, port=53), host():
            yield arrived
    finally:
        server.stop()


class Inbox:
    """Takes everything."""

    def __init__(self, arrived: list[tuple[str, bytes]]) -> None:
        self.arrived = arrived

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """One message: kept."""
        self.arrived += [(each, bytes(envelope.original_content or b"")) for each in envelope.rcpt_tos]
        return "250 2.0.0 Ok: kept"


@contextlib.contextmanager
def host() -> Iterator[None]:
    """A copy of the base, booted."""
    root = FOLDER / "host"
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", FOLDER / "base", root)
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text(f"nameserver {WORLD}\n")
    (root / "etc/hostname").write_text(f"{NAME}\n")
    command = ["systemd-nspawn", "--quiet", "--boot", "-D", root, "--register=no", "--keep-unit", "--console=pipe"]
    command += ["--network-namespace-path=/run/netns/host", "--resolv-conf=off", "--capability=CAP_NET_ADMIN"]
    with (FOLDER / "console.log").open("wb") as log:
        booted = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for(lambda: ssh("true").returncode == 0, "the host to answer by SSH", 60)
            yield
        finally:
            booted.send_signal(signal.SIGTERM)  # systemd-nspawn powers it off
            with contextlib.suppress(subprocess.TimeoutExpired):
                booted.wait(30)
            booted.kill()
            booted.wait()


def check(arrived: list[tuple[str, bytes]]) -> None:
    """All that the head of this file says."""
    tree = FOLDER / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    run("git", "clone", "-q", TREE, tree)
    inventory(INVENTORY)
    expect_changes("site.yml", "the first run", lambda number: number > 10)
    expect_changes("site.yml", "the second run", lambda number: number == 0)
    expect_changes("site.yml", "--check", lambda number: number == 0, "--check", "--diff")
    units_run()
    ports_are_right(*OPEN)
    declare()
    forwarded(arrived)
    releases(tree)
    forwarded(arrived)
    shared(arrived)


def expect_changes(playbook: str, what: str, right: Callable[[int], bool], *more: str) -> None:
    """A playbook that ends well, with the right number of changes."""
    began = time.monotonic()
    done = play(playbook, *more)
    found = re.search(rf"{re.escape(NAME)} +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", done.stdout)
    if not found or not right(int(found[1])):
        raise Otherwise(f"{what}:\n{done.stdout}{done.stderr}")
    print(f"{what}: changed={found[1]} in {time.monotonic() - began:.0f} s", flush=True)


def shared(arrived: list[tuple[str, bytes]]) -> None:
    """PostgreSQL and Redis in the place of a file and of memory, by passwords out of the vault."""
    inventory(INVENTORY + SHARED)
    expect_changes("site.yml", "with PostgreSQL and Redis", lambda number: number > 5)
    expect_changes("site.yml", "again", lambda number: number == 0)
    units_run()
    ports_are_right(*OPEN, 5432, 6379)
    come_back()
    forwarded(arrived)


def come_back() -> None:
    """What was declared, out of the backup from before the upgrade, into the database that is empty."""
    ssh(f"umask 077; echo {IDENTITY} >/root/backup-key.txt; systemctl stop smtpy.target")
    done = ssh("smtpy restore /var/backups/smtpy/before-*.age --identity /root/backup-key.txt")
    if done.returncode:
        raise Otherwise(f"smtpy restore: {done.stdout}{done.stderr}")
    ssh("systemctl start smtpy.target")
    print("restored", flush=True)


def inventory(text: str) -> None:
    """What is played upon from now on."""
    (FOLDER / "inventory.yml").write_text(text)


def play(playbook: str, *more: str) -> subprocess.CompletedProcess[str]:
    """ansible-playbook, from the tree that is a clone."""
    command = ["ansible-playbook", "-i", str(FOLDER / "inventory.yml"), playbook, *more]
    return subprocess.run(command, cwd=FOLDER / "tree/ansible", capture_output=True, text=True, check=False)


def units_run() -> None:
    """Nothing has failed; every service runs, behind walls."""
    failed = ssh("systemctl --failed --no-legend --plain").stdout.split()
    if failed:
        raise Otherwise(f"units failed: {failed}\n{ssh('journalctl -b -p warning --no-pager | tail -50').stdout}")
    for name, most in EXPOSURE.items():
        unit = f"smtpy-{name}.service"
        if ssh(f"systemctl is-active {unit}").stdout.strip() != "active":
            raise Otherwise(f"{unit} does not run:\n{ssh(f'journalctl -u {unit} --no-pager | tail -30').stdout}")
        said = ssh(f"systemd-analyze security --no-pager {unit} | tail -1").stdout
        exposure = float(re.findall(r"(\d+\.\d)", said)[0])
        print(f"{unit}: exposure {exposure}", flush=True)
        if exposure > most:
            raise Otherwise(f"{unit} is exposed by {exposure}, more than {most}")


def ports_are_right(*open_: int) -> None:
    """From the world these answer, and one does not on which somebody listens."""
    ssh(f"systemd-run --quiet --collect --unit=listener python3 -m http.server {CLOSED}")
    there = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {CLOSED}))'"
    wait_for(lambda: ssh(there).returncode == 0, "somebody to listen", 10)
    for port in (*open_, CLOSED):
        with socket.socket() as probe:
            probe.settimeout(2)
            answers = probe.connect_ex((HOST, port)) == 0
        if answers is not (port in open_):
            raise Otherwise(f"port {port} {'answers' if answers else 'does not answer'}")
    ssh("systemctl stop listener")
    print(f"to the world {', '.join(map(str, open_))} are open", flush=True)


def declare() -> None:
    """A person, a domain, a mailbox, an alias, by the command as root."""
    for command in (
        f"user add {MAILBOX}",
        f"domain add {DOMAIN} --owner {MAILBOX}",
        f"mailbox add {MAILBOX} --owner {MAILBOX}",
        f"alias add {ALIAS} --to {MAILBOX}",
    ):
        done = ssh(f"smtpy {command}")
        if done.returncode:
            raise Otherwise(f"smtpy {command}: {done.stdout}{done.stderr}")


def forwarded(arrived: list[tuple[str, bytes]]) -> None:
    """A message to the alias arrives at the mailbox, and the journal knows what became of it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, ALIAS, "Hello"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="sender.example")
    message.set_content("How do you do?\n")
    wait_for(lambda: send(message), "the message to be taken", 30)
    text = str(message["Message-ID"]).encode()
    wait_for(lambda: any(to == MAILBOX and text in octets for to, octets in arrived), "the message to arrive", 30)
    known = f"smtpy log {shell(str(message['Message-ID']))}"
    wait_for(lambda: "delivered" in ssh(known).stdout, "the journal to say that it was delivered", 30)
    print("forwarded", flush=True)


def send(message: EmailMessage) -> bool:
    """By SMTP, after STARTTLS; False: later."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # its certificate is its own
    try:
        with smtplib.SMTP(HOST, 25, "mail.sender.example", timeout=20) as client:
            client.starttls(context=context)
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        print(f"later: {error}", flush=True)
        return False
    return True


def releases(tree: Path) -> None:
    """One more in force, the one before again, and the refusal where the schema has gone ahead."""
    first = in_force()
    nobody = ("-c", "user.name=test", "-c", "user.email=test@you.example")
    run("git", "-C", tree, *nobody, "commit", "-q", "--allow-empty", "-m", "another release")
    expect_changes("upgrade.yml", "the upgrade", lambda number: number > 0)
    second = in_force()
    if not ssh("ls /var/backups/smtpy/before-*.age").stdout:
        raise Otherwise("there is no backup from before the upgrade")
    if first == second:
        raise Otherwise(f"the upgrade left {first} in force")
    expect_changes("rollback.yml", "the rollback", lambda number: number > 0)
    if in_force() != first:
        raise Otherwise(f"the rollback left {in_force()} in force, not {first}")
    head = ssh(
        f"cd / && /opt/smtpy/current/bin/python -c {shell('from smtpy.store.migrate import head; print(head())')}"
    )
    pretend("9999")
    refused = play("rollback.yml")
    pretend(head.stdout.strip())
    if refused.returncode == 0 or "schema_back=true" not in refused.stdout or in_force() != first:
        raise Otherwise(f"a schema ahead was not refused:\n{refused.stdout}{refused.stderr}")
    print("a schema ahead is refused", flush=True)


def pretend(revision: str) -> None:
    """Have the database say that it is at this revision."""
    database = "sqlite3.connect('/var/lib/smtpy/smtpy.db', isolation_level=None)"
    ssh(f"python3 -c {shell(f'import sqlite3; {database}.execute({SAY!r}, ({revision!r},))')}")


def in_force() -> str:
    """The release that `current` leads to."""
    return ssh("readlink /opt/smtpy/current").stdout.strip()


def ssh(command: str) -> subprocess.CompletedProcess[str]:
    """A command on the host, as root."""
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "LogLevel=ERROR")
    words = ["ssh", "-i", str(FOLDER / "key"), *(f"-o{each}" for each in options), f"root@{HOST}", command]
    return subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def shell(word: str) -> str:
    """A word as a shell takes it."""
    return "'" + word.replace("'", "'\\''") + "'"


def run(*command: str | Path) -> None:
    """One step here; its own words if it fails."""
    subprocess.run(command, check=True)


def wait_for(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Until it is true. Raises Otherwise."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Otherwise(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.5)


if __name__ == "__main__":
    main()

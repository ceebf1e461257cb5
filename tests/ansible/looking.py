"""What a host that was played upon has to do: its units run behind walls, ports are right, and mail is forwarded."""

import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

import yaml

from tests.ansible.world import MAILBOX, SENDER, TREE, Host, Otherwise, World, note, wait_for

DOMAIN, ALIAS = "you.example", "shop@you.example"
DEFAULTS = yaml.safe_load(Path(TREE, "ansible/roles/smtpy/defaults/main.yml").read_text())
# By `systemd-analyze security`; the queue helper is root, with few of its rights.
EXPOSURE = {name: 4.0 if name == "queue" else 2.0 for name in DEFAULTS["smtpy_units"]}
CLOSED = 8099


def units_run(host: Host) -> None:
    """Nothing has failed; every service runs, and is not more exposed than EXPOSURE."""
    if failed := host.ssh("systemctl --failed --no-legend --plain").stdout.split():
        raise Otherwise(
            f"{host.name}: failed: {failed}\n{host.ssh('journalctl -b -p warning --no-pager | tail -50').stdout}"
        )
    for name, most in EXPOSURE.items():
        unit = f"smtpy-{name}.service"
        if host.ssh(f"systemctl is-active {unit}").stdout.strip() != "active":
            raise Otherwise(f"{unit} does not run:\n{host.ssh(f'journalctl -u {unit} --no-pager | tail -30').stdout}")
        said = host.does(f"systemd-analyze security --no-pager {unit} | tail -1")
        if (exposure := float(re.findall(r"(\d+\.\d)", said)[0])) > most:
            raise Otherwise(f"{unit} is exposed by {exposure}, more than {most}")


def pages_lack_nothing(host: Host) -> None:
    """Database, counters and all services answer the web process, once the worker has looked about."""
    asked = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').read().decode())"
    wait_for(lambda: host.ssh(f'python3 -c "{asked}"').stdout.strip() == "ok", f"{host.name} to lack nothing", 60)


def kept_up_to_date(host: Host) -> None:
    """Updates are looked for each day, and both programs start with what they were given."""
    for setting in ("Update-Package-Lists", "Unattended-Upgrade"):
        said = host.does(f"apt-config dump APT::Periodic::{setting}")
        if '"1"' not in said:
            raise Otherwise(f"{host.name}: {said}")
    host.does("unattended-upgrade --dry-run")
    if "NEEDRESTART-VER" not in (said := host.does("needrestart -b -r l")):
        raise Otherwise(f"{host.name}: needrestart says {said}")


def ports_are_right(host: Host, open_: Sequence[int], shut: Sequence[int] = ()) -> None:
    """From the world these answer, and those do not, though somebody listens there; nor does one more."""
    host.does(f"systemd-run --quiet --collect --unit=listener python3 -m http.server {CLOSED}")
    for port in (CLOSED, *shut):
        there = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'"
        wait_for(lambda there=there: host.ssh(there).returncode == 0, "somebody to listen", 10)
    for port in (*open_, *shut, CLOSED):
        if answers(host, port) is not (port in open_):
            raise Otherwise(f"{host.name}: port {port} is {'open' if port not in open_ else 'closed'}")
    host.does("systemctl stop listener")


def answers(host: Host, port: int) -> bool:
    """Whether a connection from the world comes about."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((host.address, port)) == 0


def declare(host: Host) -> None:
    """A person, a domain, a mailbox, an alias, by the command as root."""
    for command in (
        f"user add {MAILBOX}",
        f"domain add {DOMAIN} --owner {MAILBOX}",
        f"mailbox add {MAILBOX} --owner {MAILBOX}",
        f"alias add {ALIAS} --to {MAILBOX}",
    ):
        host.does(f"smtpy {command}")


def forwarded(world: World, host: Host, alias: str = ALIAS) -> None:
    """A message to the alias arrives at the mailbox, and the journal knows what became of it."""
    message = letter(alias)
    wait_for(lambda: send(host, message), "the message to be taken", 30)
    text = str(message["Message-ID"]).encode()
    wait_for(lambda: any(to == MAILBOX and text in octets for to, octets in world.arrived), "the message to arrive", 30)
    known = f"smtpy log '{message['Message-ID']}'"
    wait_for(lambda: "delivered" in host.ssh(known).stdout, "the journal to say that it was delivered", 30)


def letter(alias: str) -> EmailMessage:
    """What a stranger writes."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, alias, "Hello"
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="sender.example")
    message.set_content("How do you do?\n")
    return message


def anybody() -> ssl.SSLContext:
    """TLS with whoever it is, as servers do it among themselves."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def send(host: Host, message: EmailMessage) -> bool:
    """By SMTP, after STARTTLS; False: later."""
    try:
        with smtplib.SMTP(host.address, 25, "mail.sender.example", timeout=20) as client:
            client.starttls(context=anybody())
            client.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        note(f"           later: {error}")
        return False
    return True

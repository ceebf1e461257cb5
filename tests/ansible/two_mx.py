"""inventories/two-mx as it is: two hosts that take mail, and a third with the PostgreSQL and Redis that they share."""

import secrets
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import yaml

from tests.ansible.looking import (
    DOMAIN,
    declare,
    forwarded,
    letter,
    pages_lack_nothing,
    ports_are_right,
    send,
    units_run,
)
from tests.ansible.playing import MINE, changes, commit, converges, say, step, take
from tests.ansible.world import MAILBOX, SENDER, Host, Otherwise, World, note, wait_for

A, B = Host("mx1.you.example", "192.0.2.25"), Host("mx2.you.example", "198.51.100.25")
DB = Host("db.you.example", "203.0.113.5")
HOSTS = (A, B, DB)
SECOND = 1.0


def show(world: World) -> None:
    """All that the head of this file says."""
    take("two-mx", smtpy_postmaster=MAILBOX)
    example = yaml.safe_load((MINE / "group_vars/all/vault.yml.example").read_text())
    say("vault", **{name: value or secrets.token_hex(24) for name, value in example.items()})
    converges(HOSTS)
    for host in (A, B):
        with step(f"{host.name}: units run, and are not exposed; ports are right; database and counters are reached"):
            units_run(host)
            pages_lack_nothing(host)
            ports_are_right(host, (22, 25))
    with step(f"{DB.name}: PostgreSQL and Redis are closed to the world"):
        ports_are_right(DB, (22,), (5432, 6379))
    with step("a message to an alias made at A comes in by A, one by B"):
        declare(A)
        forwarded(world, A)
        forwarded(world, B)
    with step("an alias that A has just refused is made at B, and A takes mail for it within a second"):
        seen_at_once()
        forwarded(world, A, f"new@{DOMAIN}")
    commit("another release")
    with (
        step("upgrade.yml, one after the other: there is always one that takes mail, and none is lost"),
        mail_flows(world),
    ):
        changes((A, B), lambda number: number > 0, "upgrade.yml")
    with step("A is off: B forwards"):
        world.stop(A)
        forwarded(world, B)
        forwarded(world, B, f"new@{DOMAIN}")


def seen_at_once() -> None:
    """Though A remembers that there is no such alias."""
    alias = f"new@{DOMAIN}"
    if (code := asked(A, alias)) != 550:
        raise Otherwise(f"A says {code} to an alias that nobody has made")
    B.does(f"smtpy alias add {alias} --to {MAILBOX}")
    made = time.monotonic()
    while (code := asked(A, alias)) != 250:
        if time.monotonic() - made > SECOND:
            raise Otherwise(f"A still says {code} after {SECOND} s")
    note(f"           after {time.monotonic() - made:.2f} s")


def asked(host: Host, recipient: str) -> int:
    """What RCPT TO is answered."""
    with smtplib.SMTP(host.address, 25, "mail.sender.example", timeout=20) as client:
        client.ehlo()
        client.mail(SENDER)
        return client.rcpt(recipient)[0]


@contextmanager
def mail_flows(world: World) -> Iterator[None]:
    """One message after the other meanwhile, each to A, and to B if A does not take it, as MX records have it."""
    over, taken, ids = Event(), [], []

    def write() -> None:
        while not over.is_set():
            message = letter(f"shop@{DOMAIN}")
            ids.append(str(message["Message-ID"]).encode())
            taken.append(next((host.name for host in (A, B) if send(host, message)), None))
            over.wait(SECOND)

    writing = Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        over.set()
        writing.join()
    if None in taken or not taken:
        raise Otherwise(f"neither took {taken.count(None)} messages of {len(taken)}")
    note(f"           {len(taken)} messages, {taken.count(B.name)} by B")
    wait_for(lambda: all(any(each in octets for _, octets in world.arrived) for each in ids), "all of them", 180)

"""Reports find their way back: made by our own Postfix, to senders too long for SRS, and after secrets have changed.

Return addresses that others write are in dialogs/returns.txt.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.mailpath.script import message
from tests.mailpath.town import Town, assert_nothing_shows, copies, found
from tests.stand import Stand, StandFactory

LONG = "a-newsletter-which-writes-to-every-subscriber-under-an-id-of-its-own-0123456789"
ODD_SENDERS = {
    "65 octets": f"{'x' * 65}@sender.example",
    "too long with SRS": f"{LONG}@bounces.sender.example",
    "a long domain": f"alice@{'x' * 60}.{'y' * 60}.example",
    "two dots": "a..b@sender.example",
    "UTF-8": "älice@sender.example",
    "a source route": "@relay.example:alice@sender.example",
    "capitals": "Alice@Sender.Example",
    "equals and plus": "a=b+c@sender.example",
    "like a return address": "SRS0=alice@sender.example",
    "quotes": r'"a \"b\\ c"@sender.example',
    "a percent sign": "a%b@sender.example",
    "a bang": "b.example!a@sender.example",
    "an at sign": '"a@b"@sender.example',
    "a colon": '"a:b"@sender.example',
    "an address literal": "alice@[192.0.2.1]",
}  # fmt: skip
# Where the report goes, if not to the sender as written.
BACK = {
    "@relay.example:alice@sender.example": "alice@sender.example",
    "Alice@Sender.Example": "Alice@sender.example",
}


@contextmanager
def full(stand: Stand, mailbox: str) -> Iterator[None]:
    """That mailbox's server refuses what we bring, after we have taken it."""
    stand.inbox.replies[mailbox] = "552 5.2.2 Mailbox full"
    try:
        yield
    finally:
        del stand.inbox.replies[mailbox]


def forward(town: Town, sender: str, recipient: str = "sales@north.example") -> str:
    """A message to an alias; its mark."""
    mark = town.mark()
    parameters = "" if sender.isascii() else "SMTPUTF8"
    assert town.stand.send(sender, [recipient], message(mark).encode(), parameters=parameters).accepted
    return mark


def report(town: Town, path: str) -> list[tuple[str, str]]:
    """What becomes of a report to that return address."""
    mark = town.mark()
    parameters = "" if path.isascii() else "SMTPUTF8"
    answers = town.stand.send("", [path], message(mark).encode(), parameters=parameters)
    assert answers.accepted, answers
    return copies(town.arrivals(mark, 1))


@pytest.mark.parametrize("sender", ODD_SENDERS.values(), ids=ODD_SENDERS)
def test_a_report_finds_an_odd_sender(town: Town, sender: str) -> None:
    path = town.arrivals(forward(town, sender), 1)[0].reverse_path
    local, _, domain = path.rpartition("@")
    assert domain == "north.example"
    assert len(local.encode()) <= 64
    assert report(town, path) == [(BACK.get(sender, sender), "")]


def test_our_own_postfix_reports_to_the_original_sender(town: Town) -> None:
    with full(town.stand, "box0@home.example"):
        [bounce] = town.arrivals(forward(town, "alice@sender.example", "a0@isle1.example"), 1)
    assert copies([bounce]) == [("alice@sender.example", "")]
    assert b"<MAILER-DAEMON@mx.our.example>" in bounce.header
    assert b"Status: 5.2.2" in bounce.body
    assert_nothing_shows([bounce])


def test_our_own_postfix_reports_to_a_sender_with_a_token(town: Town) -> None:
    with full(town.stand, "box1@home.example"):
        came = town.arrivals(forward(town, f"{LONG}@sender.example", "a1@isle2.example"), 1)
    assert copies(came) == [(f"{LONG}@sender.example", "")]


def test_our_own_postfix_reports_on_a_split_copy(town: Town) -> None:
    """One of two copies is refused: a report about that one, on the way of its own domain."""
    mark = town.mark()
    with full(town.stand, "box2@home.example"):
        recipients = ["a2@isle3.example", "a3@isle4.example"]
        assert town.stand.send("alice@sender.example", recipients, message(mark).encode()).accepted
        came = town.arrivals(mark, 2)
    assert [to for to, _ in copies(came)] == ["alice@sender.example", "box3@home.example"]
    [bounce] = [each for each in came if not each.reverse_path]
    assert re.search(rb"\nTo: SRS0=.*@isle3\.example\r\n", bounce.header)
    assert b"isle4.example" not in bounce.data


def test_no_report_about_a_report(town: Town) -> None:
    """A refused copy of a message with the null reverse-path ends there (RFC 5321 section 4.5.5)."""
    with full(town.stand, "box4@home.example"):
        assert town.arrivals(forward(town, "", "a4@isle5.example"), 0) == []


def test_a_token_takes_reports_only_and_is_not_guessed(town: Town) -> None:
    path = town.arrivals(forward(town, f"{LONG}@other.example"), 1)[0].reverse_path
    assert path.startswith("SRST=")
    answers = town.stand.send("mallory@sender.example", [path], b"hello\r\n")
    assert str(answers.rcpt[0]).startswith("550 5.7.1")
    guessed = f"SRST={'b' if path[5] == 'a' else 'a'}{path[6:]}"
    answers = town.stand.send("", [guessed], b"hello\r\n")
    assert str(answers.rcpt[0]).startswith("550 5.1.1")


def test_old_secrets_open_and_the_newest_signs(own_stand: StandFactory) -> None:
    town = Town(own_stand())
    found(town.stand)
    old = town.settings.srs_secrets[0].get_secret_value()
    first = town.arrivals(forward(town, "alice@sender.example"), 1)[0].reverse_path

    restart(town.stand, f"a-new-secret-of-its-own {old}")
    second = town.arrivals(forward(town, "alice@sender.example"), 1)[0].reverse_path
    assert second != first
    assert report(town, first) == report(town, second) == [("alice@sender.example", "")]

    restart(town.stand, "a-new-secret-of-its-own")
    assert report(town, second) == [("alice@sender.example", "")]
    assert str(town.stand.send("", [first], b"hello\r\n").rcpt[0]).startswith("550 5.1.1")


def restart(stand: Stand, secrets: str) -> None:
    """The services begin anew with these SRS secrets, newest first."""
    stand.environ["SMTPY_SRS_SECRETS"] = secrets
    for service in stand.services:
        stand.kill(service)
        stand.start(service)

"""SMTP smuggling (CVE-2023-51764) against the real front: what follows a false end of message is never a second one.

Both ways: as a stranger's DATA, and as a body we forward, where it must not become smuggling at the next hop.
"""

import re
from collections.abc import Iterator

import pytest

from tests import corpora
from tests.dialog import Dialog
from tests.inbox import Delivery
from tests.stand import Stand

ALIAS = "alias@our.example"
EVIL = "evil@evil.example"
SECOND = (
    f"MAIL FROM:<{EVIL}>\r\nRCPT TO:<{ALIAS}>\r\nDATA\r\nFrom: ceo@bank.example\r\n\r\nsmuggled\r\n.\r\n"
).encode()
# What some server or other has taken for the end of a message, besides CR LF . CR LF.
FALSE_ENDS = (
    *(b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r.\r", b"\r.\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r"),
    *(b"\r\r\n.\r\r\n", b"\r\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n\x1a.\r\n"),
    *(b"\n\n.\n\n", b"\n.\n\r\n", b"\r\n\x0b.\r\n", b"\r\n\x85.\x85", b"\xe2\x80\xa8.\xe2\x80\xa8"),
)
STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@pytest.fixture(scope="module")
def front() -> Iterator[Stand]:
    """All of SMTPy: what the milter does to a message must not open what Postfix has closed."""
    one = Stand()
    try:
        one.open()
        one.declare(ALIAS, "mailbox@inbox.example")
        yield one
    finally:
        one.close()


def _corpus() -> list[bytes]:
    cases = corpora.bad_inputs("smtp-data")
    assert cases
    return [corpora.octets(each) for each in cases.values()]


def _begin(front: Stand, dialog: Dialog, mark: str) -> bytes:
    front.inbox.deliveries.clear()
    dialog.hello()
    assert dialog.command(f"MAIL FROM:<{mark}@sender.example>").code == 250
    assert dialog.command(f"RCPT TO:<{ALIAS}>").code == 250
    return f"From: {mark}@sender.example\r\nSubject: {mark}\r\n\r\nfirst".encode()


def _only(front: Stand, mark: str) -> Delivery:
    """The one message that has come, and proof that there is no other."""
    front.wait_empty()
    (came,) = front.inbox.deliveries
    assert f"=sender.example={mark}@our.example" in came.reverse_path
    return came


def _smuggle(front: Stand, mark: str, vector: bytes) -> Delivery:
    with front.dialog(client="127.0.0.2") as dialog:
        head = _begin(front, dialog, mark)
        assert dialog.command("DATA").code == 354
        dialog.raw(head + vector)
        assert dialog.answer().code == 250
        assert dialog.command("QUIT").code == 221  # not the answer to a smuggled command
    return _only(front, mark)


@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
def test_a_false_end_does_not_end_the_message(front: Stand, end: bytes) -> None:
    delivery = _smuggle(front, f"in{FALSE_ENDS.index(end)}", end + SECOND)
    assert b"smuggled" in delivery.body
    assert not STRAY.search(delivery.data)


def test_the_corpus_does_not_end_the_message(front: Stand) -> None:
    for number, vector in enumerate(_corpus()):
        delivery = _smuggle(front, f"corpus{number}", vector)
        assert b"smuggled" in delivery.body, vector


@pytest.mark.parametrize("end", FALSE_ENDS, ids=repr)
def test_a_forwarded_body_does_not_smuggle_at_the_next_hop(front: Stand, end: bytes) -> None:
    mark = f"out{FALSE_ENDS.index(end)}"
    with front.dialog() as dialog:
        message = _begin(front, dialog, mark) + end + SECOND
        dialog.raw(f"BDAT {len(message)} LAST\r\n".encode() + message)  # BDAT carries any octets as they are
        assert dialog.answer().code == 250
    delivery = _only(front, mark)
    assert b"smuggled" in delivery.body
    assert not STRAY.search(delivery.data)


def test_two_honest_messages_stay_two(front: Stand) -> None:
    front.inbox.deliveries.clear()
    with front.dialog() as dialog:
        dialog.hello()
        for mark in ("honest1", "honest2"):
            answers = dialog.transaction(f"{mark}@sender.example", [ALIAS], b"Subject: x\r\n\r\n.\r\n..\r\n")
            assert answers.accepted
    front.wait_empty()
    assert [each.body for each in front.inbox.deliveries] == [b".\r\n..\r\n"] * 2


def test_talking_before_the_greeting_is_refused(front: Stand) -> None:
    with front.dialog(client="127.0.0.2") as dialog:
        dialog.raw(b"EHLO x.example\r\nMAIL FROM:<early@sender.example>\r\n")
        said = [dialog.answer()]
        while said[-1].code:
            said.append(dialog.answer())
    assert str(said[-2]).startswith("554 5.5.0")
    assert all(each.code in {220, 554, 0} for each in said)


def test_a_message_sent_before_354_is_refused(front: Stand) -> None:
    with front.dialog(client="127.0.0.2") as dialog:
        message = _begin(front, dialog, "early")
        dialog.raw(b"DATA\r\n" + message + b"\r\n.\r\n")
        assert str(dialog.answer()).startswith("554 5.5.0")
        assert dialog.answer().code == 0
    front.wait_empty()
    assert not [each for each in front.inbox.deliveries if "early" in each.reverse_path]


@pytest.mark.parametrize("between", [b"\n", b"\r", b"\0", b"\n ", b"\r\r"], ids=repr)
def test_a_helo_name_adds_no_header_field(front: Stand, between: bytes) -> None:
    mark = f"helo{between.hex()}"
    with front.dialog() as dialog:
        dialog.answer()
        dialog.raw(b"EHLO x.example" + between + b"X-Injected: y\r\nEHLO y.example\r\n")
        answers = dialog.transaction(f"{mark}@sender.example", [ALIAS], b"Subject: x\r\n\r\nhi\r\n")
        assert answers
    front.wait_empty()
    assert not [each for each in front.inbox.deliveries if b"\nX-Injected" in each.header]


def test_a_size_over_the_limit_is_refused_before_data(front: Stand) -> None:
    with front.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        assert str(dialog.command("MAIL FROM:<a@sender.example> SIZE=26214401")).startswith("552 5.3.4")


def test_the_recipient_limit_is_temporary_for_those_beyond_it(front: Stand) -> None:
    with front.dialog() as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<many@sender.example>")
        answers = [dialog.command(f"RCPT TO:<{ALIAS}>").code for _ in range(1001)]
        assert answers == [250] * 1000 + [452]

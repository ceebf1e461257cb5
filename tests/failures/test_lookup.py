"""Lookup down, hung, and answering garbage: 451 at RCPT TO, never 5xx, and never taken as if nothing were wrong.

Postfix waits 100 seconds for a socketmap (a constant in 3.7). A hang ends earlier in one of two ways, both tried here:
the service goes on, or a supervisor kills it.
"""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failures.peers import Answerer, listening, netstring
from tests.failures.village import ANN, BEN, assert_arrives, assert_put_off, decisive, recovers, write
from tests.stand import Stand
from tests.waiting import until

OURS = (b"one.example", b"@one.example")
# Not here: a well-formed OK or NOTFOUND, which is an answer and not garbage, however wrong it is. Postfix takes "OK"
# without the blank after it for NOTFOUND (seen: 550).
GARBAGE = {
    "no netstring": b"hello\n",
    "a comma missing": b"9:NOTFOUND ;",
    "a length that is negative": b"-1:NOTFOUND ,",
    "a length too long for a number": b"99999999999999999999:NOTFOUND ,",
    "more than 100 000 octets": netstring(b"OK " + b"x" * 100_000),
    "no status": netstring(b""),
    "an unknown status": netstring(b"MAYBE x"),
    "another protocol": b"HTTP/1.0 400 Bad Request\r\n\r\n",
    "octets that are no UTF-8": netstring(b"OK \xff\xfe@home.example"),
    "a TEMP before the answer": netstring(b"TEMP later") + netstring(b"OK ann@home.example"),
    "a hang-up": b"",
}


@pytest.fixture(scope="module")
def bare() -> Iterator[Stand]:
    """Postfix with nobody on lookup's socket, and no policy or milter."""
    stand = Stand(services=(), stubs=("policy", "milter"))
    try:
        stand.open()
        yield stand
    finally:
        stand.close()


def answering(table: bytes, answer: bytes) -> Answerer:
    """Garbage for what we ask about in one table; all else is answered as it should be."""
    good = {b"domains": b"OK one.example", b"aliases": b"OK ann@home.example"}

    def answerer(request: bytes) -> bytes:
        asked, _, key = request.partition(b":")[2].removesuffix(b",").partition(b" ")
        if not key.endswith(OURS):
            return netstring(b"NOTFOUND ")
        return answer if asked == table else netstring(good[asked])

    return answerer


@pytest.mark.parametrize("table", [b"domains", b"aliases"], ids=bytes.decode)
@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage(bare: Stand, table: bytes, garbage: bytes) -> None:
    letter = write(ANN)
    with listening(bare.folder / "run" / "lookup.sock", answering(table, garbage)):
        assert_put_off(bare, letter, decisive(letter.send(bare)))


def test_the_peer_is_believed_when_it_makes_sense(bare: Stand) -> None:
    """Else the test above would pass with no peer at all."""
    letter = write(ANN)
    with listening(bare.folder / "run" / "lookup.sock", answering(b"none", b"")):
        assert letter.send(bare).accepted
        bare.wait_empty()
    assert letter.copies(bare) == ["ann@home.example"]


def test_down(village: Stand) -> None:
    village.kill("lookup")
    letter = write(ANN)
    assert_put_off(village, letter, decisive(letter.send(village)))
    village.start("lookup")
    recovers(village)


@pytest.mark.parametrize("healed", [True, False], ids=["healed", "killed"])
def test_hung(bare: Stand, healed: bool) -> None:
    """The client waits as long as Postfix does, and hears what lookup says at last, or 451."""
    asked, end = threading.Event(), threading.Event()
    good = answering(b"none", b"")

    def answerer(request: bytes) -> bytes:
        asked.set()
        end.wait()
        return good(request) if healed else b""

    letter = write(ANN)
    with bare.dialog(client="127.0.0.2") as dialog, listening(bare.folder / "run" / "lookup.sock", answerer):
        dialog.hello()
        dialog.raw(f"MAIL FROM:<{letter.sender}>\r\nRCPT TO:<{ANN}>\r\n".encode())
        assert asked.wait(20)
        end.set()
        assert dialog.answer().code == 250
        if healed:
            assert dialog.answer().code == 250
        else:
            assert_put_off(bare, letter, dialog.answer())


def test_the_same_client_is_not_put_off_much_longer_than_the_outage(village: Stand) -> None:
    """An smtpd says what it has not found out about a sender and a recipient as long as it lives: so not for long."""
    letter = write(ANN)
    village.kill("lookup")
    assert_put_off(village, letter, decisive(letter.send(village)))
    knowing = re.findall(rf"smtpd\[(\d+)\]: NOQUEUE: reject: .* from=<{letter.sender}>", village.maillog())
    village.start("lookup")
    assert knowing
    until(lambda: not [pid for pid in knowing if Path(f"/proc/{pid}").exists()], "smtpd ended for lack of work")
    assert_arrives(village, letter, letter.send(village))


def test_down_after_the_message_was_taken(village: Stand) -> None:
    """The queue manager asks as well, for the domain of each recipient: then the message waits."""
    mailboxes = ("ann@home.example", "ben@home.example")  # two: of one it would know the answer still
    village.inbox.replies |= dict.fromkeys(mailboxes, "450 4.2.0 Later")
    letter = write(ANN, BEN)
    answers = letter.send(village)
    until(lambda: [each for each in village.queue() if each["queue_name"] == "deferred"], "letter deferred")
    village.kill("lookup")
    village.inbox.replies.clear()
    village.flush()
    until(lambda: "address resolver failure" in village.maillog(), "letter deferred again")
    village.start("lookup")
    assert len(village.queue()) == 1
    village.flush()
    assert_arrives(village, letter, answers)

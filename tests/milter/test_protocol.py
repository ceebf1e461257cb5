"""The real milter process, spoken to by hand: what it asks for, what it keeps, and what no peer can do to it."""

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.milter.postfix_side import Peer
from tests.stand import Stand, until

SUBJECT = [(b"Subject", b" hello")]
BOB = b"bob@sender.example"


@pytest.fixture(scope="module")
def path(stand: Stand) -> str:
    for words in (
        ("user", "add", "milter@inbox.example"),
        ("mailbox", "add", "milter@inbox.example", "--owner", "milter@inbox.example"),
        ("domain", "add", "milter.example", "--owner", "milter@inbox.example"),
        ("alias", "add", "sales@milter.example", "--to", "milter@inbox.example"),
    ):
        made = stand.cli(*words)
        assert made.returncode == 0, made.stderr
    until(lambda: _serves(str(stand.folder / "run" / "milter.sock")), "alias seen by the milter")
    return str(stand.folder / "run" / "milter.sock")


def _serves(path: str) -> bool:
    with Peer(path) as peer:
        peer.greet()
        return bool(peer.message(BOB, [b"sales@milter.example"], SUBJECT, b"hi\r\n").edits)


def test_one_alias_is_a_reverse_path_and_a_trace(path):
    with Peer(path) as peer:
        peer.greet()
        ended = peer.message(BOB, [b"Sales@milter.example"], SUBJECT, b"hi\r\n")
    assert [letter for letter, _ in ended.edits] == ["i", "e", "i"]  # results, change from, trace
    assert ended.edits[1][1].startswith(b"<SRS0=")
    assert b"SMTPy-Trace\0 id=" in ended.edits[2][1]
    assert ended.verdict == "a"


def test_nothing_is_kept_from_a_message_that_was_aborted(path):
    with Peer(path) as peer:
        peer.greet()
        peer.envelope(b"eve@sender.example", b"nobody@milter.example", b"sales@milter.example")
        peer.send("L", b"SMTPy-Trace", b" forged")
        peer.send("A")
        ended = peer.message(BOB, [b"sales@milter.example"], SUBJECT, b"hi\r\n")
        again = peer.message(BOB, [b"sales@milter.example"], SUBJECT, b"hi\r\n")
    for each in (ended, again):
        assert [letter for letter, _ in each.edits] == ["i", "e", "i"]
        assert b"sender.example=bob" in each.edits[1][1]


def test_an_envelope_that_is_not_utf8_finds_nobody(path):
    with Peer(path) as peer:
        peer.greet()
        ended = peer.message(b"b\xffb@sender.example", [b'"sa\xffles"@milter.example'], SUBJECT, b"hi\r\n")
    assert ended.verdict == "y"
    assert ended.data.startswith(b"550 5.1.1 ")


def test_the_reply_is_three_parts(path):
    with Peer(path) as peer:
        peer.greet()
        ended = peer.message(BOB, [b"nobody@milter.example"], SUBJECT, b"hi\r\n")
    assert (ended.verdict, ended.data) == ("y", b"550 5.1.1 No such address here\0")


VIOLATIONS = {
    "not a packet": b"GET / HTTP/1.0\r\n\r\n",
    "a packet of nothing": struct.pack("!I", 0),
    "a packet of 4 GiB": struct.pack("!I", 0xFFFFFFFF) + b"O",
    "half a packet": struct.pack("!I", 100) + b"O" + b"\0" * 10,
    "an unknown command": struct.pack("!I", 1) + b"?",
    "end-of-message first": struct.pack("!I", 1) + b"E",
    "a header with no end": struct.pack("!I", 4) + b"LX-A",
    "options that are too short": struct.pack("!I", 3) + b"O\0\0",
}


@pytest.mark.parametrize("violation", VIOLATIONS.values(), ids=VIOLATIONS)
@pytest.mark.parametrize("greeted", [False, True], ids=["at once", "after the greeting"])
def test_a_violation_costs_its_own_connection_only(stand, path, violation, greeted):
    workers = stand.workers("milter")
    with Peer(path) as peer:
        if greeted:
            peer.greet()
        peer.socket.sendall(violation)
        peer.socket.shutdown(1)
        assert peer.closed()
    assert _serves(path)
    assert stand.workers("milter") == workers


PACKETS = st.lists(st.tuples(st.sampled_from("ABCDEHKLMNOQRTU?"), st.binary(max_size=200)), max_size=8)


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(packets=PACKETS, greeted=st.booleans())
def test_fuzz(stand, path, packets, greeted):
    with Peer(path) as peer:
        try:
            if greeted:
                peer.greet()
            for letter, data in packets:
                peer.raw(letter, data)
            peer.socket.shutdown(1)
        except (ConnectionError, BrokenPipeError):
            pass
        assert peer.closed()


def test_after_the_fuzz_nothing_is_left_over(stand, path):
    workers = stand.workers("milter")
    for pid in workers:
        until(lambda pid=pid: _sockets(pid) < 12, f"connections of worker {pid} closed")
        assert "Traceback" not in stand.log("milter")
    assert _serves(path)
    assert stand.workers("milter") == workers


def _sockets(pid: int) -> int:
    return sum(1 for fd in Path(f"/proc/{pid}/fd").iterdir() if str(fd.readlink()).startswith("socket:"))


def test_a_client_may_call_itself_anything(stand, path):
    with Peer(path) as peer:
        peer.greet(helo=b"\xff\xfe \x80.example")
        ended = peer.message(BOB, [b"sales@milter.example"], SUBJECT, b"hi\r\n")
    assert ended.verdict == "a"
    assert "Traceback" not in stand.log("milter")

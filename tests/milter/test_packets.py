"""Packets without a socket: cut anywhere, refused where they are none, and what a session makes of them."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.milter import packets
from smtpy.milter.context import Context
from smtpy.milter.desk import Ended
from smtpy.milter.engine import Asked, Connection
from smtpy.milter.packets import MAX_PACKET, Packets
from smtpy.milter.session import Session
from smtpy.routing.arrival import Stage
from smtpy.wire import Violation


def packet(letter: str, data: bytes = b"") -> bytes:
    return struct.pack("!I", len(data) + 1) + letter.encode() + data


def words(letter: str, *each: bytes) -> bytes:
    return packet(letter, b"".join(word + b"\0" for word in each))


def offer(version: int = 6, actions: int = 0x1FF, steps: int = 0x1FFFFF) -> bytes:
    return packet("O", struct.pack("!III", version, actions, steps))


GREETING = offer() + packet("D", b"C{daemon_name}\0smtpd\0") + packet("C", b"host\x004\0\x19192.0.2.1\0")
MESSAGE = b"".join(
    (
        words("H", b"host.example"),
        words("M", b"<anna@sender.example>", b"SIZE=9"),
        words("R", b"<sales@our.example>"),
        words("R", b"<info@our.example>", b"NOTIFY=NEVER"),
        words("L", b"From", b" anna@sender.example"),
        words("L", b"Subject", b" folded\n\there"),
        packet("N"),
        packet("B", b"text\r\n"),
        packet("D", b"Ei\x004QUEUE\0"),
        packet("E"),
    )
)


class Heard:
    """A connection whose session says what it has heard."""

    def __init__(self) -> None:
        self.session = Session(desk=None)  # type: ignore[arg-type]  # nobody is asked
        self.connection = Connection(lambda: self.session)
        self.answers: list[bytes] = []
        self.messages: list[tuple[Ended, str | None]] = []

    def feed(self, *pieces: bytes) -> "Heard":
        for piece in pieces:
            self.connection.feed(piece)
            while asked := self.connection.next():
                self._keep(asked)
        return self

    def _keep(self, asked: Asked) -> None:
        if isinstance(asked, bytes):
            self.answers.append(asked)
        else:
            self.messages.append((self.session.whole(), self.session.getsymval("i")))

    @property
    def last(self) -> Ended:
        return self.messages[-1][0]


@pytest.mark.parametrize("at", range(len(GREETING + MESSAGE)))
def test_a_session_cut_anywhere_is_the_same(at: int) -> None:
    whole = GREETING + MESSAGE
    heard = Heard().feed(whole[:at], whole[at:])
    assert len(heard.answers) == 1
    ((ended, queue_id),) = heard.messages
    message = ended.message
    assert (message.envelope.reverse_path, message.envelope.client) == ("anna@sender.example", "192.0.2.1")
    assert message.envelope.recipients == ("sales@our.example", "info@our.example")
    assert message.envelope.helo == "host.example"
    assert [(field.name, field.value) for field in message.fields] == [
        (b"From", b" anna@sender.example"),
        (b"Subject", b" folded\n\there"),
    ]
    # both lines of the header with CRLF, the empty line, the body
    assert message.size == len(b"From: anna@sender.example\r\nSubject: folded\r\n\there\r\n\r\ntext\r\n")
    assert (ended.stage, queue_id) == (Stage.FRONT, "4QUEUE")
    assert ended.claims is not None
    assert all(each.octets == len(b"text\r\n") for each in ended.digests.values())


def test_nothing_but_the_client_is_kept_for_the_next_message() -> None:
    bare = words("M", b"<>") + words("R", b"<x@our.example>") + packet("N") + packet("E")
    last = Heard().feed(GREETING, MESSAGE, bare).last
    assert (last.message.envelope.reverse_path, last.message.envelope.client) == ("", "192.0.2.1")
    assert (last.message.fields, last.message.size) == ((), 2)


def test_the_last_part_of_the_body_may_come_with_the_end() -> None:
    last = Heard().feed(GREETING + MESSAGE[: -len(packet("E"))] + packet("E", b"more\r\n")).last
    assert all(each.octets == len(b"text\r\nmore\r\n") for each in last.digests.values())


@pytest.mark.parametrize(
    ("origin", "client"),
    [
        (b"6\0\x192001:db8::1\0", "2001:db8::1"),
        (b"6\0\x19IPv6:2001:db8::1\0", "2001:db8::1"),
        (b"L\0\0/run/socket\0", ""),
        (b"U", ""),
        (b"", ""),
        (b"4\0\0unknown\0", ""),
    ],
)
def test_a_client_is_an_address_or_nobody(origin: bytes, client: str) -> None:
    last = Heard().feed(GREETING, packet("C", b"host\0" + origin), MESSAGE).last
    assert last.message.envelope.client == client


def test_the_second_smtpd_goes_by_its_name() -> None:
    split = packet("D", b"C{daemon_name}\0split\0") + packet("C", b"host\0U")
    last = Heard().feed(GREETING, split, MESSAGE).last
    assert (last.stage, last.claims) == (Stage.SPLIT, None)


VIOLATIONS = {
    "a packet of nothing": struct.pack("!I", 0),
    "a packet too long": struct.pack("!I", MAX_PACKET + 1),
    "a message before the offer": MESSAGE,
    "a second offer": offer() + offer(),
    "an offer too short": packet("O", b"\0" * 11),
    "an old version": offer(version=2),
    "no changing of senders": offer(actions=0x3F),
    "no leading blanks": offer(steps=0xFFFFF),
    "an unknown command": offer() + packet("?"),
    "a step we said not to tell": offer() + packet("T"),
    "an end of nothing": GREETING + packet("E"),
    "an end for nobody": GREETING
    + words("M", b"<>")
    + words("R", b"<x@our.example>")
    + words("M", b"<>")
    + packet("E"),
    "a recipient of nothing": GREETING + words("R", b"<x@our.example>"),
    "a field of nobody": GREETING + words("M", b"<>") + words("L", b"Subject", b" hi"),
    "a client of no address": offer() + packet("C", b"host\x004\0\x19192.0.2.1.1\0"),
    "a client cut short": offer() + packet("C", b"host\x006\0"),
    "a path without end": offer() + packet("M", b"<x@y.example>"),
    "a field without end": offer() + packet("L", b"Subject\0 hi"),
    "a field without value": offer() + packet("L", b"Subject"),
    "a greeting without end": offer() + packet("H", b"host"),
}


@pytest.mark.parametrize("octets", VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(octets: bytes) -> None:
    with pytest.raises(Violation):
        Heard().feed(octets)


@given(st.lists(st.tuples(st.sampled_from("ABCDEHLMNOQRTU?"), st.binary(max_size=60))))
def test_whatever_comes_is_asked_or_refused(each: list[tuple[str, bytes]]) -> None:
    octets = offer() + b"".join(packet(letter, data) for letter, data in each)
    with contextlib.suppress(Violation):
        assert len(Heard().feed(octets).answers) == 1


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 9))
def test_packets_are_read_as_they_were_written(each: list[bytes], step: int) -> None:
    stream, found = Packets(), []
    octets = b"".join(packets.packet(b"B", data) for data in each)
    for start in range(0, len(octets), step):
        stream.feed(octets[start : start + step])
        while one := stream.next():
            found.append(one)
    assert (found, stream.pending()) == ([(b"B", data) for data in each], False)


def test_of_an_offer_no_more_is_taken_than_is_needed() -> None:
    actions = 1 | 4 | 8 | 0x10 | 0x20 | 0x40  # SMFIF_*: fields, recipients, hold, reverse-path; no bodies
    # SMFIP_*: no DATA, no unknown commands; no answers but to the end; leave to skip; leading blanks
    steps = 0x200 | 0x100 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x80 | 0x4_0000 | 0x8_0000 | 0x10_0000 | 0x400
    version, asked, silent = struct.unpack("!III", Heard().feed(offer()).answers[0][5:])
    assert (version, asked) == (6, actions)
    assert silent == steps


EDITS = {
    "addheader": (("X", " 1", 0), packet("i", b"\0\0\0\0X\0 1\0")),
    "chgheader": (("X", 2, " ü"), packet("m", b"\0\0\0\x02X\0 " + "ü".encode() + b"\0")),
    "chgfrom": (("<>",), packet("e", b"<>\0")),
    "addrcpt": (("<a@b.example>",), packet("+", b"<a@b.example>\0")),
    "delrcpt": (("<a@b.example>",), packet("-", b"<a@b.example>\0")),
    "quarantine": (("why",), packet("q", b"why\0")),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_told_with_the_verdict(name: str) -> None:
    arguments, octets = EDITS[name]
    context = Context()
    getattr(context, name)(*arguments)
    assert context.said(3) == octets + packet("a")

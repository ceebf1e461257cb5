"""Packets without a socket: cut anywhere, refused where they are none, and what a session makes of them."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.milter import protocol
from smtpy.milter.protocol import ACTIONS, MAX_PACKET, STEPS, Packets
from smtpy.milter.session import Asked, Ended, Offer, Session
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


def asked(*pieces: bytes) -> list[Asked]:
    session, found = Session(), []
    for piece in pieces:
        session.feed(piece)
        while one := session.next():
            found.append(one)
    return found


@pytest.mark.parametrize("at", range(len(GREETING + MESSAGE)))
def test_a_session_cut_anywhere_is_the_same(at: int) -> None:
    whole = GREETING + MESSAGE
    first, ended = asked(whole[:at], whole[at:])
    assert isinstance(first, Offer)
    assert isinstance(ended, Ended)
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
    assert (ended.stage, ended.queue_id) == (Stage.FRONT, "4QUEUE")
    assert ended.claims is not None
    assert all(each.octets == len(b"text\r\n") for each in ended.digests.values())


def test_nothing_but_the_client_is_kept_for_the_next_message() -> None:
    bare = words("M", b"<>") + words("R", b"<x@our.example>") + packet("N") + packet("E")
    *_, last = asked(GREETING, MESSAGE, bare)
    assert isinstance(last, Ended)
    assert (last.message.envelope.reverse_path, last.message.envelope.client) == ("", "192.0.2.1")
    assert (last.message.fields, last.message.size, last.queue_id) == ((), 2, "")


def test_the_last_part_of_the_body_may_come_with_the_end() -> None:
    _, ended = asked(GREETING + MESSAGE[: -len(packet("E"))] + packet("E", b"more\r\n"))
    assert isinstance(ended, Ended)
    assert all(each.octets == len(b"text\r\nmore\r\n") for each in ended.digests.values())


@pytest.mark.parametrize(
    ("origin", "client"),
    [
        (b"6\0\x192001:db8::1\0", "2001:db8::1"),
        (b"6\0\x19IPv6:2001:db8::1\0", "2001:db8::1"),
        (b"L\0\0/run/socket\0", ""),
        (b"U", ""),
        (b"", ""),
    ],
)
def test_a_client_is_an_address_or_nobody(origin: bytes, client: str) -> None:
    *_, ended = asked(GREETING, packet("C", b"host\0" + origin), MESSAGE)
    assert isinstance(ended, Ended)
    assert ended.message.envelope.client == client


def test_the_second_smtpd_goes_by_its_name() -> None:
    *_, ended = asked(GREETING, packet("D", b"C{daemon_name}\0split\0"), MESSAGE)
    assert isinstance(ended, Ended)
    assert (ended.stage, ended.claims) == (Stage.SPLIT, None)


VIOLATIONS = {
    "a packet of nothing": struct.pack("!I", 0),
    "a packet too long": struct.pack("!I", MAX_PACKET + 1),
    "a message before the offer": MESSAGE,
    "a second offer": offer() + offer(),
    "an offer too short": packet("O", b"\0" * 11),
    "an old version": offer(version=2),
    "no changing of senders": offer(actions=0x3F),
    "answers to every step": offer(steps=0x7F),
    "an unknown command": offer() + packet("?"),
    "a step we said not to tell": offer() + packet("T"),
    "an end of nothing": GREETING + packet("E"),
    "a path without end": offer() + packet("M", b"<x@y.example>"),
    "a field without end": offer() + packet("L", b"Subject\0 hi"),
    "a field without value": offer() + packet("L", b"Subject"),
    "a greeting without end": offer() + packet("H", b"host"),
}


@pytest.mark.parametrize("octets", VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(octets: bytes) -> None:
    with pytest.raises(Violation):
        asked(octets)


@given(st.lists(st.tuples(st.sampled_from("ABCDEHLMNOQRTU?"), st.binary(max_size=60))))
def test_whatever_comes_is_asked_or_refused(packets: list[tuple[str, bytes]]) -> None:
    octets = offer() + b"".join(packet(letter, data) for letter, data in packets)
    with contextlib.suppress(Violation):
        assert all(isinstance(each, Offer | Ended) for each in asked(octets))


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 9))
def test_packets_are_read_as_they_were_written(each: list[bytes], step: int) -> None:
    stream, found = Packets(), []
    octets = b"".join(packet("B", data) for data in each)
    for start in range(0, len(octets), step):
        stream.feed(octets[start : start + step])
        while one := stream.next():
            found.append(one.data)
    assert (found, stream.pending()) == (each, False)


ANSWERS = {
    protocol.add_field("X", " 1"): packet("i", b"\0\0\0\0X\0 1\0"),
    protocol.change_field("X", 2, " ü"): packet("m", b"\0\0\0\x02X\0 " + "ü".encode() + b"\0"),
    protocol.change_field("X", 1, ""): packet("m", b"\0\0\0\x01X\0\0"),
    protocol.change_sender("<>"): packet("e", b"<>\0"),
    protocol.add_recipient("<a@b.example>"): packet("+", b"<a@b.example>\0"),
    protocol.delete_recipient("<a@b.example>"): packet("-", b"<a@b.example>\0"),
    protocol.quarantine("why"): packet("q", b"why\0"),
    protocol.reply("451 4.3.0 100 %"): packet("y", b"451 4.3.0 100 %%\0"),
    protocol.ACCEPT: packet("a"),
    protocol.DISCARD: packet("d"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers(answer: bytes) -> None:
    assert answer == ANSWERS[answer]


def test_of_an_offer_no_more_is_taken_than_is_needed() -> None:
    (first,) = asked(offer())
    assert isinstance(first, Offer)
    assert first.agreed == packet("O", struct.pack("!III", 6, ACTIONS, STEPS))

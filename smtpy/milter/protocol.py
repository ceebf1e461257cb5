"""The milter protocol, version 6, as Postfix speaks it: bytes in, packets out, answers as bytes. Knows no socket.

A packet is a length (four octets, network order), a command letter and data; the words in it end in NUL (libmilter's
mfdef.h, Postfix's MILTER_README). Postfix offers what it knows, and we say what we want of it: to be told of a message
without being waited for, but for its end, and values of header fields with the blanks that lead them.
"""

import struct
from dataclasses import dataclass

from smtpy.wire import Violation

MAX_PACKET = 1 << 20  # octets; a header field has 102,400 at the most, part of a body 65,535
VERSION = 6

# What we may ask to have done: SMFIF_*.
ADD_FIELDS, ADD_RECIPIENTS, DELETE_RECIPIENTS, CHANGE_FIELDS, QUARANTINE, CHANGE_SENDER = 1, 4, 8, 0x10, 0x20, 0x40
ACTIONS = ADD_FIELDS | ADD_RECIPIENTS | DELETE_RECIPIENTS | CHANGE_FIELDS | QUARANTINE | CHANGE_SENDER
# What need not be told, DATA and commands unknown: SMFIP_NO*; what needs no answer, every other step: SMFIP_NR_*.
NOT_TOLD = 0x200 | 0x100
NOT_ANSWERED = 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x80 | 0x4_0000 | 0x8_0000
LEADING_BLANKS = 0x10_0000  # SMFIP_HDR_LEADSPC
STEPS = NOT_TOLD | NOT_ANSWERED | LEADING_BLANKS

_HEAD = struct.Struct("!I")
_OFFER = struct.Struct("!III")

ACCEPT, DISCARD = _HEAD.pack(1) + b"a", _HEAD.pack(1) + b"d"


@dataclass(frozen=True, slots=True)
class Packet:
    """`command` is a letter."""

    command: bytes
    data: bytes

    def words(self) -> list[bytes]:
        """The words of the data. Raises Violation when the last does not end."""
        if not self.data.endswith(b"\0"):
            raise Violation("a word does not end")
        return self.data[:-1].split(b"\0")


class Packets:
    """A stream of packets, cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        self._held += data

    def pending(self) -> bool:
        """Whether a part of a packet is held."""
        return bool(self._held)

    def next(self) -> Packet | None:
        """The next whole packet; None: more bytes are needed. Raises Violation."""
        held = self._held
        if len(held) < _HEAD.size:
            return None
        (length,) = _HEAD.unpack_from(held)
        if not 0 < length <= MAX_PACKET:
            raise Violation(f"a packet has 1 to {MAX_PACKET} octets")
        end = _HEAD.size + length
        if len(held) < end:
            return None
        packet = Packet(bytes(held[4:5]), bytes(held[5:end]))
        del held[:end]
        return packet


def agreed(offer: Packet) -> bytes:
    """The answer to what Postfix offers. Raises Violation when that is not all we need."""
    if len(offer.data) < _OFFER.size:
        raise Violation("the offer is too short")
    version, actions, steps = _OFFER.unpack_from(offer.data)
    if version < VERSION or actions & ACTIONS != ACTIONS or steps & STEPS != STEPS:
        raise Violation("Postfix 2.6 or later is needed, with milter_protocol = 6")
    return _packet(b"O", _OFFER.pack(VERSION, ACTIONS, STEPS))


def add_field(name: str, value: str) -> bytes:
    """On top of the header."""
    return _packet(b"i", _HEAD.pack(0) + _words(name, value))


def change_field(name: str, index: int, value: str) -> bytes:
    """The `index`-th of that name, from 1; without a value it goes."""
    return _packet(b"m", _HEAD.pack(index) + _words(name, value))


def change_sender(path: str) -> bytes:
    """The reverse-path, in angle brackets."""
    return _packet(b"e", _words(path))


def add_recipient(path: str) -> bytes:
    """A recipient, in angle brackets."""
    return _packet(b"+", _words(path))


def delete_recipient(path: str) -> bytes:
    """The recipient with exactly that text in RCPT TO."""
    return _packet(b"-", _words(path))


def quarantine(reason: str) -> bytes:
    """Into the hold queue."""
    return _packet(b"q", _words(reason))


def reply(text: str) -> bytes:
    """What the client is told instead of 250; per cent signs are doubled (smfi_setreply)."""
    return _packet(b"y", _words(text.replace("%", "%%")))


def _words(*words: str) -> bytes:
    return b"".join(word.encode("utf-8") + b"\0" for word in words)


def _packet(command: bytes, data: bytes) -> bytes:
    return _HEAD.pack(len(data) + 1) + command + data

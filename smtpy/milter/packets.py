"""The milter protocol's packets (libmilter's mfdef.h): bytes in, packets out; answers as bytes. Knows no socket.

A packet is a length (four octets, network order), a command letter and data; the words in it end in NUL. Refused are
packets of nothing or over a megabyte, and words that do not end; then nobody can tell what is meant, so the
conversation is over.
"""

import struct
from ipaddress import ip_address

from smtpy.wire import Violation

MAX_PACKET = 1 << 20  # octets; a header field has 102,400 at the most, part of a body 65,535

_NUMBER = struct.Struct("!I")
_OFFER = struct.Struct("!III")
_PORT = struct.Struct("!H")
_FAMILIES = frozenset((b"4", b"6"))
_UNKNOWN = b"unknown\0"  # what Postfix calls the address of a client behind XCLIENT ADDR=[UNAVAILABLE]

Packet = tuple[bytes, bytes]
"""A command letter, and its data."""


class Packets:
    """A stream of packets, cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._read = 0  # octets of what is held that have been given

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        del self._held[: self._read]
        self._read = 0
        self._held += data

    def pending(self) -> bool:
        """Whether a part of a packet is held."""
        return len(self._held) > self._read

    def next(self) -> Packet | None:
        """The next whole packet; None: more bytes are needed. Raises Violation."""
        held, start = self._held, self._read + _NUMBER.size
        if len(held) < start:
            return None
        (length,) = _NUMBER.unpack_from(held, self._read)
        if not 0 < length <= MAX_PACKET:
            raise Violation(f"a packet has 1 to {MAX_PACKET} octets")
        end = start + length
        if len(held) < end:
            return None
        self._read = end
        return bytes(held[start : start + 1]), bytes(held[start + 1 : end])


def packet(command: bytes, data: bytes = b"") -> bytes:
    """The octets of a packet."""
    return _NUMBER.pack(len(data) + 1) + command + data


def words(*each: str) -> bytes:
    """Text as data; lone surrogates are the octets that were no UTF-8."""
    return b"".join(word.encode("utf-8", "surrogateescape") + b"\0" for word in each)


def numbered(number: int, *each: str) -> bytes:
    """A field's place, then words."""
    return _NUMBER.pack(number) + words(*each)


def offer(version: int, actions: int, steps: int) -> bytes:
    """The data of an offer, or of what is said to one."""
    return _OFFER.pack(version, actions, steps)


def read_offer(data: bytes) -> tuple[int, int, int]:
    """Version, actions (SMFIF_*), steps (SMFIP_*). Raises Violation."""
    if len(data) < _OFFER.size:
        raise Violation("the offer is too short")
    version, actions, steps = _OFFER.unpack_from(data)
    return version, actions, steps


def read_words(data: bytes) -> list[bytes]:
    """The words, one at the least. Raises Violation when the last does not end."""
    if not data.endswith(b"\0"):
        raise Violation("a word does not end")
    return data[:-1].split(b"\0")


def read_field(data: bytes) -> tuple[bytes, bytes]:
    """Name and value. Raises Violation."""
    name, _, value = data.partition(b"\0")
    if not value.endswith(b"\0"):
        raise Violation("a field does not end")
    return name, value[:-1]


def read_macros(data: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The command that they are for, and their values by name."""
    each = data[1:].split(b"\0")
    return data[:1], dict(zip(each[::2], each[1::2], strict=False))


def read_client(data: bytes) -> tuple[bytes, str, int]:
    """Host name, IP address ("": it has none) and port. Raises Violation."""
    host, _, origin = data.partition(b"\0")
    if origin[:1] not in _FAMILIES or origin[3:] == _UNKNOWN:  # a UNIX socket, or nobody knows
        return host, "", 0
    text = origin[3:].removesuffix(b"\0").decode("ascii", "replace").removeprefix("IPv6:")
    try:
        return host, str(ip_address(text)), _PORT.unpack_from(origin, 1)[0]
    except (ValueError, struct.error):
        raise Violation("a client's address is none") from None

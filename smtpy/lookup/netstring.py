"""Netstrings: bytes in, whole strings out. Knows no socket. Refuses over 100 000 octets, as Postfix does.

A netstring is `length:octets,` with the length in decimal digits and no leading zero (cr.yp.to/proto/netstrings.txt).
After a violation nobody can tell where the next string begins, so the conversation is over.
"""

import re

from smtpy.wire import Violation

MAX_LENGTH = 100_000  # octets, socketmap_table(5)

_LENGTH = re.compile(rb"(?:0|[1-9][0-9]{0,5})\Z")
_MAX_DIGITS = 6
_COMMA = ord(",")


def encode(string: bytes) -> bytes:
    """The netstring of a string."""
    return b"%d:%s," % (len(string), string)


class Netstrings:
    """A stream of netstrings, cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        self._held += data

    def pending(self) -> bool:
        """Whether a part of a string is held."""
        return bool(self._held)

    def next(self) -> bytes | None:
        """The next whole string; None: more bytes are needed. Raises Violation."""
        colon = self._held.find(b":", 0, _MAX_DIGITS + 1)
        length = self._length(colon if colon >= 0 else len(self._held))
        end = colon + 1 + length
        if colon < 0 or len(self._held) <= end:
            return None
        if self._held[end] != _COMMA:
            raise Violation("netstring does not end in a comma")
        string = bytes(self._held[colon + 1 : end])
        del self._held[: end + 1]
        return string

    def _length(self, digits: int) -> int:
        """The length that the first so many octets say; as soon as they cannot become one, a Violation."""
        if not self._held:
            return 0
        if not _LENGTH.match(self._held[:digits]):
            raise Violation("netstring does not begin with its length")
        length = int(self._held[:digits])
        if length > MAX_LENGTH:
            raise Violation(f"netstring is longer than {MAX_LENGTH} octets")
        return length

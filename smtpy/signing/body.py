"""The hashes of a body in canonical form (RFC 6376 sections 3.4.3 to 3.4.5), while it streams past.

Chunks may be cut anywhere. Nothing is held but what the next chunk can still change: a blank or CR at the end, and the
number of empty lines seen last. A line ends in CRLF; Postfix has seen to that, and a bare CR or LF is a character of
its line. The hash is SHA-256, the only one left (RFC 8301); a signature that wants another is judged without it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from smtpy.signing.canonical import CRLF, squeezed

_BLOCK = 65_536  # octets worked on at a time
_EMPTY_LINES = CRLF * 4096


@dataclass(frozen=True, slots=True)
class BodySpec:
    """What to hash: the relaxed or the simple form, the first `length` octets of it or all (l= of a signature)."""

    relaxed: bool
    length: int | None = None


@dataclass(frozen=True, slots=True)
class BodyDigest:
    """`digest` is a SHA-256; `octets` the length of the whole body in that form, covered by the digest or not."""

    digest: bytes
    octets: int


OURS = BodySpec(relaxed=True)
"""What our own signatures and seals cover: all of the relaxed form."""


class BodyHashes:
    """Every hash that is asked of one body. `update` with each chunk in order, then `finish` once."""

    def __init__(self, specs: Iterable[BodySpec]) -> None:
        lengths: dict[bool, set[int | None]] = {}
        for spec in specs:
            lengths.setdefault(spec.relaxed, set()).add(spec.length)
        self._forms = tuple(_Form(relaxed, wanted) for relaxed, wanted in lengths.items())

    def update(self, chunk: bytes) -> None:
        """The next octets of the body, any number of them."""
        if self._forms:
            for start in range(0, len(chunk), _BLOCK):
                block = chunk[start : start + _BLOCK]
                for form in self._forms:
                    form.update(block)

    def finish(self) -> Mapping[BodySpec, BodyDigest]:
        """The digest for each spec asked for."""
        found: dict[BodySpec, BodyDigest] = {}
        for form in self._forms:
            found.update(form.finish())
        return found


class _Form:
    """One canonical form and its digests."""

    __slots__ = ("_digests", "_empty_lines", "_held", "_octets", "_relaxed")

    def __init__(self, relaxed: bool, lengths: Iterable[int | None]) -> None:
        self._relaxed = relaxed
        self._digests = tuple(_Digest(length) for length in lengths)
        self._held = b""
        self._empty_lines = 0  # line ends that count only if text follows
        self._octets = 0

    def update(self, block: bytes) -> None:
        data = self._held + block
        if self._relaxed:
            data = squeezed(data)
        end = len(data) - data.endswith(b"\r")
        if self._relaxed and data.endswith(b" ", 0, end):
            end -= 1
        self._held = data[end:]
        data = data[:end]
        self._lines(data.replace(b" \r\n", CRLF) if self._relaxed else data)

    def finish(self) -> Mapping[BodySpec, BodyDigest]:
        if self._held.endswith(b"\r"):
            self._lines(self._held)
        # A body without text is one line end in the simple form and nothing in the relaxed one; a last line without
        # an end is given one.
        if self._octets or not self._relaxed:
            self._emit(CRLF)
        return {BodySpec(self._relaxed, each.length): BodyDigest(each.finish(), self._octets) for each in self._digests}

    def _lines(self, data: bytes) -> None:
        text = data.rstrip(CRLF)
        # Bare CRs and LFs are text: they go back. Every line end becomes one character, so that rstrip can count them.
        ends = data[len(text) :].replace(CRLF, b" ")
        bare = ends.rstrip(b" ")
        if bare:
            text += bare.replace(b" ", CRLF)
        if text:
            self._emit_empty_lines()
            self._emit(text)
        self._empty_lines += len(ends) - len(bare)

    def _emit_empty_lines(self) -> None:
        while self._empty_lines:
            block = _EMPTY_LINES[: 2 * self._empty_lines]
            self._emit(block)
            self._empty_lines -= len(block) // 2

    def _emit(self, data: bytes) -> None:
        self._octets += len(data)
        for each in self._digests:
            each.update(data)


class _Digest:
    """A SHA-256 of the first `length` octets it is given, or of all."""

    __slots__ = ("_hash", "_room", "length")

    def __init__(self, length: int | None) -> None:
        self.length = length
        self._room = length
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        if self._room is None:
            self._hash.update(data)
        elif self._room:
            piece = data[: self._room]
            self._room -= len(piece)
            self._hash.update(piece)

    def finish(self) -> bytes:
        return self._hash.digest()

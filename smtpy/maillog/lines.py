"""Lines out of octets, as a file that is being written gives them: whole ones, each with the place where it begins.

Half a line waits for its end. One without an end within MAX_LINE octets is none of Postfix's, which cuts its own
at some 2,000, and is passed over up to its end, so that no rubbish fills the memory.
"""

from collections.abc import Iterator

MAX_LINE = 8192  # octets


class Lines:
    """`offset`: the place of the first octet to be fed; `before` those that stand there. Feed octets in order, take the
    lines that are whole."""

    KEPT = 256  # octets before the offset, by which the place is known again

    def __init__(self, offset: int = 0, before: bytes = b"") -> None:
        self.before = before[-self.KEPT :]
        self._offset = offset
        self._rest = b""
        self._passed = 0  # octets of a line that is too long

    @property
    def offset(self) -> int:
        """Where the line that is not whole yet begins: reading may go on from here, with new Lines."""
        return self._offset

    def feed(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """Whole lines, without their ends, and where they begin."""
        *ends, rest = octets.split(b"\n")
        for end in ends:
            line, passed = self._rest + end, self._passed
            self._rest, self._passed = b"", 0
            at, self._offset = self._offset, self._offset + passed + len(line) + 1
            self.before = b"%b%b\n" % (self.before, line[-self.KEPT :])
            self.before = self.before[-self.KEPT :]
            if not passed and len(line) <= MAX_LINE:
                yield at, line
        self._rest += rest
        if len(self._rest) > MAX_LINE:
            self._passed, self._rest = self._passed + len(self._rest), b""

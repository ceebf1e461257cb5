"""Messages for the tests of signing: read from a file, hashed, judged, as the milter would have it."""

from datetime import UTC, datetime

from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, read
from smtpy.signing import arc, dkim
from smtpy.signing.body import OURS, BodyDigest, BodyHashes, BodySpec
from smtpy.signing.header import Header

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOBODY = Envelope("", (), "")


class Letter:
    """A message in memory. `text` may have LF or CRLF line ends; the body is hashed with CRLF."""

    def __init__(self, text: bytes) -> None:
        text = text.replace(b"\r\n", b"\n")
        head, _, body = text.partition(b"\n\n")
        self.header = Header(read(head + b"\n", NOBODY).fields)
        self.body = body.replace(b"\n", b"\r\n")

    def digests(self, specs, chunk=65_535):
        """As the milter hands it over, in chunks."""
        hashes = BodyHashes(specs)
        for start in range(0, len(self.body), chunk):
            hashes.update(self.body[start : start + chunk])
        return hashes.finish()

    @property
    def digest(self) -> BodyDigest:
        """What our own signatures need."""
        return self.digests({OURS})[OURS]

    def verify(self, dns, now=NOW):
        found = dkim.signatures(self.header)
        return dkim.verify(self.header, found, self.digests(dkim.specs(found)), dns, now)

    def validate(self, dns, now=NOW):
        found = arc.chain(self.header)
        return arc.validate(self.header, found, self.digests(arc.specs(found)), dns, now)

    def topped(self, *fields: tuple[str, str]) -> "Letter":
        """The same with fields put on top, one after the other: the last ends topmost."""
        other = object.__new__(Letter)
        new = tuple(Field(name.encode(), b" " + value.encode()) for name, value in reversed(fields))
        other.header = Header((*new, *self.header.fields))
        other.body = self.body
        return other


def everything() -> frozenset[BodySpec]:
    """Every form, whole and cut."""
    return frozenset(BodySpec(relaxed, length) for relaxed in (True, False) for length in (None, 0, 1, 7, 10**9))

"""A message: envelope, header fields as received, size. The body is never held: nobody here may change it.

Fields keep their bytes, leading blank and folding included, because a signature made elsewhere may cover them
(RFC 6376 section 3.4.1). Lines inside a field end in LF, as the milter protocol hands them over.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from smtpy.mail.envelope import Envelope

MAX_FIELDS = 10_000  # a message with more is refused: each costs some twenty times its octets in memory


@dataclass(frozen=True, slots=True)
class Field:
    """One header field. `value` is all that stood behind the colon."""

    name: bytes
    value: bytes

    def named(self, name: str) -> bool:
        """Whether that is its name, letter case aside (RFC 5322 section 1.2.2)."""
        return self.name.lower() == name.lower().encode("ascii")


@dataclass(frozen=True, slots=True)
class Message:
    """`size` in octets: header and body as they arrived, without the dot-stuffing."""

    envelope: Envelope
    fields: tuple[Field, ...]
    size: int

    def values(self, name: str) -> Iterator[bytes]:
        """The values of the fields of that name, in order of appearance."""
        wanted = name.lower().encode("ascii")
        return (field.value for field in self.fields if field.name.lower() == wanted)

    @property
    def message_id(self) -> str | None:
        """The text of the first Message-ID field, at most 998 characters (RFC 5322 section 2.1.1)."""
        for value in self.values("Message-ID"):
            return value.decode("utf-8", "replace").strip()[:998]
        return None


def read(data: bytes, envelope: Envelope) -> Message:
    """The header of a message held in memory (CRLF or LF); a line that is no field ends the header, as in Postfix."""
    fields, _ = parts(data)
    return Message(envelope, fields, len(data))


def parts(data: bytes) -> tuple[tuple[Field, ...], bytes]:
    """The fields of such a message, and its body with the line ends of SMTP."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    at = 0
    while at < len(lines) and lines[at].startswith(b"From "):  # a mailbox file's own line
        at += 1
    fields: list[tuple[bytes, list[bytes]]] = []
    while at < len(lines):
        name, colon, value = lines[at].partition(b":")
        if lines[at][:1] in (b" ", b"\t") and fields:
            fields[-1][1].append(lines[at])
        elif colon and name.strip() and b" " not in name.rstrip() and b"\t" not in name.rstrip():
            fields.append((name.rstrip(), [value]))
        else:
            break
        at += 1
    if lines[at : at + 1] == [b""]:  # the empty line between the two
        at += 1
    return tuple(Field(name, b"\n".join(value)) for name, value in fields), b"\r\n".join(lines[at:])

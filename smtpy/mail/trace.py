"""The trace fields SMTPy leaves in a message: what it was called here, and which aliases it went through.

    SMTPy-Trace: id=0b6c...; m=kD3f0aQx9ZtV; s=u2Jx0w9QmA4cT1bE

`id` is the message's name in the journal. Each mark in `m` stands for one alias: an HMAC, so that a mark names an alias
to us and tells nothing to a reader. `s` signs the rest; a field whose signature is wrong was forged and is removed.
A message that comes back to an alias whose mark it carries has gone round in a circle.

SMTPy-Split carries the id of a message from the first pass to the second (docs/architecture.md), never further. Its `n`
is a note of what the first pass found out and the second cannot: who the client was.
"""

import base64
import hmac
from dataclasses import dataclass
from functools import lru_cache

from smtpy.mail.message import Message

PREFIX = "SMTPy-"
TRACE_FIELD = "SMTPy-Trace"
SPLIT_FIELD = "SMTPy-Split"

_MARK_LENGTH = 12  # characters of base64url, 72 bits
_SIGNATURE_LENGTH = 16
_MARKS_A_LINE = 5  # keeps a folded line under 78 characters (RFC 5322 section 2.1.1)

Keys = tuple[bytes, ...]
"""Secrets, newest first: the first signs, all are believed."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One passage through SMTPy: the message's id and the marks of the aliases that copy was for.

    `note` is ASCII without white space and semicolons.
    """

    id: str
    marks: tuple[str, ...]
    note: str = ""


def mark(key: bytes, alias: str) -> str:
    """The mark of an alias; `alias` is Address.key."""
    return _mac(key, "mark", alias)[:_MARK_LENGTH]


def marks(keys: Keys, alias: str) -> frozenset[str]:
    """Every mark that alias may have left, under the present secret and the older ones."""
    return frozenset(mark(key, alias) for key in keys)


def write(trace: Trace, key: bytes) -> str:
    """The value of a signed trace field, folded with LF and a tab."""
    runs = [",".join(trace.marks[i : i + _MARKS_A_LINE]) for i in range(0, len(trace.marks), _MARKS_A_LINE)]
    listed = ",\n\t".join(runs)
    note = f" n={trace.note};" if trace.note else ""
    return f"id={trace.id}; m={listed};{note} s={_sign(key, trace)}"


def read(value: bytes, keys: Keys) -> Trace | None:
    """What a trace field says; None when it does not bear our signature."""
    try:
        text = "".join(value.decode("ascii").split())
    except UnicodeDecodeError:
        return None
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    trace = Trace(parts.get("id", ""), tuple(parts.get("m", "").split(",")), parts.get("n", ""))
    given = parts.get("s", "")
    genuine = any(hmac.compare_digest(_sign(key, trace), given) for key in keys)
    return trace if genuine else None


def first_pass(message: Message, keys: Keys) -> Trace | None:
    """What the first pass says of a message; None when it did not come from there."""
    for value in message.values(SPLIT_FIELD):
        if found := read(value, keys):
            return found
    return None


def goes_round(seen: tuple[Trace, ...], alias_marks: frozenset[str]) -> bool:
    """Whether a message with these traces has been through that alias before.

    A trace with one mark proves it. A trace with several was shared by copies for several aliases, of which this may be
    another one's; it takes two of those.
    """
    passed = [trace for trace in seen if not alias_marks.isdisjoint(trace.marks)]
    return len(passed) > 1 or any(len(trace.marks) == 1 for trace in passed)


def _sign(key: bytes, trace: Trace) -> str:
    note = f";{trace.note}" if trace.note else ""
    return _mac(key, "trace", trace.id + ";" + ",".join(trace.marks) + note)[:_SIGNATURE_LENGTH]


def _mac(key: bytes, purpose: str, text: str) -> str:
    keyed = _keyed(key).copy()
    keyed.update(f"{purpose}\0{text}".encode())
    return base64.urlsafe_b64encode(keyed.digest()).decode("ascii")


@lru_cache(maxsize=64)
def _keyed(key: bytes) -> hmac.HMAC:
    """To be copied: that takes a tenth of the time in which OpenSSL makes one anew."""
    return hmac.new(key, digestmod="sha256")

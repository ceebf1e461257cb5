"""The making of a signature field: which fields it covers, how it is folded, where the signature goes.

It is always relaxed/relaxed, whose folds may fall where they like but in h=: a blank there is part of what is signed.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from smtpy.mail.message import Field
from smtpy.signing import canonical
from smtpy.signing.header import Header
from smtpy.signing.key import Signer
from smtpy.signing.signature import MAX_NAMES

WIDTH = 76  # characters of a line (RFC 5322 section 2.1.1 would like 78)
FOLD = "\n\t"

# Named once more than they stand there: nobody may add another, nor the first of them (RFC 6376 section 8.15).
OVERSIGNED = (
    *(b"from", b"to", b"cc", b"subject", b"date", b"reply-to", b"message-id"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding"),
)
# Named as often as they stand there: who passes the message on may add his own.
SIGNED = (
    *(b"sender", b"in-reply-to", b"references"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"list-help", b"list-post"),
    *(b"list-subscribe", b"list-owner", b"list-archive"),
    *(b"resent-date", b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-message-id"),
)


class Unsignable(ValueError):
    """This message is not to be signed; the text says why and repeats nothing of it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What a signature covers of a header, worked out once for all signers: the value of h=, the fields it names."""

    names: str
    text: bytes


def covered(header: Header, more: Iterable[bytes] = ()) -> Covered:
    """What to cover of a message; `more` names are treated as SIGNED. Raises Unsignable."""
    names = covered_names(header, more)
    return Covered(names_list(names), header.chosen(names, relaxed=True))


def covered_names(header: Header, more: Iterable[bytes] = ()) -> tuple[bytes, ...]:
    """The h= list for a message; `more` names are treated as SIGNED. Raises Unsignable."""
    if len(header.positions(b"from")) != 1:
        raise Unsignable("message has not exactly one From field")  # RFC 6376 section 5.1, RFC 5322 section 3.6
    names = [name for name in OVERSIGNED for _ in (None, *header.positions(name))]
    names += [name for name in (*SIGNED, *more) for _ in header.positions(name)]
    if len(names) > MAX_NAMES:
        raise Unsignable("message has too many fields to sign")
    return tuple(names)


def names_list(names: Iterable[bytes]) -> str:
    """The value of h=, folded behind colons."""
    return _joined([name.decode("ascii") for name in names], ":", "")


def base64_of(octets: bytes) -> str:
    """As b= and bh= want it."""
    return base64.b64encode(octets).decode("ascii")


def made(name: str, tags: Mapping[str, str], covered: bytes, signer: Signer) -> str:
    """The value of the field with these tags in this order, its empty b= filled in.

    `covered` is the canonical text of what else is signed.
    """
    unsigned = "; ".join(f"{tag}={value}" for tag, value in tags.items())
    own = canonical.relaxed(Field(name.encode("ascii"), unsigned.encode("utf-8")))
    signature = base64_of(signer.sign(covered + own.removesuffix(canonical.CRLF)))
    filled = {**tags, "b": _cut(signature)}
    return _joined([f"{tag}={value}" for tag, value in filled.items()], ";", " ")


def _joined(parts: Sequence[str], separator: str, blank: str) -> str:
    """The parts in lines: a fold stands for the blank. The last line of a folded part counts."""
    here, below = separator + blank, separator + FOLD
    room = WIDTH - len(here)
    pieces = [parts[0]]
    width = len(parts[0]) + 16  # the name of the field
    for part in parts[1:]:
        folded = part.find(FOLD)
        fits = width + (len(part) if folded < 0 else folded) < room
        pieces += (here if fits else below, part)
        if folded >= 0:
            width = len(part) - part.rfind(FOLD) - len(FOLD)
        else:
            width = width + len(here) + len(part) if fits else len(part)
    return "".join(pieces)


def _cut(text: str) -> str:
    return FOLD.join(text[start : start + WIDTH - 6] for start in range(0, len(text), WIDTH - 6))

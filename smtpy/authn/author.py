"""From: whose message is this, and what to write there when it may not stay.

The addresses are read by `mailboxes`, which refuses what could be read in two ways. `rewritten` makes

    From: "A friend via hello@demo.example" <hello@demo.example>

of "A friend" <friend@sender.example>. Encoded words stay the words they were, since nobody here knows their charset;
raw UTF-8 becomes encoded words; nothing that could end a line or a quoted string passes.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from smtpy.authn.mailboxes import BadAuthor, Mailbox, NoDomain, mailboxes
from smtpy.authn.structured import Kind, Token, values
from smtpy.mail.address import Address, BadAddress, parse_domain
from smtpy.mail.message import Field

__all__ = ["Author", "BadAuthor", "NoDomain", "authors", "mentioned", "named", "rewritten"]

MAX_PHRASE = 200  # characters of a display name that are kept
LINE = 72  # characters: RFC 5322 section 2.1.1 wants 78 at most, of which the first line has six for `From: `
# Broken ones hold commas and brackets, which others would take for what parts addresses; "Q" can say them as =XX.
_ENCODED_WORD = re.compile(r"=\?[A-Za-z0-9*_.-]+\?(?:[Qq]\?[!-~]*|[Bb]\?[A-Za-z0-9+/=]*)\?=\Z")
_ILLEGAL = re.compile(r"[^A-Za-z0-9!*+/=_?.-]")  # in a phrase, RFC 2047 section 5 (3); the dot stands in charsets only
_COMMENT = re.compile(rb"\([^()]*\)")
_BEHIND_AT = re.compile(rb"@\s*([A-Za-z0-9_&\x80-\xff-]+(?:\s*\.\s*[A-Za-z0-9_&\x80-\xff-]+)*)")
_ENCODED_OCTETS = 42  # of UTF-8 that fit an encoded word of 75 characters (RFC 2047 section 2)


@dataclass(frozen=True, slots=True)
class Author:
    """`phrase` is the display name as it was written, unfolded; empty when there is none."""

    address: Address
    phrase: bytes


def authors(fields: Iterable[Field]) -> tuple[Author, ...]:
    """Whom the From field names; nobody when it is absent or empty. Raises BadAuthor, also for a second From field."""
    found = values(fields, b"from")
    if len(found) > 1:
        raise BadAuthor("there is more than one From field")
    return named(found[0]) if found else ()


def named(value: bytes) -> tuple[Author, ...]:
    """Whom an address list names: From, Reply-To, To and their kind. Raises BadAuthor."""
    text, found = mailboxes(value)
    return tuple(Author(each.address, _phrase(text, each)) for each in found)


def _phrase(text: bytes, mailbox: Mailbox) -> bytes:
    return text[mailbox.words[0].start : mailbox.words[-1].end] if mailbox.words else b""


def mentioned(fields: Iterable[Field]) -> tuple[str, ...]:
    """Every domain that some reader may take from a From field which cannot be read, each once, in A-labels."""
    text = b"\n".join(field.value for field in fields if field.named("From"))
    found = (b"".join(each.split()).decode("utf-8", "replace") for each in _BEHIND_AT.findall(_COMMENT.sub(b"", text)))
    return tuple(dict.fromkeys(_a_labels(each) for each in found if "." in each))


def _a_labels(domain: str) -> str:
    try:
        return parse_domain(domain)
    except BadAddress:
        return domain.strip(".-").lower()


def rewritten(value: bytes, alias: str) -> str | None:
    """A From value that names the alias, folded with LF and a tab; None unless one author can be read.

    `alias` in its external form, as str(Address) gives it.
    """
    try:
        _, found = mailboxes(value)
    except BadAuthor:
        return None
    if len(found) != 1:
        return None
    words = [part for part in _words(found[0].words) if part[1].strip()] or [("plain", str(found[0].address))]
    return _folded([*_written([*words, ("plain", f"via {alias}")]), f"<{alias}>"])


def _words(given: Iterable[Token]) -> Iterator[tuple[str, str]]:
    """The words of a display name, as ("encoded" | "plain", text), within MAX_PHRASE; none where one cannot be read."""
    try:
        decoded = [token.text.decode("utf-8") for token in given]
    except UnicodeDecodeError:
        return
    left = MAX_PHRASE
    for token, text in zip(given, decoded, strict=True):
        encoded = _ENCODED_WORD.match(text) if token.kind is Kind.WORD else None
        if encoded and len(text) > left:
            return
        yield ("encoded", _ILLEGAL.sub(_as_hex, text)) if encoded else ("plain", text[:left])
        left -= len(text) + 1
        if left <= 0:
            return


def _as_hex(found: re.Match[str]) -> str:
    return f"={ord(found[0]):02X}"


def _written(parts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Encoded words one by one; plain words that follow each other as one quoted string, or encoded when not ASCII."""
    for kind, run in groupby(parts, key=lambda part: part[0]):
        if kind == "encoded":
            yield from (text for _, text in run)
            continue
        text = " ".join(" ".join(text for _, text in run).split())
        if text.isascii():
            yield '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        else:
            yield from _encoded(text)


def _encoded(text: str) -> Iterator[str]:
    """Encoded words of at most 75 characters, each of whole characters (RFC 2047 sections 2 and 5)."""
    octets = b""
    for character in text:
        if len(octets) + len(character.encode()) > _ENCODED_OCTETS:
            yield _encoded_word(octets)
            octets = b""
        octets += character.encode()
    yield _encoded_word(octets)


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="


def _folded(parts: Iterable[str]) -> str:
    """Parts in lines, broken between parts only."""
    lines = [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + 1 + len(part) > LINE:
            lines.append(part)
        else:
            lines[-1] += f" {part}" if lines[-1] else part
    return "\n\t".join(lines)

"""Structured header fields cut into tokens: blanks, comments, quoted strings, atoms (RFC 5322 section 3.2).

Bytes in, tokens out; linear, without recursion, and the same on every Python, which cannot be said of the standard
library. Refuses what two readers could read differently: a comment or a quoted string that does not end, comments
nested too deep, a field that is too long or has too many parts. A token keeps where it stood, so that "next to" can be
told from "after".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from smtpy.mail.message import Field

MAX_FIELD = 16_384  # octets
MAX_DEPTH = 50  # comments within comments
MAX_TOKENS = 2000  # a field of an honest sender has some ten, a long list of addresses a few hundred

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_COMMENT = re.compile(rb"[^()\\]++|\\.|[()\\]", re.DOTALL)
QUOTED = re.compile(rb'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_PAIR = re.compile(rb"\\(.)", re.DOTALL)


class Unreadable(ValueError):
    """The field is not what its grammar allows; the message says why and is safe to show."""


class Kind(Enum):
    """What a token is. WORD is whatever the reader's own expression took."""

    WORD = 0
    QUOTED = 1
    SPECIAL = 2


@dataclass(frozen=True, slots=True)
class Token:
    """`text` of a quoted string is without its quotes; `start` and `end` are places in the unfolded value."""

    kind: Kind
    text: bytes
    start: int
    end: int

    def is_special(self, text: bytes) -> bool:
        """Whether it is that special character."""
        return self.kind is Kind.SPECIAL and self.text == text


def values(fields: Iterable[Field], name: bytes) -> list[bytes]:
    """The values of the fields of that name, given in lower case; a blank before the colon hides none of them."""
    return [field.value for field in fields if field.name.rstrip(b" \t").lower() == name]


def unfold(value: bytes) -> bytes:
    """A field's value in one line (RFC 5322 section 2.2.3). Raises Unreadable."""
    if len(value) > MAX_FIELD:
        raise Unreadable(f"the field is longer than {MAX_FIELD} octets")
    return _FOLD.sub(b"", value)


def tokens(text: bytes, word: re.Pattern[bytes]) -> Iterator[Token]:
    """The tokens of an unfolded value; blanks, control characters and comments part them. Raises Unreadable.

    `word` says what an atom is; an octet that is in none is a special.
    """
    at = count = 0
    while at < len(text):
        if text[at] <= 0x20 or text[at] == 0x7F:
            at += 1
        elif text[at : at + 1] == b"(":
            at = comment_end(text, at)
        else:
            count += 1
            if count > MAX_TOKENS:
                raise Unreadable("the field has too many parts")
            found = _token(text, at, word)
            yield found
            at = found.end


def _token(text: bytes, at: int, word: re.Pattern[bytes]) -> Token:
    """The token that begins there. Raises Unreadable."""
    if text[at : at + 1] == b'"':
        if found := QUOTED.match(text, at):
            return Token(Kind.QUOTED, unquoted(found), at, found.end())
        raise Unreadable("a quoted string does not end")
    if found := word.match(text, at):
        return Token(Kind.WORD, found[0], at, found.end())
    return Token(Kind.SPECIAL, text[at : at + 1], at, at + 1)


def unquoted(found: re.Match[bytes]) -> bytes:
    """What a match of QUOTED stands for."""
    return _PAIR.sub(rb"\1", found[1])


def comment_end(text: bytes, start: int) -> int:
    """Where the comment that begins at `start` is over. Raises Unreadable."""
    depth = 0
    for found in _COMMENT.finditer(text, start):
        if found[0] == b"(":
            depth += 1
            if depth > MAX_DEPTH:
                raise Unreadable(f"comments are nested more than {MAX_DEPTH} deep")
        elif found[0] == b")":
            depth -= 1
            if not depth:
                return found.end()
    raise Unreadable("a comment does not end")

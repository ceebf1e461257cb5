"""Reading Authentication-Results (RFC 8601 section 2.2), also as ARC-Authentication-Results holds them.

Tolerant where nothing hangs on it: comments anywhere, a stray semicolon, unknown words, values full of "=". What is
read here was written by others: whether to believe it is for those who ask. `forged` finds the fields that claim to be
ours.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from smtpy.authn.structured import MAX_FIELD, QUOTED, Token, Unreadable, comment_end, tokens, unfold, unquoted, values
from smtpy.mail.address import BadAddress, parse_domain
from smtpy.mail.message import Field

FIELD = "Authentication-Results"

_WORD = re.compile(rb'[^\x00-\x20\x7f()"\\;=/]++')
_TOKEN = re.compile(rb'[^\x00-\x20\x7f()<>@,;:\\"/\[\]?=]*+')
_JOINS = (b".", b"/")


@dataclass(frozen=True, slots=True)
class Statement:
    """What was found by one method. `properties` as ("smtp.mailfrom", "a@sender.example"); names in lower case."""

    method: str
    result: str
    reason: str
    properties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """One field. `authserv_id` as it was written; "" in fields of servers that leave it out."""

    authserv_id: str
    version: str
    statements: tuple[Statement, ...]


def read(value: bytes) -> Read | None:
    """What a field says; None when it cannot be read."""
    try:
        given = tuple(tokens(unfold(value), _WORD))
    except Unreadable:
        return None
    head, *rest = _split(given)
    if any(token.is_special(b"=") for token in head):
        head, rest = (), [head, *rest]
    if not head and not rest:
        return None
    name, version = [*(_text(token.text) for token in head[:2]), "", ""][:2]
    return Read(name, version, tuple(filter(None, map(_statement, rest))))


def _split(given: Sequence[Token]) -> list[Sequence[Token]]:
    """The tokens between semicolons."""
    runs: list[list[Token]] = [[]]
    for token in given:
        if token.is_special(b";"):
            runs.append([])
        else:
            runs[-1].append(token)
    return list(runs)


def _statement(run: Sequence[Token]) -> Statement | None:
    """`method/version = result reason=... ptype.property=...`; None for the word `none`, which states nothing."""
    found = list(_pairs(run))
    if not found:
        return None
    (name, result), *rest = found
    method = name.partition("/")[0]
    if not method:
        return None
    reasons = [value for key, value in rest if key == "reason"]
    properties = tuple(pair for pair in rest if "." in pair[0])
    return Statement(method, result.lower(), reasons[0] if reasons else "", properties)


def _pairs(run: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Names and values. A blank ends a value; it may stand round the dot and the slash of a name, and round its "="."""
    name, at = b"", 0
    while at < len(run):
        token = run[at]
        at += 1
        if not token.is_special(b"="):
            gap = at > 1 and run[at - 2].end != token.start
            joined = name.endswith(_JOINS) or token.text.startswith(_JOINS)
            name = token.text if gap and not joined else name + token.text
            continue
        value, end = b"", run[at].start if at < len(run) else 0
        while at < len(run) and run[at].start == end:
            value, end, at = value + run[at].text, run[at].end, at + 1
        if name:
            yield _text(name).lower(), _text(value)
        name = b""


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def forged(fields: Iterable[Field], authserv_id: str) -> tuple[int, ...]:
    """Which Authentication-Results fields bear our id, counted from 1 among the fields of that name, top first.

    All are to be removed before ours is written (RFC 8601 section 5). One that is too long, or whose id cannot be read,
    is taken for ours when our id stands anywhere in it.
    """
    ours = _comparable(authserv_id.encode())
    found = values(fields, FIELD.lower().encode())
    return tuple(index for index, value in enumerate(found, 1) if _claims(value, ours))


def _claims(value: bytes, ours: str) -> bool:
    try:
        found = _leading(value) if len(value) <= MAX_FIELD else b""
    except Unreadable:
        found = b""
    return _comparable(found) == ours if found else ours.encode() in value.lower()


def _leading(value: bytes) -> bytes:
    """The first word of a value: its authserv-id. b"" where there is none. Raises Unreadable."""
    at = 0
    while at < len(value) and (value[at] <= 0x20 or value[at] in b"\x7f("):
        at = comment_end(value, at) if value[at] == ord("(") else at + 1
    if found := QUOTED.match(value, at):
        return unquoted(found)
    found = _TOKEN.match(value, at)
    return found[0] if found else b""


def _comparable(authserv_id: bytes) -> str:
    """An id as it is compared: a host name in A-labels, else in lower case."""
    text = _text(authserv_id).strip().rstrip(".").lower()
    try:
        return parse_domain(text)
    except BadAddress:
        return text

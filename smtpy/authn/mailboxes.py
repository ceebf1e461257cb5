"""Address lists, as in From: exactly the addresses every reader of the field must see, or a refusal.

    "A friend" <friend@sender.example>     friend@sender.example
    ceo@bank.example <a@sender.example>    BadAuthor: some programs show one address, some the other

RFC 5322 section 3.4 with groups (RFC 6854) and without its obsolete forms but two: the source route, which is dropped,
and empty members of a list. An encoded word is text and is never decoded into an address.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smtpy.authn.structured import Kind, Token, Unreadable, tokens, unfold
from smtpy.mail.address import ANY_LENGTH, Address, BadAddress, parse

# Encoded words first, because broken ones hold specials (RFC 2047 section 5 forbids them); then domain literals, atoms.
_WORD = re.compile(
    rb'=\?[A-Za-z0-9*_.-]++\?[BbQq]\?[^\x00-\x20\x7f?@<>"]*+\?='
    rb"|\[[^\x00-\x1f\x7f\[\]\\]*+\]"
    rb'|[^\x00-\x20\x7f()<>@,;:"\[\]\\]++'
)
_SEVERAL = re.compile(rb"[@,;:]")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LOOKS_LIKE_AN_ADDRESS = re.compile(rb"[@<>]")


class BadAuthor(Unreadable):
    """The field names nobody for certain; the message says why and is safe to show."""


class NoDomain(BadAuthor):
    """One word that is no address, such as `root`: nothing that DMARC could judge."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, and the tokens of the display name before it."""

    address: Address
    words: tuple[Token, ...]


def mailboxes(value: bytes) -> tuple[bytes, tuple[Mailbox, ...]]:
    """The value in one line, of which the tokens tell the places, and the mailboxes in it. Raises BadAuthor."""
    try:
        text = unfold(value).strip()
        if _CONTROL.search(text):
            raise BadAuthor("the field holds a control character")
        return text, tuple(_list(text, tuple(tokens(text, _WORD))))
    except NoDomain as bad:
        if _SEVERAL.search(text):  # one of several, or what could be: then it is no answer for the field
            raise BadAuthor(str(bad)) from None
        raise
    except BadAuthor:
        raise
    except (Unreadable, BadAddress) as bad:
        raise BadAuthor(str(bad)) from None


def _list(text: bytes, given: Sequence[Token]) -> Iterator[Mailbox]:
    """The members of an address list; those of a group count like others."""
    grouped = False
    for run, end in _runs(given):
        if end == b":":
            if grouped or not run or any(token.kind is Kind.SPECIAL for token in run):
                raise BadAuthor("a colon stands where none may")
            grouped = True
            continue
        if run:
            yield _mailbox(text, run)
        if end == b";":
            if not grouped:
                raise BadAuthor("a semicolon stands where none may")
            grouped = False
    if grouped:
        raise BadAuthor("a group does not end")


def _runs(given: Sequence[Token]) -> Iterator[tuple[list[Token], bytes]]:
    """The tokens between separators, each run with the separator behind it; none separates within angle brackets."""
    run: list[Token] = []
    within = False
    for token in given:
        if token.kind is Kind.SPECIAL and token.text in (b"<", b">"):
            if within is (token.text == b"<"):
                raise BadAuthor("angle brackets do not match")
            within = not within
        elif token.kind is Kind.SPECIAL and token.text in (b",", b";", b":") and not within:
            yield run, token.text
            run = []
            continue
        run.append(token)
    yield run, b""


def _mailbox(text: bytes, run: Sequence[Token]) -> Mailbox:
    """One member of a list: an address, or words and an address in angle brackets."""
    opens = next((at for at, token in enumerate(run) if token.is_special(b"<")), None)
    if opens is None:
        return Mailbox(_address(text, run), ())
    words = tuple(run[:opens])
    if not run[-1].is_special(b">"):
        raise BadAuthor("the angle brackets do not end the address")
    within = run[opens + 1 : -1]
    if _plain(words).strip(b"'") == _plain(within):
        words = ()  # `a@b.example <a@b.example>`: many programs write that, and there is nothing to mistake
    for word in words:
        if word.kind is Kind.SPECIAL or (word.kind is Kind.WORD and _LOOKS_LIKE_AN_ADDRESS.search(word.text)):
            raise BadAuthor("the name before the address could be taken for another address")
    return Mailbox(_address(text, _without_route(within)), words)


def _plain(run: Sequence[Token]) -> bytes:
    return b"".join(token.text for token in run).lower()


def _without_route(run: Sequence[Token]) -> Sequence[Token]:
    """RFC 5322 section 4.4: a source route is to be ignored."""
    if not run or not run[0].is_special(b"@"):
        return run
    ends = next((at for at, token in enumerate(run) if token.is_special(b":")), None)
    if ends is None:
        raise BadAuthor("a source route does not end")
    return run[ends + 1 :]


def _address(text: bytes, run: Sequence[Token]) -> Address:
    """One address. parse() takes neither blanks nor comments within, which RFC 5322 section 3.4.1 says not to make."""
    if not run:
        raise BadAuthor("the address is empty")
    if not any(token.is_special(b"@") for token in run):
        alone = len(run) == 1 and run[0].kind is Kind.WORD and not run[0].text.startswith(b"=?")
        raise (NoDomain if alone else BadAuthor)("the address has no domain")
    return parse(text[run[0].start : run[-1].end], max_local=ANY_LENGTH)

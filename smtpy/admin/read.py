"""Input of administrative acts, read at the rim: addresses, domains, patterns, modes. Raises Invalid with the rule."""

import re
import unicodedata
from datetime import UTC, datetime

from smtpy.admin.refusals import Invalid
from smtpy.directory.entries import Mode
from smtpy.directory.patterns import MAX_PATTERN, BadPattern, compiled
from smtpy.directory.resolve import ROUTING_CHARACTERS
from smtpy.mail.address import MAX_LOCAL, Address, BadAddress, fold, parse, parse_domain
from smtpy.routing.internal import is_internal
from smtpy.srs import is_return_address
from smtpy.store.schema import MAX_NAME, MAX_NOTE, MAX_TAG

MAX_ANNOUNCEMENT = 1000  # characters
# Unicode's Bidi_Control: what turns the writing round, and with it whatever stands behind it on a page.
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_JOINERS = "\u200c\u200d"  # not seen, and needed to write Persian and to draw emoji


def address(field: str, text: str) -> Address:
    """An address as SMTP takes it, without what is not seen: it could be read as another (RFC 8264 section 9.13)."""
    try:
        found = parse(text)
    except BadAddress as bad:
        raise Invalid(field, f"{text} is no address: {bad}.") from None
    if any(unicodedata.category(character) == "Cf" for character in found.local):
        shown = found.local.encode("ascii", "backslashreplace").decode()
        raise Invalid(field, f"{shown} has a character that is not seen, or turns the writing round. Leave it out.")
    return found


def alias_address(text: str) -> Address:
    """An address that an alias may have: none that the mail path reads in another way."""
    found = address("address", text)
    if not ROUTING_CHARACTERS.isdisjoint(found.local):
        raise Invalid("address", f"{text}: the characters % ! @ : are refused on the mail path. Leave them out.")
    if is_return_address(found.local):
        raise Invalid("address", f"{text}: SRS0, SRS1 and SRST begin return addresses. Choose another name.")
    if len(fold(found.local).encode()) > MAX_LOCAL:  # "İ" is two octets, and three when it is folded
        raise Invalid("address", f"{text} is longer than {MAX_LOCAL} octets in small letters. Choose a shorter name.")
    return found


def mailbox_address(text: str) -> Address:
    """An address that a mailbox may have: one that every server outside takes, and none that leads back in."""
    found = address("address", text)
    if is_internal(found.domain):
        raise Invalid("address", f"{text}: {found.domain} is used within the service. Name a mailbox elsewhere.")
    if not found.ascii:  # RFC 6531 section 3.4: it needs SMTPUTF8, which a message in ASCII does not leave with
        raise Invalid("address", f"{text}: many servers take a mailbox in ASCII only. Name one of its other addresses.")
    return found


def domain_name(text: str) -> str:
    """A domain that may be ours, in A-labels."""
    try:
        name = parse_domain(text.rstrip("."))
    except BadAddress as bad:
        raise Invalid("domain", f"{text} is no address: {bad}.") from None
    if name.startswith("["):
        raise Invalid("domain", f"{text} is an IP address. Give the name of a domain.")
    if is_internal(name):
        raise Invalid("domain", f"{text} is used within the service. Choose another name.")
    return name


def mode(value: Mode) -> Mode:
    """A mode this version has."""
    if value is Mode.PRIVATE:
        raise Invalid("mode", "Mode private needs reply addresses, which this version has not. Use transparent.")
    return value


def note(text: str) -> str:
    """What its owner says about something."""
    return _words("note", text, MAX_NOTE)


def name(text: str) -> str:
    """A person's name."""
    return line("name", text.strip(), MAX_NAME)


def line(field: str, text: str, most: int) -> str:
    """Words on one line, which may stand in a header of a message."""
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise Invalid(field, f"The {field} has a line break or another control character. Write it on one line.")
    _refuse_unseen(field, text)
    return _words(field, text, most)


def _refuse_unseen(field: str, text: str) -> None:
    """Raises Invalid: two of these would look the same."""
    if any(unicodedata.category(each) == "Cf" and each not in _JOINERS for each in text):
        raise Invalid(field, f"The {field} has a character that is not seen, or turns the writing round. Leave it out.")


def tag(text: str) -> str:
    """A tag: a word or two in small letters. A comma stands between tags, never in one."""
    _refuse_unseen("tags", text)
    found = " ".join(_words("tags", text, MAX_NOTE).lower().split())
    if len(found) > MAX_TAG:
        raise Invalid("tags", f"A tag has at most {MAX_TAG} characters. Shorten it.")
    if not found or "," in found:
        raise Invalid("tags", "A tag is a word or two, without a comma.")
    return found


def announcement(text: str) -> str:
    """What an administrator tells everybody."""
    words = _words("text", text.strip(), MAX_ANNOUNCEMENT)
    if not words:
        raise Invalid("text", "Write what is to be told.")
    return words


def _words(field: str, text: str, most: int) -> str:
    """Text that both databases can hold: no NUL, and no lone surrogate, which stands for what is not UTF-8. Nor what
    turns the writing round."""
    if len(text) > most:
        raise Invalid(field, f"The {field} has at most {most} characters. Shorten it.")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise Invalid(field, f"The {field} is not UTF-8 text. Write it again.")
    if TURNING.search(text):
        raise Invalid(field, f"The {field} has a character that is not seen, or turns the writing round. Leave it out.")
    return text


def pattern(text: str) -> str:
    """A pattern RE2 takes."""
    try:
        compiled(_words("pattern", text, MAX_PATTERN))
    except BadPattern as bad:
        raise Invalid("pattern", f"The {bad}.") from None
    if not text:
        raise Invalid("pattern", "An empty pattern matches no address. Use the catch-all of the domain for all.")
    return text


def moment(field: str, text: str) -> datetime:
    """A time in ISO 8601; without a zone it is UTC, without an hour it is the start of the day."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # overflow: in UTC it is before the year 1 or after the year 9999
        raise Invalid(field, f"{text} is no time. Write it as 2030-12-31 or 2030-12-31T18:00:00+01:00.") from None

"""Input of administrative acts, read at the rim: addresses, domains, patterns, modes. Raises Invalid with the rule."""

from datetime import UTC, datetime

from smtpy.admin.refusals import Invalid
from smtpy.directory.entries import Mode
from smtpy.directory.patterns import BadPattern, compiled
from smtpy.mail.address import Address, BadAddress, parse, parse_domain
from smtpy.routing.internal import DROP_ADDRESS, SPLIT_DOMAIN
from smtpy.srs import is_return_address
from smtpy.store.schema import MAX_NOTE

_ROUTING_CHARACTERS = frozenset("%!@:")
_INTERNAL = (SPLIT_DOMAIN, DROP_ADDRESS.rpartition("@")[2])


def address(field: str, text: str) -> Address:
    """An address as SMTP takes it."""
    try:
        return parse(text)
    except BadAddress as bad:
        raise Invalid(field, f"{text}: {bad}") from None


def alias_address(text: str) -> Address:
    """An address that an alias may have: none that the mail path reads in another way."""
    found = address("address", text)
    if not _ROUTING_CHARACTERS.isdisjoint(found.local):
        raise Invalid("address", f"{text}: the characters % ! @ : are refused on the mail path; leave them out")
    if is_return_address(found.local):
        raise Invalid("address", f"{text}: SRS0, SRS1 and SRST begin return addresses; choose another name")
    return found


def domain_name(text: str) -> str:
    """A domain that may be ours, in A-labels."""
    try:
        name = parse_domain(text.rstrip("."))
    except BadAddress as bad:
        raise Invalid("domain", f"{text}: {bad}") from None
    if name.startswith("["):
        raise Invalid("domain", f"{text}: an address literal is no domain")
    if name in _INTERNAL:
        raise Invalid("domain", f"{text} is used within the service; choose another name")
    return name


def mode(value: Mode) -> Mode:
    """A mode this version has."""
    if value is Mode.PRIVATE:
        raise Invalid("mode", "mode private needs reply addresses, which this version has not; use transparent")
    return value


def note(text: str) -> str:
    """A note of bearable length."""
    if len(text) > MAX_NOTE:
        raise Invalid("note", f"a note has at most {MAX_NOTE} characters")
    return text


def pattern(text: str) -> str:
    """A pattern RE2 takes."""
    try:
        compiled(text)
    except BadPattern as bad:
        raise Invalid("pattern", str(bad)) from None
    return text


def moment(field: str, text: str) -> datetime:
    """A time in ISO 8601; without a zone it is UTC, without an hour it is the start of the day."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(field, f"{text}: a time is written 2030-12-31 or 2030-12-31T18:00:00+01:00") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)

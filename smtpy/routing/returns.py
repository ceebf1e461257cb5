"""The reverse-path a forwarded message leaves with: on the alias's domain, so that SPF is ours to pass (RFC 7208).

The null reverse-path stays null (RFC 5321 section 4.5.5: a report must not be reported on). A sender whose SRS form
fits no local part of 64 octets or would be taken for a route, or that is no address at all, leaves under a stored
token.
"""

from dataclasses import dataclass
from datetime import datetime

from smtpy.mail.address import ANY_LENGTH, MAX_LOCAL, Address, BadAddress, parse, quote
from smtpy.srs import Srs, day_of, stored

# Postfix relays a%b@our.example, b!a@our.example and "a@b"@our.example for nobody outside (allow_untrusted_routing), so
# no report would come back to a return address with one of these.
_ROUTING_CHARACTERS = frozenset("%!@")


@dataclass(frozen=True, slots=True)
class ReturnPath:
    """`path` without angle brackets; with a `token`, the sender must be stored under it before the message leaves."""

    path: str
    token: str | None = None


def return_path(sender: str, domain: str, srs: Srs, key: bytes, now: datetime) -> ReturnPath:
    """The reverse-path on `domain` that leads back to `sender`."""
    if not sender:
        return ReturnPath("")
    try:
        address = parse(sender, max_local=ANY_LENGTH)
    except BadAddress:
        return _stored(sender, domain, key)
    local = srs.forward(address.local, address.domain, day_of(now))
    if len(quote(local).encode()) > MAX_LOCAL or not _ROUTING_CHARACTERS.isdisjoint(local):
        return _stored(sender, domain, key)
    return ReturnPath(str(Address(local, domain)))


def _stored(sender: str, domain: str, key: bytes) -> ReturnPath:
    local, token = stored(key, sender)
    return ReturnPath(f"{local}@{domain}", token)

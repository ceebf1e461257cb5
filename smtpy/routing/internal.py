"""The addresses that only SMTPy's own Postfix may use, in domains that no one outside can reach (RFC 6761: .invalid).

When the recipients of one message need different edits, the milter readdresses each to `local=domain@split.invalid`;
Postfix makes a copy for each and sends it to a second smtpd, where the same milter gives it its own plan. Mail for an
alias whose owner wants it dropped goes to DROP_ADDRESS, which Postfix's discard(8) swallows. postfix/main.cf names
both domains in transport_maps.
"""

from smtpy.mail.address import Address, BadAddress, is_within, parse

SPLIT_DOMAIN = "split.invalid"
DROP_DOMAIN = "drop.invalid"
DROP_ADDRESS = f"drop@{DROP_DOMAIN}"

_MAX_LOCAL = 320  # octets: an address inside a local part


def is_internal(domain: str) -> bool:
    """Whether a domain in A-labels, or one above it, is for our own Postfix only."""
    return any(is_within(domain, each) for each in (SPLIT_DOMAIN, DROP_DOMAIN))


def split_address(address: Address) -> str:
    """The internal address that stands for one recipient on its way to the second pass."""
    return str(Address(f"{address.local}={address.domain}", SPLIT_DOMAIN))


def unsplit(recipient: str) -> Address | None:
    """The recipient an internal address stands for; None when it is no such address."""
    try:
        outer = parse(recipient, max_local=_MAX_LOCAL)
        local, _, domain = outer.local.rpartition("=")
        inner = parse(str(Address(local, domain)), max_local=_MAX_LOCAL)
    except BadAddress:
        return None
    return inner if local and outer.domain == SPLIT_DOMAIN else None

"""All checks of one message, in the order that lets each have its time; and the verdicts together.

    claims = read_claims(fields)                    # at the end of the header
    hashes = BodyHashes(claims.specs)               # while the body comes
    found = authenticate(claims, hashes.finish(), origin, dns, suffixes, now)

What speaks for the author is asked for first, his DMARC record and the keys of his own domain: a stranger with slow DNS
of his own must not be able to keep these answers from us, and turn a failure into a temperror by that. Raises nothing:
what cannot be read or looked up is a verdict.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from smtpy.authn.author import BadAuthor, NoDomain, authors
from smtpy.authn.dmarc import Sought, judge, seek, without_record
from smtpy.authn.spf import Spf, check_spf
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.dns import Dns
from smtpy.mail.message import Field
from smtpy.signing import arc, dkim
from smtpy.signing.body import BodyDigest, BodySpec
from smtpy.signing.header import Header
from smtpy.signing.result import Result
from smtpy.signing.signature import Signature

_PRIVATE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


@dataclass(frozen=True, slots=True)
class Origin:
    """The SMTP session. `client` is the IP address as text, "" when there was none; `receiver` our own host name."""

    client: str
    helo: str
    reverse_path: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a message says of itself, parsed once: its signatures and its chain."""

    header: Header
    signatures: tuple[Signature | dkim.Broken, ...]
    chain: arc.Chain

    @property
    def specs(self) -> frozenset[BodySpec]:
        """The hashes of the body that are needed to check them."""
        return dkim.specs(self.signatures) | arc.specs(self.chain)


def read_claims(fields: Iterable[Field]) -> Claims:
    """The claims of a message with these fields, top first."""
    header = Header(fields)
    return Claims(header, dkim.signatures(header), arc.chain(header))


def authenticate(
    claims: Claims,
    digests: Mapping[BodySpec, BodyDigest],
    origin: Origin,
    dns: Dns,
    suffixes: Suffixes,
    now: datetime,
) -> Authentication:
    """Every verdict on a message. `digests` has those of `claims.specs`; `dns` has one deadline for all questions."""
    sought = _sought(claims.header.fields, dns, suffixes)
    header, author = claims.header, sought.verdict.domain
    own = [each for each in claims.signatures if _related(each.domain, author)]
    others = [each for each in claims.signatures if not _related(each.domain, author)]
    verified = dict(zip(map(id, own), dkim.verify(header, own, digests, dns, now), strict=True))
    spf = _spf(origin, dns)
    verified |= dict(zip(map(id, others), dkim.verify(header, others, digests, dns, now), strict=True))
    signed = tuple(verified[id(each)] for each in claims.signatures)
    chain = arc.validate(claims.header, claims.chain, digests, dns, now)
    return Authentication(spf, signed, chain, judge(sought, spf, signed))


def _related(domain: str, author: str) -> bool:
    """Whether one is the other or below it, as what is aligned is, but for siblings."""
    return f".{domain}".endswith(f".{author}") or f".{author}".endswith(f".{domain}")


def _sought(fields: Iterable[Field], dns: Dns, suffixes: Suffixes) -> Sought:
    """The DMARC record of the one author; a message must have one to be judged (RFC 9989 section 5.3.1)."""
    try:
        found = authors(fields)
    except NoDomain as bad:
        return without_record(Result.NONE, str(bad))
    except BadAuthor as bad:
        return without_record(Result.PERMERROR, f"From cannot be relied on: {bad}")
    if not found:  # "no aligned identifier could be extracted" (RFC 7489 section 11.2)
        return without_record(Result.NONE, "From names no author")
    if len(found) > 1:
        return without_record(Result.PERMERROR, f"From names {len(found)} authors")
    return seek(found[0].address.domain, dns, suffixes)


def _spf(origin: Origin, dns: Dns) -> Spf:
    ours = _is_ours(origin.client)
    client = "" if ours else origin.client
    found = check_spf(client, origin.helo, origin.reverse_path, origin.receiver, dns)
    return replace(found, why="the client is on a private network") if ours else found


def _is_ours(client: str) -> bool:
    """Whether no SPF record of the world can speak of that client (RFC 1918, 6598, 4193)."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or any(address in network for network in _PRIVATE)

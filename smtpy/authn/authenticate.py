"""All checks of one message, in the order that lets each have its time; and the verdicts together.

    claims = read_claims(fields)                    # at the end of the header
    hashes = BodyHashes(claims.specs)               # while the body comes
    found = authenticate(claims, hashes.finish(), origin, dns, suffixes, now)

What speaks for the author is asked for first, his DMARC record and the keys of his own organisation: a stranger with
slow DNS of his own must not be able to keep these answers from us, and turn a failure into a temperror by that. Where
From names nobody for certain, each domain it could name is judged, and the sternest verdict stands. Raises nothing:
what cannot be read or looked up is a verdict.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import not_

from smtpy.authn.author import BadAuthor, NoDomain, authors, mentioned
from smtpy.authn.dmarc import Dmarc, Sought, judge, seek, without_record
from smtpy.authn.spf import Spf, check_spf
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.dns import Dns
from smtpy.mail.address import is_within
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

SEVERITY = ("reject", "quarantine")
MAX_DOMAINS = 10  # asked for, of those a From may name


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
    header = claims.header
    sought = _sought(header.fields, dns, suffixes)
    organizations = {suffixes.organizational(each.verdict.domain) or each.verdict.domain for each in sought}
    is_own = [any(is_within(each.domain, one) for one in organizations) for each in claims.signatures]
    own = iter(dkim.verify(header, compress(claims.signatures, is_own), digests, dns, now))
    spf = _spf(origin, dns)
    others = iter(dkim.verify(header, compress(claims.signatures, map(not_, is_own)), digests, dns, now))
    signed = tuple(next(own if mine else others) for mine in is_own)
    chain = arc.validate(header, claims.chain, digests, dns, now)
    verdict = min((judge(each, spf, signed) for each in sought), key=_mildness)
    named = tuple(each.verdict.domain for each in sought if each.verdict.domain)
    doubtful = sought[0].verdict.result is Result.PERMERROR and not sought[0].verdict.domain
    return Authentication(spf, signed, chain, verdict, named, doubtful)


def _mildness(verdict: Dmarc) -> int:
    """Their order: what is to be refused, what is to be doubted, what nobody can judge, the rest."""
    if verdict.result is Result.FAIL and verdict.policy in SEVERITY:
        return SEVERITY.index(verdict.policy)
    return len(SEVERITY) + (verdict.result is not Result.PERMERROR)


def _sought(fields: Sequence[Field], dns: Dns, suffixes: Suffixes) -> tuple[Sought, ...]:
    """What is to be judged: the one author's domain (RFC 9989 section 5.3.1), or a doubt and each that may be meant."""
    try:
        found = authors(fields)
    except NoDomain as bad:
        return (without_record(Result.NONE, str(bad)),)
    except BadAuthor as bad:
        domains = mentioned(fields)
        # `Doe, John <john@sender.example>`: whatever a reader takes for the author, the domain is this.
        doubt = "" if len(domains) == 1 and _ats(fields) == 1 else f"From cannot be relied on: {bad}"
    else:
        domains = tuple(dict.fromkeys(each.address.domain for each in found))
        doubt = f"From names {len(found)} authors" if len(domains) > 1 else ""
    if not domains and not doubt:  # "no aligned identifier could be extracted" (RFC 7489 section 11.2)
        return (without_record(Result.NONE, "From names no author"),)
    sought = tuple(seek(each, dns, suffixes) for each in domains[:MAX_DOMAINS])
    return (without_record(Result.PERMERROR, doubt), *sought) if doubt else sought


def _ats(fields: Iterable[Field]) -> int:
    return sum(field.value.count(b"@") for field in fields if field.named("From"))


def _spf(origin: Origin, dns: Dns) -> Spf:
    ours = _is_ours(origin.client)
    client = "" if ours else origin.client
    found = check_spf(client, origin.helo, origin.reverse_path, origin.receiver, dns)
    return replace(found, why="the client is on a private network") if ours else found


@lru_cache(maxsize=4096)
def _is_ours(client: str) -> bool:
    """Whether no SPF record of the world can speak of that client (RFC 1918, 6598, 4193)."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or any(address in network for network in _PRIVATE)

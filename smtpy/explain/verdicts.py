"""Who vouches for a message if it came now: SPF, DKIM, ARC, DMARC, a line each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from smtpy.authn.authenticate import Origin, authenticate, read_claims
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.dns import Dns
from smtpy.mail.message import Field
from smtpy.signing.body import BodyDigest, BodyHashes, BodySpec


@dataclass(frozen=True, slots=True)
class Verdict:
    """`of`: the domain that is vouched for, or by which."""

    method: str
    result: str
    of: str
    why: str


def verdicts(fields: Sequence[Field], body: bytes, origin: Origin, dns: Dns) -> Authentication:
    """What would be found if a message came so, now. `body` with the line ends of SMTP."""
    claims = read_claims(fields)
    return authenticate(claims, digests(body, claims.specs), origin, dns, Suffixes(), datetime.now(UTC))


def digests(body: bytes, specs: frozenset[BodySpec]) -> Mapping[BodySpec, BodyDigest]:
    """The hashes of a body with the line ends of SMTP."""
    hashes = BodyHashes(specs)
    hashes.update(body)
    return hashes.finish()


def rows(found: Authentication) -> tuple[Verdict, ...]:
    """A line a verdict."""
    spf, arc, dmarc = found.spf, found.arc, found.dmarc
    signatures = [
        Verdict("dkim", each.result, f"{each.domain} {each.selector} {each.algorithm}", each.why) for each in found.dkim
    ]
    asks = dmarc.policy in ("reject", "quarantine")
    return (
        Verdict("spf", spf.result, f"{spf.domain} ({spf.identity})", spf.why),
        *(signatures or [Verdict("dkim", "none", "", "")]),
        Verdict("arc", arc.result, ", ".join(arc.sealers), arc.why),
        Verdict("dmarc", dmarc.result, f"{dmarc.domain} (asks to {dmarc.policy})" if asks else dmarc.domain, dmarc.why),
    )

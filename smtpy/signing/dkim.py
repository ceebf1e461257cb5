"""DKIM-Signature: read, verified (RFC 6376, 8301, 8463), made.

    header = Header(fields)
    found = signatures(header)                      # parsed once
    hashes = BodyHashes(specs(found))               # what they want to know of the body
    for each in verify(header, found, hashes.finish(), dns, now): ...

Results are those of RFC 8601 section 2.7.1. `policy` is what may verify and is not believed: rsa-sha1, a short key, l=
that leaves text unsigned, a signature from the future, one too many. `fail` is what does not verify, and what has
expired: RFC 6376 section 3.5 lets a verifier take x= as an end, and a replayed message is what it is for. A key that
cannot be looked up is `temperror`; one that is not there, `permerror`.

What is signed here names every field a reader sees once more than it stands there, so that none can be added.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from smtpy.dns import Dns, DnsTrouble
from smtpy.mail.address import is_within
from smtpy.signing.body import BodyDigest, BodySpec
from smtpy.signing.header import Header
from smtpy.signing.key import Signer
from smtpy.signing.making import Covered, base64_of, covered, made
from smtpy.signing.result import Result
from smtpy.signing.signature import (
    ALGORITHMS,
    BAD_NAMES,
    NO_ANSWER,
    Signature,
    check,
    domain_of,
    host,
    leaves_text,
    read_signature,
    required,
    selector_of,
)
from smtpy.signing.tags import BadTags, parse_tags, without_blanks
from smtpy.signing.verdict import PASS, Refused, Verdict

MAX_SIGNATURES = 10  # tried, from the top: the newest first

BAD_VERSION = Verdict(Result.PERMERROR, "unknown version")
BAD_QUERY = Verdict(Result.PERMERROR, "unknown query method")
BAD_IDENTITY = Verdict(Result.PERMERROR, "i= is not of the domain")
FROM_NOT_SIGNED = Verdict(Result.PERMERROR, "From field not signed")
NOT_TRIED = Verdict(Result.POLICY, "further signatures were not tried")


@dataclass(frozen=True, slots=True)
class Broken:
    """A signature that cannot be checked, and what could be read of it."""

    verdict: Verdict
    domain: str = ""
    selector: str = ""
    algorithm: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a signature. `domain` is d= in lower-case A-labels, "" where it cannot be read.

    `why` is empty on a pass. `testing`: it passes and its key says t=y. `partial`: l= leaves text unsigned, which is
    never a pass.
    """

    result: Result
    domain: str
    selector: str
    algorithm: str
    identity: str
    why: str = ""
    testing: bool = False
    partial: bool = False


def signatures(header: Header) -> tuple[Signature | Broken, ...]:
    """The signatures of a message, top first; all beyond MAX_SIGNATURES are one Broken at the end."""
    positions = header.positions(b"dkim-signature")
    found = tuple(_read(position, header.fields[position].value) for position in positions[:MAX_SIGNATURES])
    return found if len(positions) <= MAX_SIGNATURES else (*found, Broken(NOT_TRIED))


def specs(found: Iterable[Signature | Broken]) -> frozenset[BodySpec]:
    """What these signatures need to know of the body."""
    return frozenset(each.spec for each in found if isinstance(each, Signature))


def verify(
    header: Header,
    found: Iterable[Signature | Broken],
    digests: Mapping[BodySpec, BodyDigest],
    dns: Dns,
    now: datetime,
) -> tuple[Verified, ...]:
    """What became of each, in the same order. `header` is the one they were read from."""
    return tuple(_verified(header, each, digests, dns, now) for each in found)


def sign(header: Header, digest: BodyDigest, signer: Signer, now: datetime, *, identity: str | None = None) -> str:
    """The value of a DKIM-Signature field for a message with that header. See `signature`. Raises Unsignable."""
    return signature(covered(header), digest, signer, now, identity=identity)


def signature(
    covers: Covered, digest: BodyDigest, signer: Signer, now: datetime, *, identity: str | None = None
) -> str:
    """The value of a DKIM-Signature field, folded with LF and a tab.

    `digest` is that of `body.OURS`; `identity` (i=) an address at or below the signer's domain. No field may be
    added below this one or changed afterwards.
    """
    tags = {"v": "1", "a": signer.algorithm, "c": "relaxed/relaxed", "d": signer.domain, "s": signer.selector}
    if identity is not None:
        tags["i"] = _quoted_printable(identity)
    tags |= {"t": str(int(now.timestamp())), "h": covers.names, "bh": base64_of(digest.digest), "b": ""}
    return made("DKIM-Signature", tags, covers.text, signer)


def _verified(
    header: Header, each: Signature | Broken, digests: Mapping[BodySpec, BodyDigest], dns: Dns, now: datetime
) -> Verified:
    if isinstance(each, Broken):
        return Verified(each.verdict.result, each.domain, each.selector, each.algorithm, "", each.verdict.why)
    testing = False
    try:
        testing = check(header, each, digests, dns, now).testing
        verdict = PASS
    except Refused as refusal:
        verdict = refusal.verdict
    except DnsTrouble:
        verdict = NO_ANSWER
    return Verified(
        verdict.result,
        each.domain,
        each.selector,
        each.algorithm,
        each.identity,
        verdict.why,
        testing=testing,
        partial=leaves_text(each, digests),
    )


def _read(position: int, value: bytes) -> Signature | Broken:
    try:
        tags = parse_tags(value)
    except BadTags as bad:
        return Broken(Verdict(Result.PERMERROR, str(bad)))
    try:
        return _signature(position, tags)
    except Refused as refusal:
        return Broken(refusal.verdict, **_named(tags))


def _signature(position: int, tags: Mapping[str, str]) -> Signature:
    if required(tags, "v") != "1":
        raise Refused(BAD_VERSION)
    if "dns/txt" not in without_blanks(tags.get("q", "dns/txt")).split(":"):
        raise Refused(BAD_QUERY)
    found = read_signature(position, tags, _identity(tags), "simple/simple")
    if b"" in found.names:
        raise Refused(BAD_NAMES)
    if b"from" not in found.names:
        raise Refused(FROM_NOT_SIGNED)  # RFC 6376 section 5.4
    return found


def _identity(tags: Mapping[str, str]) -> str:
    """i=, its domain in A-labels. Raises Refused when it is not the domain of d= or one below (RFC 6376 3.5)."""
    domain = domain_of(tags)
    local, at, below = without_blanks(tags.get("i", "@" + domain)).rpartition("@")
    named = host(below, BAD_IDENTITY)
    if not at or not is_within(named, domain):
        raise Refused(BAD_IDENTITY)
    return f"{local}@{named}"


def _quoted_printable(text: str) -> str:
    """As i= is written (RFC 6376 section 2.11): what could end the tag, or is not ASCII, as =XX."""
    safe = {octet: chr(octet) for octet in range(0x21, 0x7F) if chr(octet) not in ";="}
    return "".join(safe.get(octet, f"={octet:02X}") for octet in text.encode("utf-8"))


def _named(tags: Mapping[str, str]) -> dict[str, str]:
    """Who claims to have signed, as far as it is safe to repeat."""
    algorithm = tags.get("a", "")
    known = algorithm if algorithm in (*ALGORITHMS, "rsa-sha1") else ""
    try:
        return {"domain": domain_of(tags), "selector": selector_of(tags), "algorithm": known}
    except Refused:
        return {}

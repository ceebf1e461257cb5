"""One signature over a message: read from its tags, checked against header, body and key (RFC 6376 section 6.1).

DKIM-Signature and ARC-Message-Signature are the same thing with other rules for a few tags; `dkim` and `arc` hold
those. The body's hash is compared before DNS is asked: a message that was changed costs no look-up.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from smtpy.dns import Dns
from smtpy.mail.address import BadAddress, parse_domain
from smtpy.signing import canonical
from smtpy.signing.body import BodyDigest, BodySpec
from smtpy.signing.header import Header
from smtpy.signing.key import PublicKey, find_keys
from smtpy.signing.result import Result
from smtpy.signing.tags import BLANKS, without_blanks
from smtpy.signing.verdict import Refused, Verdict

ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
MAX_NAMES = 200  # in an h= list
MAX_SKEW = 300  # seconds a signer's clock may be ahead (RFC 6376 section 3.5, t=: "MAY ignore"); opendkim's ClockDrift

OBSOLETE = Verdict(Result.POLICY, "rsa-sha1 is obsolete")
UNKNOWN_ALGORITHM = Verdict(Result.PERMERROR, "unknown algorithm")
MISSING_TAG = Verdict(Result.PERMERROR, "signature lacks a tag")
BAD_DOMAIN = Verdict(Result.PERMERROR, "d= is no domain")
BAD_SELECTOR = Verdict(Result.PERMERROR, "s= is no selector")
BAD_BASE64 = Verdict(Result.PERMERROR, "signature or body hash is not base64")
BAD_NUMBER = Verdict(Result.PERMERROR, "t=, x= or l= is no number")
BAD_FORM = Verdict(Result.PERMERROR, "unknown canonical form")
BAD_NAMES = Verdict(Result.PERMERROR, "h= is no list of names")
BAD_TIMES = Verdict(Result.PERMERROR, "x= is not after t=")
EXPIRED = Verdict(Result.FAIL, "signature expired")
FROM_THE_FUTURE = Verdict(Result.POLICY, "signature is from the future")
UNSIGNED_AUTHOR = Verdict(Result.FAIL, "a From field is not signed")
BODY_TOO_SHORT = Verdict(Result.FAIL, "body is shorter than l=")
OTHER_BODY = Verdict(Result.FAIL, "body hash did not verify")
WRONG = Verdict(Result.FAIL, "signature did not verify")
STRICT_KEY = Verdict(Result.PERMERROR, "i= is below the domain of a strict key")
PARTIAL = Verdict(Result.POLICY, "l= leaves text unsigned")
NO_ANSWER = Verdict(Result.TEMPERROR, "key look-up failed")

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_SELECTOR = 200  # octets: with ._domainkey and a domain it still has to be a name
_NUMBER = re.compile(r"[0-9]{1,76}")  # the longest that l= may have
_FTEXT = re.compile(r"[\x21-\x39\x3b-\x7e]+")  # RFC 5322 section 3.6.8
_FORMS = {"relaxed": True, "simple": False}


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature field that can be checked.

    `domain` in lower-case A-labels; `identity` is i= or "@" and the domain; `names` the h= list in lower case;
    `relaxed` the header's form, `spec` the body's; `stamp` and `expires` seconds since 1970.
    """

    position: int
    domain: str
    selector: str
    algorithm: str
    identity: str
    names: tuple[bytes, ...]
    relaxed: bool
    spec: BodySpec
    body_hash: bytes
    value: bytes
    stamp: int | None
    expires: int | None


def read_signature(position: int, tags: Mapping[str, str], identity: str, forms: str) -> Signature:
    """What the tags say. `forms` is what c= means when it is not there. Raises Refused."""
    algorithm = algorithm_of(tags)
    relaxed_header, relaxed_body = _forms_of(tags.get("c", forms))
    return Signature(
        position=position,
        domain=domain_of(tags),
        selector=selector_of(tags),
        algorithm=algorithm,
        identity=identity,
        names=_names_of(required(tags, "h")),
        relaxed=relaxed_header,
        spec=BodySpec(relaxed_body, number_of(tags, "l")),
        body_hash=octets_of(tags, "bh"),
        value=octets_of(tags, "b"),
        stamp=number_of(tags, "t"),
        expires=number_of(tags, "x"),
    )


def check(
    header: Header, signature: Signature, digests: Mapping[BodySpec, BodyDigest], dns: Dns, now: datetime
) -> PublicKey:
    """The key under which it verifies. Raises Refused, DnsTrouble."""
    _check_times(signature, now)
    # A second From put above the signed one is what the reader may be shown (RFC 6376 section 8.15).
    if 0 < signature.names.count(b"from") < len(header.positions(b"from")):
        raise Refused(UNSIGNED_AUTHOR)
    digest = digests[signature.spec]
    if signature.spec.length is not None and signature.spec.length > digest.octets:
        raise Refused(BODY_TOO_SHORT)
    if digest.digest != signature.body_hash:
        raise Refused(OTHER_BODY)
    keys = find_keys(dns, signature.selector, signature.domain, signature.algorithm)
    key = fitting(keys, signature.value, hashlib.sha256(_signed_text(header, signature)).digest())
    if key.strict and not signature.identity.endswith("@" + signature.domain):
        raise Refused(STRICT_KEY)
    if leaves_text(signature, digests):
        raise Refused(PARTIAL)
    return key


def fitting(keys: tuple[PublicKey, ...], value: bytes, digest: bytes) -> PublicKey:
    """The key that made the signature of what has this digest. Raises Refused."""
    for key in keys:
        if key.verify(value, digest):
            return key
    raise Refused(WRONG)


def leaves_text(signature: Signature, digests: Mapping[BodySpec, BodyDigest]) -> bool:
    """Whether l= ends before the body does: anything may stand behind it (RFC 6376 section 8.2)."""
    return signature.spec.length is not None and signature.spec.length < digests[signature.spec].octets


def _check_times(signature: Signature, now: datetime) -> None:
    seconds = now.timestamp()
    if signature.expires is not None and signature.stamp is not None and signature.expires <= signature.stamp:
        raise Refused(BAD_TIMES)
    if signature.expires is not None and signature.expires < seconds:
        raise Refused(EXPIRED)
    if signature.stamp is not None and signature.stamp > seconds + MAX_SKEW:
        raise Refused(FROM_THE_FUTURE)


def _signed_text(header: Header, signature: Signature) -> bytes:
    own = canonical.unsigned(header.fields[signature.position])
    form = canonical.relaxed if signature.relaxed else canonical.simple
    covered = header.chosen(signature.names, relaxed=signature.relaxed, but=signature.position)
    return covered + form(own).removesuffix(canonical.CRLF)


def required(tags: Mapping[str, str], name: str) -> str:
    """The value of a tag that has to be there. Raises Refused."""
    if name not in tags:
        raise Refused(MISSING_TAG)
    return tags[name]


def algorithm_of(tags: Mapping[str, str]) -> str:
    """a=. Raises Refused: for rsa-sha1 before anything is worked out with it (RFC 8301 section 3.1)."""
    algorithm = required(tags, "a")
    if algorithm == "rsa-sha1":
        raise Refused(OBSOLETE)
    if algorithm not in ALGORITHMS:
        raise Refused(UNKNOWN_ALGORITHM)
    return algorithm


def domain_of(tags: Mapping[str, str]) -> str:
    """d= in lower-case A-labels. Raises Refused."""
    return host(required(tags, "d"), BAD_DOMAIN)


def selector_of(tags: Mapping[str, str]) -> str:
    """s=. Raises Refused."""
    selector = required(tags, "s")
    if not selector.isascii():
        return host(selector, BAD_SELECTOR)
    if len(selector) > _MAX_SELECTOR or not _SELECTOR.fullmatch(selector):
        raise Refused(BAD_SELECTOR)
    return selector


def host(text: str, otherwise: Verdict) -> str:
    """A domain name in lower-case A-labels; an address literal is none. Raises Refused."""
    try:
        domain = parse_domain(text)
    except BadAddress:
        raise Refused(otherwise) from None
    if domain.startswith("["):
        raise Refused(otherwise)
    return domain


def octets_of(tags: Mapping[str, str], name: str) -> bytes:
    """b= or bh=. Raises Refused."""
    encoded = without_blanks(required(tags, name))
    if not encoded:
        raise Refused(MISSING_TAG)
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(BAD_BASE64) from None


def number_of(tags: Mapping[str, str], name: str) -> int | None:
    """t=, x= or l=; None when it is not there. Raises Refused."""
    if name not in tags:
        return None
    if not _NUMBER.fullmatch(tags[name]):
        raise Refused(BAD_NUMBER)
    return int(tags[name])


def _forms_of(text: str) -> tuple[bool, bool]:
    header, slash, body = text.partition("/")
    if header not in _FORMS or (slash and body not in _FORMS):
        raise Refused(BAD_FORM)
    return _FORMS[header], _FORMS[body or "simple"]


def _names_of(text: str) -> tuple[bytes, ...]:
    names = [name.strip(BLANKS).lower() for name in text.split(":", MAX_NAMES)]
    if len(names) > MAX_NAMES or not all(_FTEXT.fullmatch(name) for name in names if name):
        raise Refused(BAD_NAMES)
    return tuple(name.encode("ascii") for name in names)

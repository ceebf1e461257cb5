"""Keys: read from DNS (RFC 6376 sections 3.6.1 and 6.1.2, RFC 8301, RFC 8463), made, loaded, published.

What a key signs is always the SHA-256 of the canonical text: RSA by PKCS #1 v1.5, Ed25519 as if the digest were its
message (RFC 8463 section 3). Sizes are judged before any arithmetic is done with a key from outside.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from smtpy.dns import Dns, texts
from smtpy.signing.result import Result
from smtpy.signing.tags import BadTags, parse_tags, without_blanks
from smtpy.signing.verdict import Refused, Verdict

Algorithm = Literal["rsa-sha256", "ed25519-sha256"]

RSA_BITS = 2048  # of the keys made here (RFC 8301 section 3.2)
MIN_BITS = 1024  # "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid"
MAX_BITS = 8192
MAX_EXPONENT = 2**33
MAX_RECORD = 4096  # octets of a TXT record
MAX_RECORDS = 16  # read, of those that stand at one name
MAX_KEYS = 4  # tried, of those that fit

NO_KEY = Verdict(Result.PERMERROR, "no key for signature")
SYNTAX = Verdict(Result.PERMERROR, "key syntax error")
REVOKED = Verdict(Result.PERMERROR, "key revoked")
UNKNOWN_TYPE = Verdict(Result.PERMERROR, "unknown key type")
OTHER_ALGORITHM = Verdict(Result.PERMERROR, "inappropriate key algorithm")
OTHER_HASH = Verdict(Result.PERMERROR, "inappropriate hash algorithm")
OTHER_SERVICE = Verdict(Result.PERMERROR, "inappropriate service type")
TOO_LONG_A_RECORD = Verdict(Result.PERMERROR, "key record too long")
TOO_SHORT = Verdict(Result.POLICY, "key too short")
TOO_LONG = Verdict(Result.POLICY, "key too long")

_TYPES: dict[str, Algorithm] = {"rsa": "rsa-sha256", "ed25519": "ed25519-sha256"}
_NAMES: dict[str, str] = {algorithm: name for name, algorithm in _TYPES.items()}
_PADDING = PKCS1v15()
_DIGEST = Prehashed(SHA256())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as published. `testing` is t=y; `strict` t=s: i= must name the domain itself, not one below it."""

    algorithm: Algorithm
    key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey
    testing: bool = False
    strict: bool = False

    def verify(self, signature: bytes, digest: bytes) -> bool:
        """Whether that is its signature of a text with this SHA-256."""
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, digest, _PADDING, _DIGEST)
            else:
                self.key.verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name it is published under. Loaded once; may be used by several threads."""

    domain: str
    selector: str
    algorithm: Algorithm
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    def sign(self, data: bytes) -> bytes:
        """The signature of a canonical text."""
        digest = hashlib.sha256(data).digest()
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(digest, _PADDING, _DIGEST)
        return self.key.sign(digest)


def find_keys(dns: Dns, selector: str, domain: str, algorithm: str) -> tuple[PublicKey, ...]:
    """The keys for that algorithm at selector._domainkey.domain, a few of them. Raises Refused, DnsTrouble.

    More than one record is against RFC 6376 section 3.6.2.2, yet foreign texts do stand there: whatever is no key of
    ours to read is passed over, and the order in which DNS gives the rest plays no part.
    """
    records = sorted(texts(dns, f"{selector}._domainkey.{domain}"))[:MAX_RECORDS]
    found = [parse_public(record) for record in records]
    keys = [each for each in found if isinstance(each, PublicKey)]
    if not keys:
        # What is wrong with a key says more than that another text is none.
        bad = sorted((each for each in found if isinstance(each, Verdict)), key=lambda each: each == SYNTAX)
        raise Refused(bad[0] if bad else NO_KEY)
    fitting = tuple(each for each in keys if each.algorithm == algorithm)[:MAX_KEYS]
    if not fitting:
        raise Refused(OTHER_ALGORITHM)
    return fitting


@lru_cache(maxsize=512)
def parse_public(record: bytes) -> PublicKey | Verdict:
    """A key record, or why it is none. Tags that mean nothing since RFC 6376 (g=) are passed over, as its 3.2 wants."""
    if len(record) > MAX_RECORD:
        return TOO_LONG_A_RECORD
    try:
        tags = parse_tags(record)
    except BadTags:
        return SYNTAX
    try:
        return _public(tags)
    except Refused as refusal:
        return refusal.verdict


def _public(tags: dict[str, str]) -> PublicKey:
    if tags.get("v", "DKIM1") != "DKIM1" or "p" not in tags or ("v" in tags and next(iter(tags)) != "v"):
        raise Refused(SYNTAX)
    if "sha256" not in _listed(tags.get("h", "sha256")):
        raise Refused(OTHER_HASH)
    if not {"*", "email"} & _listed(tags.get("s", "*")):
        raise Refused(OTHER_SERVICE)
    algorithm = _TYPES.get(tags.get("k", "rsa"))
    if algorithm is None:
        raise Refused(UNKNOWN_TYPE)
    encoded = without_blanks(tags["p"])
    if not encoded:
        raise Refused(REVOKED)
    flags = _listed(tags.get("t", ""))
    return PublicKey(algorithm, _LOADERS[algorithm](_octets(encoded)), testing="y" in flags, strict="s" in flags)


def _listed(value: str) -> set[str]:
    return set(without_blanks(value).split(":"))


def _octets(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(SYNTAX) from None


def _rsa(octets: bytes) -> rsa.RSAPublicKey:
    """A SubjectPublicKeyInfo; a bare RSAPublicKey too, which RFC 6376 section 3.6.1 asked for by mistake."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused(SYNTAX) from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused(OTHER_ALGORITHM)
    if key.key_size < MIN_BITS:
        raise Refused(TOO_SHORT)
    if key.key_size > MAX_BITS or key.public_numbers().e >= MAX_EXPONENT:
        raise Refused(TOO_LONG)
    return key


def _ed25519(octets: bytes) -> ed25519.Ed25519PublicKey:
    try:
        return ed25519.Ed25519PublicKey.from_public_bytes(octets)
    except ValueError:
        raise Refused(SYNTAX) from None


_LOADERS: dict[Algorithm, Callable[[bytes], rsa.RSAPublicKey | ed25519.Ed25519PublicKey]] = {
    "rsa-sha256": _rsa,
    "ed25519-sha256": _ed25519,
}


def generate(algorithm: Algorithm) -> bytes:
    """A new private key, PKCS #8 in DER."""
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "rsa-sha256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    else:
        key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load(der: bytes, algorithm: Algorithm, domain: str, selector: str) -> Signer:
    """A key that `generate` made, ready to sign. Raises ValueError when it is not of that algorithm."""
    key = _private(der)
    if isinstance(key, rsa.RSAPrivateKey) != (algorithm == "rsa-sha256"):
        raise ValueError("private key is of another algorithm")
    return Signer(domain, selector, algorithm, key)


def public_of(der: bytes) -> bytes:
    """What p= publishes of a private key: SubjectPublicKeyInfo for RSA, the 32 octets for Ed25519."""
    key = _private(der)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def record_of(algorithm: Algorithm, public: bytes) -> str:
    """The TXT record to publish for the octets that `public_of` gives."""
    return f"v=DKIM1; k={_NAMES[algorithm]}; p={base64.b64encode(public).decode('ascii')}"


def _private(der: bytes) -> rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    # The check that is left out takes 40 ms and guards against keys made to do harm. These we made ourselves, and they
    # come out of a vault that authenticates what it opens.
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError("private key is of no algorithm of DKIM")
    return key

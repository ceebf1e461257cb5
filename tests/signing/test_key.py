"""Key records as they stand in DNS, and keys of our own."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from smtpy.dns import DnsTrouble
from smtpy.signing import key
from smtpy.signing.key import PublicKey, find_keys, parse_public
from smtpy.signing.result import Result
from smtpy.signing.verdict import Refused, Verdict
from tests.dns import Zone
from tests.signing.keys import ED25519, ED25519_RECORD, RSA, RSA_RECORD

P = RSA_RECORD.partition("p=")[2]
E = ED25519_RECORD.partition("p=")[2]
NAME = "s._domainkey.a.example"


def length(count: int) -> bytes:
    """A DER length."""
    octets = count.to_bytes(4, "big").lstrip(b"\0")
    return bytes([count]) if count < 128 else bytes([128 + len(octets)]) + octets


def sequence(*parts: bytes) -> bytes:
    return b"\x30" + length(len(b"".join(parts))) + b"".join(parts)


def integer(value: int) -> bytes:
    octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return b"\x02" + length(len(octets)) + octets


def record(modulus: int, exponent: int) -> str:
    """A record with an RSAPublicKey that nobody need hold the private key of."""
    return "v=DKIM1; p=" + base64.b64encode(sequence(integer(modulus), integer(exponent))).decode()


def odd(bits: int) -> int:
    return (1 << bits) - 1


def public(record: str) -> PublicKey:
    found = parse_public(record.encode())
    assert isinstance(found, PublicKey), found
    return found


def pkcs1() -> str:
    loaded = key.load(RSA, "rsa-sha256", "a.example", "s").key
    return base64.b64encode(loaded.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


GOOD = {
    "ours": RSA_RECORD,
    "p= alone": f"p={P}",
    "bare RSAPublicKey": f"v=DKIM1; p={pkcs1()}",
    "blanks in the key": f"v=DKIM1; p={P[:30]} \t{P[30:60]}\r\n {P[60:]}",
    "last semicolon": f"v=DKIM1;p={P};",
    "unknown tags": f"v=DKIM1; g=*; n=note; x=y; p={P}",
    "empty g= of RFC 4871": f"v=DKIM1; g=; p={P}",
    "both hashes": f"v=DKIM1; h=sha1:sha256; p={P}",
    "any service": f"v=DKIM1; s=*; p={P}",
    "services": f"v=DKIM1; s=tlsrpt : email; p={P}",
    "1024 bits": record(odd(1024), 65537),
    "8192 bits": record(odd(8192), 65537),
    "exponent 3": record(odd(2048), 3),
}
BAD = {
    "empty": ("", "key syntax error"),
    "foreign": ("v=spf1 -all", "key syntax error"),
    "words": ("this is no key", "key syntax error"),
    "no p=": ("v=DKIM1; k=rsa", "key syntax error"),
    "other version": (f"v=DKIM2; p={P}", "key syntax error"),
    "version in lower case": (f"v=dkim1; p={P}", "key syntax error"),
    "version not first": (f"k=rsa; v=DKIM1; p={P}", "key syntax error"),
    "p= twice": (f"v=DKIM1; p={P}; p={P}", "key syntax error"),
    "revoked": ("v=DKIM1; p=", "key revoked"),
    "revoked with blanks": ("v=DKIM1; p= \t ;", "key revoked"),
    "other hash": (f"v=DKIM1; h=sha1; p={P}", "inappropriate hash algorithm"),
    "other service": (f"v=DKIM1; s=tlsrpt; p={P}", "inappropriate service type"),
    "unknown type": (f"v=DKIM1; k=dsa; p={P}", "unknown key type"),
    "not base64": ("v=DKIM1; p=$$$$", "key syntax error"),
    "base64 cut short": (f"v=DKIM1; p={P[:-5]}", "key syntax error"),
    "DER cut short": (f"v=DKIM1; p={P[:80]}", "key syntax error"),
    "Ed25519 called RSA": (f"v=DKIM1; k=rsa; p={E}", "key syntax error"),
    "RSA called Ed25519": (f"v=DKIM1; k=ed25519; p={P}", "key syntax error"),
    "Ed25519 of 31 octets": ("v=DKIM1; k=ed25519; p=" + base64.b64encode(b"x" * 31).decode(), "key syntax error"),
    "512 bits": (record(odd(512), 65537), "key too short"),
    "1023 bits": (record(odd(1023), 65537), "key too short"),
    "8193 bits": (record(odd(8193), 65537), "key too long"),
    "16384 bits and a great exponent": (record(odd(16384), odd(16383)), "key record too long"),
    "exponent of 34 bits": (record(odd(2048), odd(34)), "key too long"),
    "record too long": (f"v=DKIM1; n={'x' * 4096}; p={P}", "key record too long"),
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name):
    assert public(GOOD[name]).algorithm == "rsa-sha256"


@pytest.mark.parametrize("name", BAD)
def test_bad(name):
    text, why = BAD[name]
    expected = Result.POLICY if why in {"key too short", "key too long"} else Result.PERMERROR
    assert parse_public(text.encode()) == Verdict(expected, why)


def test_another_kind_of_key_in_the_same_wrapping():
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    octets = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = parse_public(b"v=DKIM1; p=" + base64.b64encode(octets))
    assert found == Verdict(Result.PERMERROR, "inappropriate key algorithm")


@pytest.mark.parametrize("flags", ["", "y", "s", "y : s", "z"])
def test_flags(flags):
    found = public(f"v=DKIM1; t={flags}; p={P}")
    assert (found.testing, found.strict) == ("y" in flags, "s" in flags)


@given(st.binary(max_size=120) | st.text("vpk=DKIM1;sha256: ed", max_size=80).map(str.encode))
def test_any_record_is_a_key_or_a_reason(octets):
    found = parse_public(octets)
    assert isinstance(found, PublicKey) or found.result in {Result.PERMERROR, Result.POLICY}


def asked(*records, algorithm="rsa-sha256"):
    return find_keys(Zone({NAME: {"TXT": records}}), "s", "a.example", algorithm)


@pytest.mark.parametrize("foreign", ["v=spf1 -all", "google-site-verification=x", "", "v=DKIM1; p=", ED25519_RECORD])
def test_the_order_of_several_records_plays_no_part(foreign):
    assert asked(foreign, RSA_RECORD) == asked(RSA_RECORD, foreign) == (public(RSA_RECORD),)


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ((), "no key for signature"),
        (("hello", "v=DKIM1; p=", "v=spf1 -all"), "key revoked"),
        ((ED25519_RECORD,), "inappropriate key algorithm"),
        (("hello",), "key syntax error"),
    ],
)
def test_no_key(records, why):
    with pytest.raises(Refused) as refusal:
        asked(*records)
    assert refusal.value.verdict == Verdict(Result.PERMERROR, why)


def test_no_more_keys_are_tried_than_a_few():
    records = [record(odd(2048) - 2 * step, 65537) for step in range(9)]
    assert len(asked(*records)) == key.MAX_KEYS
    assert asked(*records) == asked(*reversed(records))


def test_no_more_records_are_read_than_a_few():
    parse_public.cache_clear()
    assert asked(RSA_RECORD, *[f"words {number}" for number in range(2000)]) == (public(RSA_RECORD),)
    assert parse_public.cache_info().currsize == key.MAX_RECORDS


def test_a_failed_look_up_is_no_answer():
    with pytest.raises(DnsTrouble):
        find_keys(Zone({NAME: "SERVFAIL"}), "s", "a.example", "rsa-sha256")


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "ed25519-sha256"])
def test_a_key_made_here_signs_and_is_published(algorithm):
    der = key.generate(algorithm)
    signer = key.load(der, algorithm, "a.example", "s")
    text = key.record_of(algorithm, key.public_of(der))
    (found,) = asked(text, algorithm=algorithm)
    digest = hashlib.sha256(b"text").digest()
    assert found.verify(signer.sign(b"text"), digest)
    assert not found.verify(signer.sign(b"test"), digest)
    assert not found.verify(b"", digest)
    assert not found.verify(b"x" * 4000, digest)
    assert getattr(found.key, "key_size", 2048) == 2048


def test_the_octets_that_are_published():
    assert key.public_of(ED25519) == base64.b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert key.public_of(RSA).startswith(b"\x30\x81\x9f")


@pytest.mark.parametrize(("der", "algorithm"), [(RSA, "ed25519-sha256"), (ED25519, "rsa-sha256")])
def test_a_key_of_another_algorithm_is_not_loaded(der, algorithm):
    with pytest.raises(ValueError, match="another algorithm"):
        key.load(der, algorithm, "a.example", "s")


def test_a_key_of_another_kind_is_not_loaded():
    other = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(ValueError, match="no algorithm of DKIM"):
        key.load(other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), "rsa-sha256", "a.example", "s")


def test_the_private_key_is_not_shown():
    signer = key.load(ED25519, "ed25519-sha256", "a.example", "s")
    assert isinstance(key.load(RSA, "rsa-sha256", "a.example", "s").key, rsa.RSAPrivateKey)
    assert "nWGxne" not in repr(signer)

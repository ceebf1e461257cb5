"""dkimpy as the judge: it verifies what is signed and sealed here, and what it makes is verified here.

It is no dependency of the service, and takes a whole message where the tests have a header and a body.
"""

from datetime import UTC, datetime

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from smtpy.signing import arc, dkim
from smtpy.signing.result import Result
from tests.signing.keys import BY_RSA, ED25519_SEED, RECORDS, SIGNERS, ZONE
from tests.signing.letters import Letter

NOW = datetime.now(UTC)  # dkimpy has no other clock
PEM = BY_RSA.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
KEYS = {"rsa-sha256": (b"r", PEM), "ed25519-sha256": (b"e", ED25519_SEED.encode())}
FORMS = ["relaxed/relaxed", "relaxed/simple", "simple/relaxed", "simple/simple"]


def whole(of: Letter) -> bytes:
    header = b"".join(field.name + b":" + field.value.replace(b"\n", b"\r\n") + b"\r\n" for field in of.header.fields)
    return header + b"\r\n" + of.body


def look_up(name: bytes, timeout: float = 5) -> bytes | None:
    found = RECORDS.get(name.decode().rstrip("."))
    return found["TXT"][0].encode() if found else None


WORDS = st.text("abc \t:;=.-é", max_size=30)
HEADERS = st.lists(st.tuples(st.sampled_from(["Subject", "To", "X-Y", "Date", "Reply-To"]), WORDS), max_size=6)
FOLD = "\n\tfold"
LINES = st.lists(st.text("ab \t.é", max_size=12), max_size=8)


@st.composite
def letters(draw) -> Letter:
    """Every line has its end, as in SMTP: dkimpy keeps the blanks of a last line that has none."""
    fields = [("From", "anna@a.example"), *draw(HEADERS)]
    head = "".join(f"{name}: {value}{draw(st.sampled_from(['', FOLD]))}\n" for name, value in fields)
    body = "".join(line + "\n" for line in draw(LINES))
    return Letter(f"{head}\n{body}".encode())


@settings(max_examples=40, deadline=None)
@given(letters(), st.sampled_from(SIGNERS))
def test_dkimpy_verifies_what_is_signed_here(of, signer):
    signed = of.topped(("DKIM-Signature", dkim.sign(of.header, of.digest, signer, NOW)))
    assert dkimpy.verify(whole(signed), dnsfunc=look_up)
    assert [each.result for each in signed.verify(ZONE, NOW)] == [Result.PASS]


@settings(max_examples=60, deadline=None)
@given(letters(), st.sampled_from(list(KEYS)), st.sampled_from(FORMS), st.booleans())
def test_what_dkimpy_signs_is_verified_here(of, algorithm, forms, length):
    selector, private = KEYS[algorithm]
    canonicalize = tuple(form.encode() for form in forms.split("/"))
    value = dkimpy.sign(
        whole(of), selector, b"a.example", private, canonicalize=canonicalize, signature_algorithm=algorithm.encode(),
        length=length,
    )  # fmt: skip
    found = Letter(value + whole(of)).verify(ZONE, datetime.now(UTC))
    assert [(each.result, each.why) for each in found] == [(Result.PASS, "")]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_dkimpy_validates_what_is_sealed_here(count):
    of = Letter(b"From: anna@a.example\nTo: b@b.example\nSubject: t\n\nhi\n")
    for _ in range(count):
        of = of.topped(*arc.seal(of.header, of.digest, of.validate(ZONE, NOW), BY_RSA, "mx.a.example; spf=pass", NOW))
    state, results, why = dkimpy.arc_verify(whole(of), dnsfunc=look_up)
    assert (state, len(results)) == (b"pass", count), why


@settings(max_examples=20, deadline=None)
@given(letters())
def test_what_dkimpy_seals_is_validated_here(of):
    text = b"Authentication-Results: relay.example; arc=none; spf=pass smtp.mfrom=a@a.example\r\n" + whole(of)
    rows = dkimpy.arc_sign(text, b"arc", b"relay.example", PEM, b"relay.example", include_headers=[b"from", b"subject"])
    found = Letter(b"".join(rows) + text).validate(ZONE, datetime.now(UTC))
    assert (found.result, found.sealers) == (Result.PASS, ("relay.example",))


@settings(max_examples=60, deadline=None)
@given(letters(), st.integers(0, 10_000), st.binary(min_size=1, max_size=1))
def test_both_say_the_same_of_a_signed_message_with_one_octet_changed(of, at, octet):
    """Where dkimpy is right: what it takes for a header line is what Postfix would have handed over."""
    signed = of.topped(("DKIM-Signature", dkim.sign(of.header, of.digest, BY_RSA, NOW)))
    text = whole(signed)
    body = text.index(b"\r\n\r\n") + 4
    at = body + at % max(len(text) - body, 1)
    changed = text[:at] + octet + text[at + 1 :]
    if b"\r" in octet + text[at : at + 1] or b"\n" in octet + text[at : at + 1]:
        return
    theirs = dkimpy.verify(changed, dnsfunc=look_up)
    assert [each.result == Result.PASS for each in Letter(changed).verify(ZONE, NOW)] == [theirs]

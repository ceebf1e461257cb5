"""Vectors of our own, signed by dkimpy with the keys of `keys`, and what becomes of them when they are touched.

`rfc8463.eml` is the message of RFC 8463 appendix A.
"""

from pathlib import Path

import pytest

from smtpy.mail.message import Field
from smtpy.signing.header import Header
from smtpy.signing.result import Result
from tests.signing.keys import ZONE
from tests.signing.letters import Letter

FOLDER = Path(__file__).parent / "vectors"
PASS, FAIL, POLICY = Result.PASS, Result.FAIL, Result.POLICY

SIGNED = {
    "rfc8463": (PASS, PASS),
    "relaxed-relaxed": (PASS, PASS),
    "relaxed-simple": (PASS, PASS),
    "simple-relaxed": (PASS, PASS),
    "simple-simple": (PASS, PASS),
    "length": (PASS,),
    "length-appended": (POLICY,),
    "sha1": (POLICY,),
}
SEALED = {"arc-1": (PASS, 1), "arc-2": (PASS, 2)}


def letter(name: str) -> Letter:
    return Letter((FOLDER / f"{name}.eml").read_bytes())


def results(of: Letter) -> tuple[Result, ...]:
    return tuple(each.result for each in of.verify(ZONE))


def test_every_vector_is_in_a_table():
    assert {path.stem for path in FOLDER.glob("*.eml")} == SIGNED.keys() | SEALED.keys()


@pytest.mark.parametrize("name", SIGNED)
def test_signatures(name):
    assert results(letter(name)) == SIGNED[name]


@pytest.mark.parametrize("name", SEALED)
def test_chains(name):
    found = letter(name).validate(ZONE)
    assert (found.result, found.sets) == SEALED[name]
    assert found.sealers == ("relay.example", "list.example")[: found.sets]
    assert all(text.startswith(sealer) for text, sealer in zip(found.results, found.sealers, strict=True))


def altered(of: Letter, position: int, value: bytes) -> Letter:
    fields = list(of.header.fields)
    fields[position] = Field(fields[position].name, value)
    of.header = Header(fields)
    return of


@pytest.mark.parametrize("name", [name for name, expected in SIGNED.items() if PASS in expected])
@pytest.mark.parametrize("field", [b"from", b"to", b"subject", b"date"])
def test_a_signed_field_that_was_changed_breaks_every_signature(name, field):
    for change in (lambda v: v + b"x", lambda v: v[:3] + b"#" + v[4:], lambda v: b""):
        of = letter(name)
        position = of.header.positions(field)[0]
        assert set(results(altered(of, position, change(of.header.fields[position].value)))) == {FAIL}


@pytest.mark.parametrize("name", [name for name, expected in SIGNED.items() if PASS in expected])
def test_a_body_that_was_changed_breaks_every_signature(name):
    for at in range(40):
        of = letter(name)
        of.body = of.body[:at] + b"#" + of.body[at + 1 :]
        assert set(results(of)) == {FAIL}


@pytest.mark.parametrize("name", ["relaxed-relaxed", "simple-relaxed"])
def test_blanks_of_the_body_do_not_matter_to_the_relaxed_form(name):
    of = letter(name)
    of.body = of.body.replace(b" ", b" \t ").replace(b"\r\n", b"\t\r\n") + b"\r\n \r\n"
    assert results(of) == (PASS, PASS)


@pytest.mark.parametrize(("name", "expected"), [("relaxed-simple", PASS), ("simple-simple", FAIL)])
def test_folds_and_letter_case_do_not_matter_to_the_relaxed_form(name, expected):
    of = letter(name)
    of.header = Header(
        Field(field.name.upper(), field.value.replace(b" ", b"\n  ")) if field.named("To") else field
        for field in of.header.fields
    )
    assert set(results(of)) == {expected}


@pytest.mark.parametrize("name", SEALED)
def test_a_chain_that_was_touched_fails(name):
    sound = letter(name)
    for position, field in enumerate(sound.header.fields):
        if field.name.lower().startswith(b"arc-"):
            for change in (lambda v: v.replace(b".example", b".examp1e", 1), lambda v: v[:-12] + b"AAAA" + v[-8:]):
                found = altered(letter(name), position, change(field.value)).validate(ZONE)
                # Of an older message signature nothing is asked but that the seals still cover it.
                assert (found.result, found.sealers) == (FAIL, ())


@pytest.mark.parametrize("name", SEALED)
def test_a_chain_with_a_field_missing_or_twice_fails(name):
    fields = letter(name).header.fields
    for position, field in enumerate(fields):
        if field.name.lower().startswith(b"arc-"):
            for replacement in ((), (field, field)):
                of = letter(name)
                of.header = Header((*fields[:position], *replacement, *fields[position + 1 :]))
                assert of.validate(ZONE).result == FAIL


def test_a_footer_breaks_the_signature_and_a_new_set_vouches_for_it():
    of = letter("arc-2")
    assert results(of) == (FAIL,)
    assert of.validate(ZONE).result == PASS
    of.body += b"More.\r\n"
    assert of.validate(ZONE).why == "body hash did not verify"

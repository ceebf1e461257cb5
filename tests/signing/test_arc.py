"""ARC: what is sealed here validates, what is not whole fails, and nothing bad is made to look good."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.mail.message import Field
from smtpy.signing import arc, dkim
from smtpy.signing.header import Header
from smtpy.signing.key import Signer
from smtpy.signing.making import Unsignable
from smtpy.signing.result import Result
from tests.dns import Zone
from tests.signing.keys import BY_ED25519, BY_RSA, RECORDS, SIGNERS, ZONE
from tests.signing.letters import NOW, Letter

PLAIN = b"From: anna@a.example\nTo: b@b.example\nSubject: t\n\nhi\n"
NAMES = ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"]


def sealed(of: Letter, signer: Signer = BY_RSA, results="mx.a.example;\n\tspf=pass smtp.mailfrom=a.example") -> Letter:
    """With one more set on top, made as the mail path makes it."""
    return of.topped(*arc.seal(of.header, of.digest, of.validate(ZONE), signer, results, NOW))


def chained(count: int, text: bytes = PLAIN) -> Letter:
    of = Letter(text)
    for index in range(count):
        of = sealed(of, SIGNERS[index % 2])
    return of


def with_fields(of: Letter, fields) -> Letter:
    of.header = Header(fields)
    return of


def status(of: Letter) -> str:
    """cv= of the topmost seal."""
    (found,) = re.findall(rb"\bcv=(\w+)", of.header.fields[0].value)
    return found.decode()


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_what_is_sealed_here_validates(count):
    found = chained(count).validate(ZONE)
    results = ("mx.a.example;\n\tspf=pass smtp.mailfrom=a.example",) * count
    assert found == arc.Validated(Result.PASS, count, "", ("a.example",) * count, results, covers_from=True)


def test_no_chain_is_none():
    assert Letter(PLAIN).validate(ZONE) == arc.Validated(Result.NONE, 0)


def test_a_set_is_put_on_top_with_the_seal_topmost():
    of = Letter(PLAIN)
    rows = arc.seal(of.header, of.digest, of.validate(ZONE), BY_ED25519, "mx.a.example; none", NOW)
    assert [name for name, _ in rows] == NAMES
    assert rows[0][1] == "i=1; mx.a.example; none"
    assert all(len(line) <= 78 for name, value in rows for line in f"{name}: {value}".split("\n"))
    assert not re.search(r"\bv=|\bh=|\bbh=", rows[2][1].partition("b=")[0])


def test_the_message_signature_covers_dkim_and_neither_results_nor_chain():
    of = Letter(b"Authentication-Results: mx.a.example; none\n" + PLAIN)
    for signer in SIGNERS:
        of = of.topped(("DKIM-Signature", dkim.sign(of.header, of.digest, signer, NOW)))
    of = sealed(sealed(of))
    names = arc.chain(of.header).sets[-1].message.names
    assert names.count(b"dkim-signature") == 2
    assert not {name for name in names if name.startswith((b"arc-", b"authentication-results"))}
    position = of.header.positions(b"dkim-signature")[1]
    fields = list(of.header.fields)
    del fields[position]
    assert with_fields(of, fields).validate(ZONE).why == "signature did not verify"


def test_a_footer_breaks_the_newest_signature_and_a_new_set_mends_it():
    of = chained(1)
    judged = of.validate(ZONE)
    of.body += b"-- \r\nA footer.\r\n"
    assert of.validate(ZONE).why == "body hash did not verify"
    mended = of.topped(*arc.seal(of.header, of.digest, judged, BY_RSA, "list.example; arc=pass", NOW))
    assert mended.validate(ZONE).result == Result.PASS


def test_a_failed_chain_is_sealed_as_failed_and_then_no_more():
    of = chained(2)
    of.body += b"More\r\n"
    failed = sealed(of)
    assert status(failed) == "fail"
    assert failed.validate(ZONE) == arc.Validated(Result.FAIL, 3, "chain is marked as failed")
    assert sealed(failed).header.fields == failed.header.fields


def test_a_seal_of_a_failed_chain_covers_its_own_set_only():
    """RFC 8617 section 5.1.2: the rest of the chain may then change without harm to it."""
    of = chained(1)
    of.body += b"More\r\n"
    failed = sealed(of)
    own = [failed.header.fields[position] for position in (2, 1, 0)]
    signature = arc.chain(failed.header)
    assert signature.closed
    text = b"".join(Header(own).relaxed(position) for position in (0, 1))
    tags = dict(part.strip().split("=", 1) for part in own[2].value.decode().split(";"))
    again = arc.made("ARC-Seal", {**tags, "b": ""}, text, BY_RSA)
    assert "".join(again.split()) == "".join(own[2].value.decode().split())


def test_a_chain_that_could_not_be_judged_is_not_sealed():
    zone = Zone(RECORDS | {"e._domainkey.a.example": "SERVFAIL"})
    of = chained(2)
    judged = of.validate(zone)
    assert judged == arc.Validated(Result.TEMPERROR, 2, "key look-up failed")
    assert arc.seal(of.header, of.digest, judged, BY_RSA, "mx.a.example; arc=temperror", NOW) == ()


def test_a_verdict_on_another_chain_is_not_taken_for_this_one():
    two, three = chained(2), chained(3)
    rows = dict(arc.seal(three.header, three.digest, two.validate(ZONE), BY_RSA, "mx.a.example; arc=pass", NOW))
    assert "cv=fail" in rows["ARC-Seal"]
    rows = dict(arc.seal(two.header, two.digest, arc.Validated(Result.NONE, 0), BY_RSA, "mx.a.example; none", NOW))
    assert "cv=fail" in rows["ARC-Seal"]


def test_fifty_sets_are_the_end():
    full = chained(50)
    assert full.validate(ZONE).result == Result.PASS
    assert sealed(full).header.fields == full.header.fields
    more = with_fields(chained(50), (*full.header.fields, *full.header.fields[:3]))
    assert more.validate(ZONE) == arc.Validated(Result.FAIL, 50, "too many sets")
    assert sealed(more).header.fields == more.header.fields


def test_sets_one_and_three_are_no_chain():
    of = chained(3)
    gap = with_fields(of, (*of.header.fields[:3], *of.header.fields[6:]))
    assert gap.validate(ZONE) == arc.Validated(Result.FAIL, 3, "a set is not complete")
    assert status(sealed(gap)) == "fail"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [1, 2])
def test_every_field_of_every_set_has_to_be_there_once(name, count):
    fields = chained(count).header.fields
    for position in Header(fields).positions(name.lower().encode()):
        without = with_fields(Letter(PLAIN), fields[:position] + fields[position + 1 :])
        assert without.validate(ZONE).result == Result.FAIL
        twice = with_fields(Letter(PLAIN), (fields[position], *fields))
        assert twice.validate(ZONE).result == Result.FAIL
        assert status(sealed(without)) == status(sealed(twice)) == "fail"


def changed(of: Letter, position: int, old: bytes, new: bytes) -> Letter:
    fields = list(of.header.fields)
    assert old in fields[position].value
    fields[position] = Field(fields[position].name, fields[position].value.replace(old, new, 1))
    return with_fields(of, fields)


# Of the topmost seal (0), message signature (1) and results (2) of two sets.
CHANGES = {
    "cv= of the first instance": (0, b"cv=pass", b"cv=none", "cv= does not follow"),
    "cv= unknown": (0, b"cv=pass", b"cv=PASS", "cv= does not follow"),
    "cv= that fails": (0, b"cv=pass", b"cv=fail", "chain is marked as failed"),
    "no cv=": (0, b"cv=pass", b"x=y", "signature lacks a tag"),
    "h= in a seal": (0, b"cv=pass", b"cv=pass; h=from", "a seal names fields or a body"),
    "bh= in a seal": (0, b"cv=pass", b"cv=pass; bh=AAAA", "a seal names fields or a body"),
    "t= no number in a seal": (0, b"t=1", b"t=x", "t=, x= or l= is no number"),
    "i= of none": (0, b"i=2", b"i=0", "a field has no valid i="),
    "i= too high": (0, b"i=2", b"i=51", "a field has no valid i="),
    "i= long": (0, b"i=2", b"i=002", "a field has no valid i="),
    "i= other digits": (0, b"i=2", "i=\u0662".encode(), "a field has no valid i="),
    "i= missing": (1, b"i=2", b"j=2", "a field has no valid i="),
    "i= not first": (2, b"i=2; mx.a.example", b"mx.a.example; i=2", "a field has no valid i="),
    "i= of the other": (2, b"i=2", b"i=1", "a field stands twice in a set"),
    "i= skipped": (2, b"i=2", b"i=3", "a set is not complete"),
    "rsa-sha1": (0, b"a=ed25519-sha256", b"a=rsa-sha1", "rsa-sha1 is obsolete"),
    "d= no domain": (0, b"d=a.example", b"d=", "d= is no domain"),
    "no tags": (1, b"a=", b"=", "a field has no valid i="),
    "a tag twice": (1, b"i=2", b"i=2; i=2", "a field has no valid i="),
    "seal signed": (1, b"h=from", b"h=arc-seal:from", "a message signature covers a seal"),
    "l= in the message signature": (1, b"i=2", b"i=2; l=0", "body hash did not verify"),
    "results changed": (2, b"spf=pass", b"spf=fail", "signature did not verify"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes(name):
    position, old, new, why = CHANGES[name]
    of = changed(chained(2), position, old, new)
    found = of.validate(ZONE)
    assert (found.result, found.why, found.sealers, found.results) == (Result.FAIL, why, (), ())
    assert not {name for name, value in arc_rows(of) if name == "ARC-Seal" and "cv=fail" not in value}


def arc_rows(of: Letter) -> tuple[tuple[str, str], ...]:
    return arc.seal(of.header, of.digest, of.validate(ZONE), BY_RSA, "mx.a.example; arc=fail", NOW)


def test_a_second_author_breaks_the_chain():
    assert chained(1).topped(("From", "ceo@bank.example")).validate(ZONE).result == Result.FAIL


def test_no_author_or_two_are_not_sealed():
    for text in (b"To: x@x.example\n\n", b"From: a@a.example\nFrom: b@b.example\n\n"):
        with pytest.raises(Unsignable):
            sealed(Letter(text))


def test_a_body_that_was_changed_costs_no_look_up():
    of, zone = chained(3), Zone(RECORDS)
    of.body = b""
    assert of.validate(zone).result == Result.FAIL
    assert zone.asked == []


def test_what_others_found_stays_data():
    """A stranger's set may name our authserv-id; it comes back as a text, on a pass, beside the name of its sealer."""
    found = sealed(Letter(PLAIN), results="mx.our.example; dkim=pass header.d=bank.example").validate(ZONE)
    assert found.sealers == ("a.example",)
    assert found.results == ("mx.our.example; dkim=pass header.d=bank.example",)


PIECES = [
    "i=1",
    "i=2",
    "cv=none",
    "cv=pass",
    "cv=fail",
    "a=rsa-sha256",
    "d=a.example",
    "s=r",
    "b=AAAA",
    "bh=AAAA",
    "h=from",
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES), st.lists(st.sampled_from([*PIECES, "", "=", "\n x"]), max_size=12).map("; ".join)
        ),
        min_size=1,
        max_size=7,
    )
)
def test_any_fields_are_no_chain_and_never_sealed_as_good(fields):
    of = Letter(PLAIN).topped(*fields)
    found = of.validate(ZONE)
    assert (found.result, found.sealers) == (Result.FAIL, ())
    assert all("cv=fail" in value for name, value in arc_rows(of) if name == "ARC-Seal")

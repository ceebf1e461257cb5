"""DKIM: the rules of verifying one by one, and what signing covers."""

from datetime import timedelta

import pytest

from smtpy.mail.message import Field
from smtpy.signing import dkim, making
from smtpy.signing.header import Header
from smtpy.signing.making import OVERSIGNED, Unsignable
from smtpy.signing.result import Result
from tests.dns import Zone
from tests.signing.keys import BY_ED25519, BY_RSA, ED25519_RECORD, RECORDS, RSA_RECORD, SIGNERS, ZONE
from tests.signing.letters import NOW, Letter

PLAIN = b"From: anna@a.example\nTo: b@b.example\nSubject: t\n\nhi\n"
NAME = "r._domainkey.a.example"
P = RSA_RECORD.partition("p=")[2]


def signed(text: bytes = PLAIN, signer=BY_RSA, now=NOW, identity=None) -> Letter:
    of = Letter(text)
    return of.topped(("DKIM-Signature", dkim.sign(of.header, of.digest, signer, now, identity=identity)))


def resigned(change: dict[str, str | None], text: bytes = PLAIN, signer=BY_RSA) -> Letter:
    """A letter whose signature is right for the tags it has: `change` replaces or (None) removes some."""
    of = Letter(text)
    tags = {"v": "1", "a": signer.algorithm, "c": "relaxed/relaxed", "d": "a.example", "s": signer.selector}
    tags |= {"h": "from:to:subject", "bh": making.base64_of(of.digest.digest), "b": ""}
    tags = {tag: value for tag, value in (tags | change).items() if value is not None}
    names = tuple(name.strip().lower().encode() for name in tags.get("h", "").split(":"))
    covered = of.header.chosen(names, relaxed=True)
    return of.topped(("DKIM-Signature", making.made("DKIM-Signature", tags, covered, signer)))


def judged(of: Letter, zone=ZONE, now=NOW) -> tuple[str, str]:
    (found,) = of.verify(zone, now)
    return str(found.result), found.why


def test_a_pass_says_who_signed():
    (found,) = signed(identity="anna@sub.a.example").verify(ZONE)
    assert found == dkim.Verified(Result.PASS, "a.example", "r", "rsa-sha256", "anna@sub.a.example")


def test_the_helper_of_this_table_makes_what_passes():
    assert judged(resigned({})) == ("pass", "")
    assert judged(resigned({}, signer=BY_ED25519)) == ("pass", "")


TAGS = {
    "no v=": ({"v": None}, "permerror", "signature lacks a tag"),
    "v=2": ({"v": "2"}, "permerror", "unknown version"),
    "v= empty": ({"v": ""}, "permerror", "unknown version"),
    "no a=": ({"a": None}, "permerror", "signature lacks a tag"),
    "a= unknown": ({"a": "rsa-sha512"}, "permerror", "unknown algorithm"),
    "a= in capitals": ({"a": "RSA-SHA256"}, "permerror", "unknown algorithm"),
    "rsa-sha1": ({"a": "rsa-sha1"}, "policy", "rsa-sha1 is obsolete"),
    "a= of the other key": ({"a": "ed25519-sha256"}, "permerror", "inappropriate key algorithm"),
    "no d=": ({"d": None}, "permerror", "signature lacks a tag"),
    "d= empty": ({"d": ""}, "permerror", "d= is no domain"),
    "d= literal": ({"d": "[192.0.2.1]"}, "permerror", "d= is no domain"),
    "d= too long": ({"d": "a." * 127 + "example"}, "permerror", "d= is no domain"),
    "d= with a dot at the end": ({"d": "a.example."}, "permerror", "d= is no domain"),
    "d= in capitals": ({"d": "A.Example"}, "pass", ""),
    "no s=": ({"s": None}, "permerror", "signature lacks a tag"),
    "s= empty": ({"s": ""}, "permerror", "s= is no selector"),
    "s= with a blank": ({"s": "r r"}, "permerror", "s= is no selector"),
    "s= with an empty label": ({"s": "r..r"}, "permerror", "s= is no selector"),
    "s= too long": ({"s": ".".join(["r" * 50] * 5)}, "permerror", "s= is no selector"),
    "s= unknown": ({"s": "other"}, "permerror", "no key for signature"),
    "no bh=": ({"bh": None}, "permerror", "signature lacks a tag"),
    "bh= empty": ({"bh": ""}, "permerror", "signature lacks a tag"),
    "bh= no base64": ({"bh": "*"}, "permerror", "signature or body hash is not base64"),
    "bh= of another body": ({"bh": "AAAA"}, "fail", "body hash did not verify"),
    "no h=": ({"h": None}, "permerror", "signature lacks a tag"),
    "h= empty": ({"h": ""}, "permerror", "h= is no list of names"),
    "h= with an empty name": ({"h": "from::to"}, "permerror", "h= is no list of names"),
    "h= with a blank in a name": ({"h": "from:sub ject"}, "permerror", "h= is no list of names"),
    "h= beyond ASCII": ({"h": "from:é"}, "permerror", "h= is no list of names"),
    "h= of 201 names": ({"h": ":".join(["from"] * 201)}, "permerror", "h= is no list of names"),
    "h= of 200 names": ({"h": ":".join(["from"] * 200)}, "pass", ""),
    "h= without From": ({"h": "to:subject"}, "permerror", "From field not signed"),
    "h= with blanks and capitals": ({"h": "From : \tTO"}, "pass", ""),
    "h= with fields that are not there": ({"h": "from:x-none:x-none"}, "pass", ""),
    "c= in capitals": ({"c": "Relaxed/Relaxed"}, "permerror", "unknown canonical form"),
    "c= of three": ({"c": "relaxed/relaxed/simple"}, "permerror", "unknown canonical form"),
    "c= empty": ({"c": ""}, "permerror", "unknown canonical form"),
    "c= ends in a slash": ({"c": "relaxed/"}, "permerror", "unknown canonical form"),
    "c= with one form": ({"c": "relaxed"}, "pass", ""),
    "q= dns/txt": ({"q": "x/y : dns/txt"}, "pass", ""),
    "q= other": ({"q": "x/y"}, "permerror", "unknown query method"),
    "i= below": ({"i": "@sub.a.example"}, "pass", ""),
    "i= elsewhere": ({"i": "anna@b.example"}, "permerror", "i= is not of the domain"),
    "i= that ends alike": ({"i": "anna@xa.example"}, "permerror", "i= is not of the domain"),
    "i= above": ({"i": "anna@example"}, "permerror", "i= is not of the domain"),
    "i= without @": ({"i": "a.example"}, "permerror", "i= is not of the domain"),
    "i= empty": ({"i": ""}, "permerror", "i= is not of the domain"),
    "l= exact": ({"l": "4"}, "pass", ""),
    "l= too short": ({"l": "3"}, "fail", "body hash did not verify"),
    "l= too long": ({"l": "5"}, "fail", "body is shorter than l="),
    "l= of 76 digits": ({"l": "9" * 76}, "fail", "body is shorter than l="),
    "l= of 77 digits": ({"l": "9" * 77}, "permerror", "t=, x= or l= is no number"),
    "l= negative": ({"l": "-1"}, "permerror", "t=, x= or l= is no number"),
    "t= no number": ({"t": "now"}, "permerror", "t=, x= or l= is no number"),
    "t= other digits": ({"t": "\u0661"}, "permerror", "t=, x= or l= is no number"),
    "t= now": ({"t": str(int(NOW.timestamp()))}, "pass", ""),
    "t= in five minutes": ({"t": str(int(NOW.timestamp()) + 300)}, "pass", ""),
    "t= in a year": ({"t": str(int(NOW.timestamp()) + 31_536_000)}, "policy", "signature is from the future"),
    "t= of 76 digits": ({"t": "9" * 76}, "policy", "signature is from the future"),
    "x= now": ({"x": str(int(NOW.timestamp()))}, "pass", ""),
    "x= past": ({"x": str(int(NOW.timestamp()) - 1)}, "fail", "signature expired"),
    "x= before t=": ({"t": "1000", "x": "999"}, "permerror", "x= is not after t="),
    "z= and unknown tags": ({"z": "From:x|To:y", "q2": "?"}, "pass", ""),
    "b= of another key": ({"d": "sender.example", "s": "brisbane"}, "permerror", "inappropriate key algorithm"),
}


@pytest.mark.parametrize("name", TAGS)
def test_tags(name):
    change, result, why = TAGS[name]
    assert judged(resigned(change)) == (result, why)


def test_a_tag_twice_is_refused_whichever_is_right():
    of = signed()
    value = of.header.fields[0].value
    for doubled in (value + b"; d=bank.example", value.replace(b"d=a", b"d=bank.example; d=a")):
        of.header = Header((Field(b"DKIM-Signature", doubled), *of.header.fields[1:]))
        assert judged(of) == ("permerror", "tag list has a tag twice")


KEYS = {
    "revoked": ("v=DKIM1; p=", "permerror", "key revoked"),
    "for another service": (f"v=DKIM1; s=tlsrpt; p={P}", "permerror", "inappropriate service type"),
    "for another hash": (f"v=DKIM1; h=sha1; p={P}", "permerror", "inappropriate hash algorithm"),
    "for another algorithm": (ED25519_RECORD, "permerror", "inappropriate key algorithm"),
    "another's": (RSA_RECORD.replace("DkHl", "DkHk"), "fail", "signature did not verify"),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys(name):
    record, result, why = KEYS[name]
    assert judged(signed(), Zone({NAME: {"TXT": [record]}})) == (result, why)


@pytest.mark.parametrize("trouble", ["SERVFAIL", "TIMEOUT"])
def test_a_failed_look_up_is_never_fail(trouble):
    assert judged(signed(), Zone({NAME: {"TXT": trouble}})) == ("temperror", "key look-up failed")


def test_a_key_that_is_not_there_is_no_passing_trouble():
    assert judged(signed(), Zone({})) == ("permerror", "no key for signature")


@pytest.mark.parametrize("order", [1, -1])
def test_one_of_two_records_is_foreign(order):
    records = ["v=spf1 -all", RSA_RECORD][::order]
    assert judged(signed(), Zone({NAME: {"TXT": records}})) == ("pass", "")


@pytest.mark.parametrize("order", [1, -1])
def test_one_of_two_keys_fits(order):
    records = [RSA_RECORD.replace("DkHl", "DkHk"), RSA_RECORD][::order]
    assert judged(signed(), Zone({NAME: {"TXT": records}})) == ("pass", "")


def test_a_strict_key_signs_for_its_own_domain_only():
    zone = Zone({NAME: {"TXT": [f"v=DKIM1; t=s; p={P}"]}})
    assert judged(signed(identity="@a.example"), zone) == ("pass", "")
    assert judged(signed(identity="@sub.a.example"), zone) == ("permerror", "i= is below the domain of a strict key")


def test_a_key_in_test_is_said_to_be():
    (found,) = signed().verify(Zone({NAME: {"TXT": [f"v=DKIM1; t=y; p={P}"]}}))
    assert (found.result, found.testing) == (Result.PASS, True)


def test_a_body_that_was_changed_costs_no_look_up():
    of, zone = signed(), Zone(RECORDS)
    of.body += b"More\r\n"
    assert judged(of, zone) == ("fail", "body hash did not verify")
    assert zone.asked == []


def test_text_behind_l_is_reported():
    of = resigned({"l": "4"})
    of.body += b"A line that nobody signed.\r\n"
    (found,) = of.verify(ZONE)
    assert (found.result, found.why, found.partial) == (Result.POLICY, "l= leaves text unsigned", True)


@pytest.mark.parametrize("author", ["ceo@bank.example", "anna@a.example"])
def test_a_second_author_on_top_breaks_what_signed_one(author):
    of = resigned({}).topped(("From", author))
    assert judged(of) == ("fail", "a From field is not signed")


@pytest.mark.parametrize("name", OVERSIGNED)
@pytest.mark.parametrize("signer", SIGNERS, ids=["rsa", "ed25519"])
def test_no_field_a_reader_sees_can_be_added(name, signer):
    of = signed(signer=signer)
    assert judged(of) == ("pass", "")
    assert judged(of.topped((name.decode(), "x")))[0] == "fail"
    of.header = Header((*of.header.fields, Field(name, b" x")))
    assert judged(of)[0] == "fail"


def test_every_signed_field_matters():
    named = b"".join(b"%s: v\n" % name for name in (*OVERSIGNED[1:], *making.SIGNED))
    of = signed(b"From: anna@a.example\n" + named + b"\nhi\n")
    for position in range(1, len(of.header.fields)):
        other = signed(b"From: anna@a.example\n" + named + b"\nhi\n")
        fields = list(other.header.fields)
        fields[position] = Field(fields[position].name, b" changed")
        other.header = Header(fields)
        assert judged(other) == ("fail", "signature did not verify"), fields[position]


def test_what_is_added_on_the_way_does_no_harm():
    more = [("Received", "by x.example"), ("X-Spam", "no"), ("Authentication-Results", "x"), ("List-Id", "<l>")]
    assert judged(signed().topped(*more)) == ("pass", "")


def test_both_keys_side_by_side():
    of = signed()
    of = of.topped(("DKIM-Signature", dkim.sign(of.header, of.digest, BY_ED25519, NOW)))
    assert [(each.result, each.algorithm) for each in of.verify(ZONE)] == [
        (Result.PASS, "ed25519-sha256"),
        (Result.PASS, "rsa-sha256"),
    ]


def test_what_is_written_is_always_the_same():
    """Both algorithms give one signature for one text, so this is a vector too."""
    assert dkim.sign(Letter(PLAIN).header, Letter(PLAIN).digest, BY_ED25519, NOW) == (
        "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=a.example; s=e;\n"
        "\tt=1795435200;\n"
        "\th=from:from:to:to:cc:subject:subject:date:reply-to:message-id:\n"
        "\tmime-version:content-type:content-transfer-encoding;\n"
        "\tbh=RHI91NDg1Go8f6isolS2HCe2tXiflhd+gsgHAECfFTU=;\n"
        "\tb=wnvATzujoGvoy5y/lRGQRqQeDzAJ+AUY1UQRPlDSPmCZmcNOJ2iXBdg6RyXW/cbhMa4sls\n"
        "\tdktAFRV50a9I9jBw=="
    )


def test_lines_are_short_and_folds_are_sound():
    of = Letter(b"From: a@a.example\n" + b"To: x@x.example\n" * 30 + b"\nhi\n")
    value = dkim.sign(of.header, of.digest, BY_RSA, NOW, identity="some.one.with.a.long.name@a.example")
    lines = ("DKIM-Signature: " + value).split("\n")
    assert max(map(len, lines)) <= 78
    assert all(line.startswith("\t") and line.strip() for line in lines[1:])


@pytest.mark.parametrize("identity", ["jörg@a.example", 'a;b="c"@a.example', "a\n b@a.example"])
def test_an_identity_cannot_end_its_tag(identity):
    assert judged(signed(identity=identity)) == ("pass", "")
    assert "\n\tb" not in signed(identity=identity).header.fields[0].value.decode().partition("h=")[0]


@pytest.mark.parametrize("text", [b"To: x@x.example\n\n", b"From: a@a.example\nFROM : b@b.example\n\n"])
def test_no_author_or_two_are_not_signed(text):
    with pytest.raises(Unsignable, match="From"):
        signed(text)


def test_more_fields_than_a_verifier_would_read_are_not_signed():
    with pytest.raises(Unsignable, match="too many"):
        signed(b"From: a@a.example\n" + b"References: <x>\n" * 200 + b"\nhi\n")


def test_ten_signatures_are_tried():
    one = signed()
    of = Letter(PLAIN)
    of.header = Header((one.header.fields[0],) * 3000 + one.header.fields[1:])
    zone = Zone(RECORDS)
    found = of.verify(zone)
    assert [each.result for each in found] == [Result.PASS] * 10 + [Result.POLICY]
    assert found[-1].why == "further signatures were not tried"
    assert len(zone.asked) == 10


def test_a_signature_that_covers_its_own_field_name_means_the_others():
    inner = signed()
    tags = {"h": "from:dkim-signature:dkim-signature"}
    outer = resigned(tags, signer=BY_RSA)
    assert judged(outer) == ("pass", "")
    assert inner.verify(ZONE)[0].result == Result.PASS


def test_expiry_is_by_the_clock_handed_in():
    of = resigned({"x": str(int(NOW.timestamp()))})
    assert judged(of, now=NOW - timedelta(days=400)) == ("pass", "")
    assert judged(of, now=NOW + timedelta(seconds=1)) == ("fail", "signature expired")


def test_domains_and_selectors_beyond_ascii():
    """RFC 8616 section 5: U-labels may stand in d=, s= and i=; they are asked for as A-labels."""
    domain, selector = "xn--bcher-kva.example", "xn--" + "rätsel".encode("punycode").decode()
    zone = Zone({f"{selector}._domainkey.{domain}": {"TXT": [RSA_RECORD]}})
    (found,) = resigned({"d": "bücher.example", "s": "rätsel", "i": "jörg@bücher.example"}).verify(zone)
    assert (found.result, found.domain, found.identity) == (Result.PASS, domain, f"jörg@{domain}")

"""Authentication-Results: written for others (authres is the judge), read from others, and found when forged."""

import re
import time
from dataclasses import replace

import authres
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpy.authn.dmarc import Dmarc
from smtpy.authn.results import FIELD, Read, Statement, forged, payload, read, written
from smtpy.authn.spf import Spf
from smtpy.authn.verdicts import Authentication
from smtpy.mail import message
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field
from smtpy.signing.arc import Validated
from smtpy.signing.dkim import Verified
from smtpy.signing.result import Result
from tests.corpora import bad_inputs, octets

OURS = "mx.our.example"
FOUND = Authentication(
    Spf(Result.FAIL, "sender.example", "mailfrom", 'sender.example does not permit "you"\\'),
    (
        Verified(Result.PASS, "sender.example", "s1", "rsa-sha256", "@sender.example"),
        Verified(Result.TEMPERROR, "other.example", "s2", "ed25519-sha256", "", "key look-up failed"),
    ),
    Validated(Result.NONE, 0),
    Dmarc(Result.PASS, "reject", "sender.example", "sender.example", aligned_spf=False, aligned_dkim=True, why=""),
)
WHY = "sender.example does not permit 'you'/"
WRITTEN = (
    "mx.our.example;\n"
    f'\tspf=fail reason="{WHY}"\n'
    "\tsmtp.mailfrom=sender.example;\n"
    "\tdkim=pass header.d=sender.example header.s=s1 header.a=rsa-sha256;\n"
    '\tdkim=temperror reason="key look-up failed" header.d=other.example\n'
    "\theader.s=s2 header.a=ed25519-sha256;\n"
    "\tdmarc=pass header.from=sender.example policy.dmarc=reject;\n"
    "\tarc=none"
)


def test_written() -> None:
    assert written(OURS, FOUND) == WRITTEN
    assert f"{OURS};\n\t{payload(FOUND)}" == WRITTEN


def test_nothing_found() -> None:
    nothing = replace(
        FOUND, spf=Spf(Result.NONE, "", "helo", ""), dkim=(), dmarc=replace(FOUND.dmarc, policy="", domain="")
    )
    assert written(OURS, nothing) == "mx.our.example;\n\tspf=none;\n\tdkim=none;\n\tdmarc=pass;\n\tarc=none"


def test_others_read_what_is_written() -> None:
    judge = authres.AuthenticationResultsHeader.parse(f"{FIELD}: {WRITTEN}".replace("\n", "\r\n"))
    assert judge.authserv_id == OURS
    assert [(each.method, each.result) for each in judge.results] == [
        ("spf", "fail"),
        ("dkim", "pass"),
        ("dkim", "temperror"),
        ("dmarc", "pass"),
        ("arc", "none"),
    ]
    assert judge.results[0].reason == WHY
    assert [(p.type, p.name, p.value) for p in judge.results[2].properties] == [
        ("header", "d", "other.example"),
        ("header", "s", "s2"),
        ("header", "a", "ed25519-sha256"),
    ]


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(HOSTILE, HOSTILE, HOSTILE)
@example('x"; dmarc=pass', "\r\nX: y", "(" * 200)
@example("a\n\tb", "\\", "; spf=pass")
def test_nothing_a_stranger_chose_can_be_more_than_a_value(name: str, why: str, selector: str) -> None:
    found = replace(
        FOUND,
        spf=Spf(Result.FAIL, name, "helo", why),
        dkim=(Verified(Result.FAIL, name, selector, why, why, why),) * 30,
        dmarc=replace(FOUND.dmarc, domain=name, why=why),
    )
    value = written(OURS, found)
    assert re.fullmatch(r"[\x20-\x7e]+(\n\t[\x20-\x7e]+)*", value)
    assert max(map(len, value.split("\n\t"))) < 900
    back = read(value.encode())
    assert back is not None
    assert [each.method for each in back.statements] == ["spf", *["dkim"] * 10, "dmarc", "arc"]
    judge = authres.AuthenticationResultsHeader.parse(f"{FIELD}: {value}".replace("\n", "\r\n"))
    assert [(each.method, each.result) for each in judge.results] == [
        (each.method, each.result) for each in back.statements
    ]
    told = dict(back.statements[0].properties).get("smtp.helo")
    assert told in (None, name)
    assert all(set(dict(each.properties)) <= {"header.d", "header.s", "header.a"} for each in back.statements[1:11])


SPF = Statement("spf", "pass", "", (("smtp.mailfrom", "a@sender.example"),))
READ: dict[bytes, Read | None] = {
    b" x.example; spf=pass smtp.mailfrom=a@sender.example": Read("x.example", "", (SPF,)),
    b" x.example 1; spf=pass smtp.mailfrom=a@sender.example;": Read("x.example", "1", (SPF,)),
    b' "x y" 1 ; ; SPF = Pass smtp.mailfrom = a@sender.example ;;': Read("x y", "1", (SPF,)),
    b" (a (b)) x.example (c;d) ;\n\tspf (e) = (f) pass (g)\n\tsmtp . (h) mailfrom=(i)a@sender.example": (
        Read("x.example", "", (SPF,))
    ),
    b" x.example; spf/1=pass smtp.mailfrom=a@sender.example": Read("x.example", "", (SPF,)),
    b' x.example; spf=pass smtp.mailfrom="a@sender.example"': Read("x.example", "", (SPF,)),
    b" x.example; spf=pass junk smtp.mailfrom=a@sender.example": Read("x.example", "", (SPF,)),
    b" x.example; /=; spf=pass smtp.mailfrom=a@sender.example": Read("x.example", "", (SPF,)),
    b" x.example; none": Read("x.example", "", ()),
    b" x.example": Read("x.example", "", ()),
    b"": None,
    b" ;": Read("", "", ()),
    b" (": None,
    b' x.example; spf="': None,
    b" spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a@sender.example; dkim=none": (
        Read("", "", (SPF, Statement("dkim", "none", "", ())))
    ),
    b' x.example; dkim=fail reason="b \\"a\\" d" header.b=ab+/c== header.i=@x.example junk compauth=pass': (
        Read(
            "x.example",
            "",
            (Statement("dkim", "fail", 'b "a" d', (("header.b", "ab+/c=="), ("header.i", "@x.example"))),),
        )
    ),
    b" x.example; = ; a= ; =b; spf": Read("x.example", "", (Statement("a", "", "", ()),)),
    b" x.example; spf=pass smtp.mailfrom=\xfc@x": (
        Read("x.example", "", (Statement("spf", "pass", "", (("smtp.mailfrom", "\ufffd@x"),)),))
    ),
}


@pytest.mark.parametrize(("value", "expected"), READ.items())
def test_read(value: bytes, expected: Read | None) -> None:
    assert read(value) == expected


def test_what_is_written_is_read() -> None:
    back = read(f" {WRITTEN}".encode())
    assert back is not None
    assert back.authserv_id == OURS
    assert back.statements[0] == Statement("spf", "fail", WHY, (("smtp.mailfrom", "sender.example"),))
    assert back.statements[4] == Statement("arc", "none", "", ())


FORGED = (
    b" mx.our.example; dkim=pass",
    b" MX.Our.Example; dkim=pass",
    b"mx.our.example;dkim=pass",
    b' "mx.our.example"; dkim=pass',
    b' "mx\\.our.exa\\mple" 1; dkim=pass',
    b" mx.our.example 1; dkim=pass",
    b" mx.our.example/1; dkim=pass",
    b" mx.our.example(x); dkim=pass",
    b" (x) mx.our.example; dkim=pass",
    b" (x (y)\\) z)\n\t(w) mx.our.example; dkim=pass",
    b"\n mx.our.example\n ; dkim=pass",
    b" mx.our.example.; dkim=pass",
    b" \0mx.our.example; dkim=pass",
    b" mx.our.example\0; dkim=pass",
    b" mx.our.example",
    b" mx.our.example dkim=pass",
    b" mx.our.example=x; dkim=pass",
    b" mx.our.example@x; dkim=pass",
    b" (mx.our.example; dkim=pass",
    b' "mx.our.example; dkim=pass',
    b" " + b"(" * 60 + b")" * 60 + b" MX.our.example; dkim=pass",
    b" ; mx.our.example; dkim=pass",
    b" " + b"(x)" * 9000 + b" mx.our.example; dkim=pass",
    "\uff4dx.our.example; dkim=pass".encode(),
)
FOREIGN = (
    b"",
    b" x.example; dkim=pass (mx.our.example)",
    b" our.example; dkim=pass",
    b" mx.our.example.x.example; dkim=pass",
    b" x-mx.our.example; dkim=pass",
    b' x.example; dkim=pass reason="mx.our.example; spf=pass"',
    b" (mx.our.example) x.example; dkim=pass",
    b" spf=pass smtp.mailfrom=a@mx.our.example",
    b" (",
    b" \xff; dkim=pass",
)


@pytest.mark.parametrize("value", FORGED, ids=range(len(FORGED)))
def test_forged(value: bytes) -> None:
    assert forged([Field(b"authentication-RESULTS", value)], OURS) == (1,)


@pytest.mark.parametrize("value", FOREIGN, ids=range(len(FOREIGN)))
def test_not_forged(value: bytes) -> None:
    assert forged([Field(b"Authentication-Results", value)], OURS) == ()


def test_forged_fields_are_counted_among_their_kind() -> None:
    values = [b" x.example; none", b" mx.our.example; none", b" y.example; none", b" MX.OUR.EXAMPLE; none"]
    fields = [Field(b"Received", b" x"), *(Field(b"Authentication-Results", value) for value in values)]
    fields.insert(2, Field(b"ARC-Authentication-Results", b" mx.our.example; none"))
    assert forged(fields, "mx.our.example") == (2, 4)
    assert forged(fields, "MX.our.example.") == (2, 4)


def test_an_internationalised_id() -> None:
    values = ["bücher.example; none".encode(), b"xn--bcher-kva.example; none", b"B\xc3\x9ccher.example; none"]
    assert forged([Field(b"Authentication-Results", value) for value in values], "xn--bcher-kva.example") == (1, 2, 3)


PIECES = [
    b"x.example",
    b";",
    b"=",
    b"(",
    b")",
    b'"',
    b"\\",
    b"/",
    b".",
    b" ",
    b"\n\t",
    b"spf",
    b"pass",
    b"reason",
    b"none",
    b"\xff",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=30).map(b"".join))
def test_nothing_breaks_the_reader(value: bytes) -> None:
    found = read(value)
    assert found is None or all(each.method for each in found.statements)
    assert forged([Field(b"Authentication-Results", value)], OURS) in ((), (1,))


@given(st.sampled_from(FORGED), st.binary(max_size=20).filter(lambda tail: not set(tail) & set(b'")')))
def test_nothing_behind_the_id_hides_it(value: bytes, tail: bytes) -> None:
    assert forged([Field(b"Authentication-Results", value + b";" + tail)], OURS) == (1,)


@pytest.mark.parametrize(
    "unit", [b"(", b")", b'"', b"()", b"=", b";", b"a=b;", b"a ", b"\\", b'"\\', b"(\\", b"\n\t", b".", b"/", b"a.b=c "]
)
def test_hostile_fields_end_in_bounded_time(unit: bytes) -> None:
    for length in (16_000, 1_000_000):
        began = time.process_time()
        read(unit * (length // len(unit)))
        forged([Field(b"Authentication-Results", unit * (length // len(unit)))], OURS)
        assert time.process_time() - began < 0.3


def test_ten_thousand_fields() -> None:
    began = time.process_time()
    fields = [Field(b"Authentication-Results", b" mx.our.example; none")] * 10_000
    assert len(forged(fields, OURS)) == 10_000
    assert time.process_time() - began < 0.5


def test_the_corpus() -> None:
    cases = bad_inputs("authres")
    assert set(cases) == {"ar-forged-own-id", "ar-nested-comments"}
    fields = message.read(octets(cases["ar-forged-own-id"]), Envelope("", ())).fields
    assert forged(fields, "our-id") == (1, 2, 3)
    values = list(message.read(octets(cases["ar-nested-comments"]), Envelope("", ())).values(FIELD))
    assert [read(value) for value in values] == [None]

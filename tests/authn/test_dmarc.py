"""DMARC after RFC 9989: records, the walk, alignment, and the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smtpy.authn.discovery import Walks, parse_record, steps
from smtpy.authn.dmarc import Dmarc, check_dmarc
from smtpy.authn.spf import Spf
from smtpy.authn.suffixes import Suffixes
from smtpy.signing.result import Result
from tests.corpora import corpus
from tests.dns import Zone

NO_SPF = Spf(Result.NONE, "", "mailfrom", "")


@dataclass(frozen=True)
class Signature:
    """As much of a DKIM verdict as DMARC looks at."""

    domain: str
    result: Result = Result.PASS


def judged(author: str, records: dict[str, Any], *signed: str, spf: str = "", exists: Sequence[str] = ()) -> Dmarc:
    """The verdict, with passing signatures and a passing SPF for these domains."""
    zone = zone_of(records, exists)
    passed = Spf(Result.PASS, spf, "mailfrom", "") if spf else NO_SPF
    return check_dmarc(author, passed, map(Signature, signed), zone, Suffixes())


def zone_of(records: dict[str, Any], exists: Sequence[str] = ()) -> Zone:
    """Records by the domain they are published for; names that exist have an address."""
    names: dict[str, Any] = {}
    for domain, texts in records.items():
        name = domain if domain.startswith("_dmarc.") else f"_dmarc.{domain}"
        names[name] = (
            texts if texts in ("SERVFAIL", "TIMEOUT") else {"TXT": [texts] if isinstance(texts, str) else texts}
        )
    return Zone(names | {name: {"A": ["192.0.2.1"]} for name in exists})


RECORDS = {
    "v=DMARC1; p=reject": ("reject", "reject", "reject"),
    "v=DMARC1;p=reject;sp=none": ("reject", "none", "none"),
    "v=DMARC1; p=none; np=reject": ("none", "none", "reject"),
    "v=DMARC1; p=none; sp=quarantine; np=reject;;": ("none", "quarantine", "reject"),
    "V = DMARC1 ; P = Reject": ("reject", "reject", "reject"),
    "v=DMARC1; p=reject; p=none": ("reject", "reject", "reject"),
    "v=DMARC1; sp=reject; p=none": ("none", "reject", "reject"),
    "v=DMARC1; p=rejct; rua=mailto:a@b.example": ("none", "none", "none"),
    "v=DMARC1; p=reject; sp=rejct; rua=x, mailto:a@b.example": ("none", "none", "none"),
    "v=DMARC1; rua=mailto:a@b.example": ("none", "none", "none"),
    "v=DMARC1; p=reject; junk; =; x=y=z": ("reject", "reject", "reject"),
    "v=DMARC1; p=reject; rua=\xff": ("reject", "reject", "reject"),
}
UNUSABLE = (
    "",
    "v=DMARC1",
    "v=DMARC1;",
    "v=DMARC1; p=rejct",
    "v=DMARC1; p=reject; sp=rejct",
    "v=DMARC1; p=reject; np=",
    "v=DMARC1; rua=nobody",
    "v=dmarc1; p=reject",
    "v=DMARC12; p=reject",
    "v=DMARC1 p=reject",
    "p=reject; v=DMARC1",
    " v=DMARC1; p=reject",
    "v=spf1 -all",
    "v=DMARC1; p=reject" + " " * 5000,
)


@pytest.mark.parametrize(("text", "policies"), RECORDS.items(), ids=list(RECORDS))
def test_record(text: str, policies: tuple[str, str, str]) -> None:
    found = parse_record("a.example", text.encode("latin-1"))
    assert found is not None
    assert (found.p, found.sp, found.np) == policies


@pytest.mark.parametrize("text", UNUSABLE)
def test_unusable_record(text: str) -> None:
    assert parse_record("a.example", text.encode()) is None


def test_flags_of_a_record() -> None:
    found = parse_record("a.example", b"v=DMARC1; p=none; adkim=S; aspf=r; psd=Y; t=y")
    assert found is not None
    assert (found.adkim_strict, found.aspf_strict, found.psd, found.test) == (True, False, "y", True)


def test_the_walk_asks_eight_names_at_most() -> None:
    assert list(steps("a.example.com")) == ["a.example.com", "example.com", "com"]
    assert list(steps("com")) == ["com"]
    eight = list(steps("1.2.3.4.5.6.7.8"))
    assert eight == ["1.2.3.4.5.6.7.8", *(".".join("12345678"[at:]) for at in range(1, 8))]
    twelve = list(steps("a.b.c.d.e.f.g.h.i.j.k.l"))
    assert twelve[:3] == ["a.b.c.d.e.f.g.h.i.j.k.l", "f.g.h.i.j.k.l", "g.h.i.j.k.l"]
    assert len(twelve) == 8


ORGANIZATIONS = {
    "the shortest name with a record": (
        "a.b.example.com",
        {"b.example.com": "p=none", "example.com": "p=none"},
        "example.com",
    ),
    "no record": ("a.b.example.com", {}, "a.b.example.com"),
    "psd=n ends the walk": (
        "a.b.example.com",
        {"b.example.com": "p=none; psd=n", "example.com": "p=none"},
        "b.example.com",
    ),
    "psd=y, one below": ("a.b.bank.example", {"bank.example": "p=none; psd=y"}, "b.bank.example"),
    "psd=y of its own": ("bank.example", {"bank.example": "p=none; psd=y"}, "bank.example"),
    "a registry that forgot psd=y": ("a.shop.co.uk", {"co.uk": "p=none", "shop.co.uk": "p=none"}, "shop.co.uk"),
    "a hosting company": ("me.github.io", {"github.io": "p=reject"}, "me.github.io"),
    "above a hosting company": ("x.me.s3.amazonaws.com", {"amazonaws.com": "p=none"}, "me.s3.amazonaws.com"),
    "a suffix below a record": ("co.uk", {"uk": "p=none"}, "co.uk"),
    "psd=n is believed of a suffix": ("me.github.io", {"github.io": "p=reject; psd=n"}, "github.io"),
    "two records void each other": ("a.example.com", {"example.com": ["v=DMARC1; p=none"] * 2}, "a.example.com"),
}


@pytest.mark.parametrize(("domain", "records", "expected"), ORGANIZATIONS.values(), ids=list(ORGANIZATIONS))
def test_organization(domain: str, records: dict[str, Any], expected: str) -> None:
    written = {name: f"v=DMARC1; {text}" if isinstance(text, str) else text for name, text in records.items()}
    assert Walks(zone_of(written), Suffixes()).organization(domain) == expected


REJECT = "v=DMARC1; p=reject"
POLICIES = {
    "own": ("example.com", {"example.com": REJECT + "; sp=none; np=none"}, "reject"),
    "below": ("real.example.com", {"example.com": REJECT + "; sp=quarantine"}, "quarantine"),
    "not there": ("gone.example.com", {"example.com": "v=DMARC1; p=none; sp=none; np=reject"}, "reject"),
    "there": ("real.example.com", {"example.com": "v=DMARC1; p=none; np=reject"}, "none"),
    "tested": ("example.com", {"example.com": REJECT + "; t=y"}, "quarantine"),
    "tested below": ("real.example.com", {"example.com": REJECT + "; sp=quarantine; t=y"}, "none"),
    "registry": ("shop.bank.example", {"bank.example": REJECT + "; psd=y; sp=quarantine"}, "quarantine"),
    "organisation before registry": (
        "a.shop.bank.example",
        {"bank.example": REJECT + "; psd=y", "shop.bank.example": "v=DMARC1; p=none; sp=quarantine"},
        "quarantine",
    ),
    "hosting company": ("me.github.io", {"github.io": REJECT}, "reject"),
    "own record of a long name": ("a.b.c.d.e.f.g.h.i.j", {"a.b.c.d.e.f.g.h.i.j": REJECT}, "reject"),
}


@pytest.mark.parametrize(("author", "records", "policy"), POLICIES.values(), ids=list(POLICIES))
def test_policy(author: str, records: dict[str, Any], policy: str) -> None:
    found = judged(author, records, exists=["real.example.com"])
    assert (found.result, found.policy) == (Result.FAIL, policy)
    assert found.why == f"neither SPF nor DKIM vouches for {author}"


@pytest.mark.parametrize(
    ("records", "policy"),
    [
        ({"A": ["192.0.2.1"]}, "none"),
        ({"AAAA": ["2001:db8::1"]}, "none"),
        ({"MX": [(10, "mx.example")]}, "none"),
        ({"TXT": ["something"]}, "reject"),
        ("SERVFAIL", ""),
    ],
)
def test_a_name_exists_when_it_has_an_address_or_takes_mail(records: Any, policy: str) -> None:
    zone = zone_of({"example.com": "v=DMARC1; p=none; np=reject"})
    zone.names["x.example.com"] = records
    assert check_dmarc("x.example.com", NO_SPF, [], zone, Suffixes()).policy == policy


ALIGNED = {
    "the same": ("example.com", {}, "example.com", True),
    "letter case, final dot": ("Example.COM", {}, "example.com.", True),
    "below": ("example.com", {}, "mail.example.com", True),
    "above": ("mail.example.com", {}, "example.com", True),
    "beside": ("a.example.com", {}, "b.example.com", True),
    "another's": ("example.com", {}, "example.net", False),
    "looks alike": ("example.com", {}, "notexample.com", False),
    "the registry's": ("example.com", {"com": "v=DMARC1; p=none"}, "com", False),
    "another customer's": ("a.co.uk", {"co.uk": "v=DMARC1; p=none", "a.co.uk": REJECT}, "b.co.uk", False),
    "another customer of a host": ("a.github.io", {"github.io": REJECT}, "b.github.io", False),
    "a department of its own": ("example.com", {"d.example.com": REJECT + "; psd=n"}, "d.example.com", False),
    "empty": ("example.com", {}, "", False),
}


@pytest.mark.parametrize(("author", "records", "domain", "aligned"), ALIGNED.values(), ids=list(ALIGNED))
def test_relaxed_alignment(author: str, records: dict[str, Any], domain: str, aligned: bool) -> None:
    records = {"example.com": REJECT, **records}
    by_dkim = judged(author, records, "unrelated.example", domain)
    by_spf = judged(author, records, spf=domain)
    assert (by_dkim.aligned_dkim, by_dkim.aligned_spf) == (aligned, False)
    assert (by_spf.aligned_dkim, by_spf.aligned_spf) == (False, aligned)
    expected = (Result.PASS, True) if aligned else (Result.FAIL, False)
    assert {(each.result, each.why == "") for each in (by_dkim, by_spf)} == {expected}


def test_strict_alignment_of_one_side_only() -> None:
    records = {"example.com": REJECT + "; adkim=s"}
    assert judged("example.com", records, "mail.example.com").result == Result.FAIL
    assert judged("example.com", records, "example.com").result == Result.PASS
    assert judged("example.com", records, spf="mail.example.com").result == Result.PASS


@pytest.mark.parametrize("domain", ["", "[192.0.2.1]", "nowhere.example", "localhost"])
def test_nothing_to_judge_by(domain: str) -> None:
    found = judged(domain, {}, domain, spf=domain)
    assert (found.result, found.policy) == (Result.NONE, "")
    assert found.why


@pytest.mark.parametrize("trouble", ["SERVFAIL", "TIMEOUT"])
def test_trouble_with_the_record_is_temperror(trouble: str) -> None:
    for name in ("news.example.com", "example.com"):
        found = judged("news.example.com", {name: trouble}, "example.com")
        assert (found.result, found.policy) == (Result.TEMPERROR, "")


def test_trouble_above_the_record_leaves_the_name_itself() -> None:
    records = {"example.com": REJECT, "com": "SERVFAIL"}
    assert judged("example.com", records, "example.com").result == Result.PASS
    unsure = judged("example.com", records, "mail.example.com")
    assert (unsure.result, unsure.policy) == (Result.TEMPERROR, "reject")
    assert judged("example.com", records, "other.example").result == Result.FAIL  # a stranger makes nothing milder


def test_trouble_with_what_may_vouch_is_temperror_and_keeps_the_policy() -> None:
    zone = zone_of({"example.com": REJECT, "mail.example.com": "TIMEOUT"})
    unknown, foreign = Signature("example.com", Result.TEMPERROR), Signature("x.example", Result.TEMPERROR)
    verdicts = [
        check_dmarc("example.com", NO_SPF, [unknown], zone, Suffixes()),
        check_dmarc("example.com", NO_SPF, [Signature("mail.example.com")], zone, Suffixes()),
        check_dmarc("example.com", Spf(Result.TEMPERROR, "example.com", "mailfrom", ""), [], zone, Suffixes()),
    ]
    assert {(each.result, each.policy) for each in verdicts} == {(Result.TEMPERROR, "reject")}
    assert check_dmarc("example.com", NO_SPF, [foreign], zone, Suffixes()).result == Result.FAIL
    assert (
        check_dmarc("example.com", NO_SPF, [unknown, Signature("example.com")], zone, Suffixes()).result == Result.PASS
    )


@pytest.mark.parametrize("domain", ["", ".", "[192.0.2.1]", "[ipv6:2001:db8::1]"])
def test_what_is_no_name_is_not_asked(domain: str) -> None:
    zone = zone_of({})
    assert check_dmarc(domain, NO_SPF, [], zone, Suffixes()).result == Result.NONE
    assert zone.asked == []


def test_strangers_cost_no_questions() -> None:
    zone = zone_of({"example.com": REJECT})
    check_dmarc("example.com", NO_SPF, [Signature(f"x{n}.example") for n in range(50)], zone, Suffixes())
    assert zone.asked == [("_dmarc.example.com", "TXT"), ("_dmarc.com", "TXT")]


@given(st.text(max_size=40), st.binary(max_size=60), st.text(max_size=40))
def test_nothing_breaks_it(author: str, text: bytes, domain: str) -> None:
    zone = Zone({f"_dmarc.{author}": {"TXT": [text, b"v=DMARC1;" + text]}})
    assert check_dmarc(author, NO_SPF, [Signature(domain), Signature(author)], zone, Suffixes()).result in Result


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((corpus("dmarc") / "dmarc-cases.yml").read_text("utf-8"))["cases"]
    return found


def test_the_corpus() -> None:
    wrong = []
    for case in cases():
        zone = zone_of(case["dns"], case.get("exists", ()))
        spf = Spf(Result(case["spf"]["result"]), case["spf"]["domain"], "mailfrom", "")
        signed = [Signature(each["domain"], Result(each["result"])) for each in case["dkim"]]
        found = check_dmarc(case["from_domain"], spf, signed, zone, Suffixes())
        expected = case["expect"]
        if (found.result, found.policy) != (expected["result"], expected.get("policy", "")):
            wrong.append((case["id"], expected, found))
        if "org" in expected:
            assert Walks(zone, Suffixes()).organization(case["from_domain"]) == expected["org"]
    assert (len(cases()), wrong) == (32, [])

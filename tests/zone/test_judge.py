"""Findings: what stands in DNS, and what its owner is told. The words are compared, since they are what is acted on."""

from typing import Any

import pytest

from smtpy.zone.findings import Finding, Status
from smtpy.zone.records import PublicKey, Service
from tests.zone.town import DOMAIN, ED, HOST, KEYS, RSA, SERVICE, UUID, findings, seen, zone

OK, WARNING, UNKNOWN, MISSING, WRONG = Status


def txt(*records: str) -> dict[str, Any]:
    """A name with these TXT records."""
    return {"TXT": list(records)}


def apex(spf: str | None = "v=spf1 mx -all", mx: Any = ((10, HOST),), *more: str) -> dict[str, Any]:
    """The domain itself."""
    return {"MX": list(mx), "TXT": [*([spf] if spf else []), *more]}


def test_all_is_well() -> None:
    found = findings(zone(), zone())
    assert {each.status for each in found.values()} == {OK}
    assert {each.todo for each in found.values()} == {""}
    assert list(found) == ["_smtpy", "mx", "spf", "s1", "s2", "_dmarc", "_mta-sts", "mta-sts", "_smtp"]


def test_nothing_is_there() -> None:
    found = findings({HOST: {"A": ["198.51.100.25"]}})
    assert {each.status for each in found.values()} == {MISSING}
    assert all("Add a" in each.todo for each in found.values())
    assert [name for name, each in found.items() if each.bad] == ["_smtpy", "mx", "spf", "s1", "s2"]


FORGIVEN = {
    "blanks round the token": {"_smtpy": txt(f"  smtpy-verification={UUID} ")},
    "capitals in the token": {"_smtpy": txt(f"SMTPY-Verification={UUID.upper()}")},
    "another token beside ours": {"_smtpy": txt("smtpy-verification=other", f"smtpy-verification={UUID}")},
    "a final dot and capitals in MX": {"apex": apex(mx=[(0, f"{HOST.upper()}.")])},
    "another preference": {"apex": apex(mx=[(77, HOST)])},
    "texts of others at the domain": {"apex": apex("v=spf1 mx -all", ((10, HOST),), "google-site-verification=x")},
    "the owner's own includes": {
        "apex": apex("v=spf1 include:spf.other.example mx ~all"),
        "spf.other.example": txt("v=spf1 ip4:203.0.113.0/24 -all"),
    },
    "SPF by address": {"apex": apex("v=spf1 ip4:198.51.100.25 ip6:2001:db8::/32 -all")},
    "SPF in capitals": {"apex": apex("V=SPF1 MX -ALL")},
    "SPF by redirect": {
        "apex": apex("v=spf1 redirect=spf.other.example"),
        "spf.other.example": txt(f"v=spf1 a:{HOST} -all"),
    },
    "tags in another order": {"s2": txt(f"p={ED.partition('p=')[2]}; k=ed25519")},
    "blanks within the key": {"s1": txt(RSA.replace("GaODcFz5", "GaO DcFz5"))},
    "a final semicolon": {"s1": txt(f"{RSA};")},
    "DMARC without blanks": {"_dmarc": txt("v=DMARC1;p=quarantine;adkim=s;aspf=s;")},
    "TLS reports by HTTPS": {"_smtp._tls": txt("v=TLSRPTv1;rua=https://reports.other.example/tls")},
    "a CNAME for the key": {"s1": {"CNAME": ["s1.keys.example"]}, "s1.keys.example": txt(RSA)},
    "a policy host by CNAME": {"mta-sts": {"CNAME": [HOST]}},
}


@pytest.mark.parametrize("changes", FORGIVEN.values(), ids=FORGIVEN.keys())
def test_what_receivers_forgive_is_forgiven(changes: dict[str, Any]) -> None:
    found = findings(zone(**changes))
    assert {name: each.todo for name, each in found.items() if each.status is not OK} == {}


TOO_MANY = " ".join(f"include:i{number}.other.example" for number in range(10))
INCLUDES = {f"i{number}.other.example": txt("v=spf1 ip4:203.0.113.1 -all") for number in range(10)}

# (what is changed, whose finding, status, words in what is to be done)
JUDGED: dict[str, tuple[dict[str, Any], str, Status, str]] = {
    "token of another": (
        {"_smtpy": txt("smtpy-verification=x")},
        "_smtpy",
        WRONG,
        "of another service, or of an earlier",
    ),
    "token under a wildcard": ({"_smtpy": txt("v=spf1 -all")}, "_smtpy", MISSING, "perhaps through a wildcard"),
    "name doubled": (
        {"_smtpy": None, f"_smtpy.{DOMAIN}.{DOMAIN}": txt(f"smtpy-verification={UUID}")},
        "_smtpy",
        MISSING,
        "adds the domain by itself, enter _smtpy as its name",
    ),
    "name doubled at the domain": (
        {"apex": apex(None), f"{DOMAIN}.{DOMAIN}": txt("v=spf1 mx -all")},
        "spf",
        MISSING,
        "enter @ as its name",
    ),
    "name doubled under a wildcard": (
        {"_smtpy": txt("v=spf1 -all"), f"_smtpy.{DOMAIN}.{DOMAIN}": txt("v=spf1 -all")},
        "_smtpy",
        MISSING,
        "perhaps through a wildcard",
    ),
    "a key at the domain": (
        {"apex": apex("v=spf1 mx -all", ((10, HOST),), RSA), "s1": None},
        "s1",
        MISSING,
        "enter s1._dom",
    ),
    "another key at the domain": (
        {"apex": apex("v=spf1 mx -all", ((10, HOST),), RSA), "s2": None},
        "s2",
        MISSING,
        "Add a TXT record named s2._domainkey.our.example",
    ),
    "DMARC at the domain": (
        {"apex": apex("v=spf1 mx -all", ((10, HOST),), "v=DMARC1; p=reject"), "_dmarc": None},
        "_dmarc",
        MISSING,
        "Name it _dmarc.our.example",
    ),
    "no MX": ({"apex": apex(mx=())}, "mx", MISSING, f"Add an MX record named {DOMAIN} with the value: 10 {HOST}"),
    "null MX": ({"apex": apex(mx=[(0, ".")])}, "mx", WRONG, "takes no mail at all (RFC 7505): take it away"),
    "null MX beside ours": (
        {"apex": apex(mx=[(0, "."), (10, HOST)])},
        "mx",
        WARNING,
        "takes no mail at all (RFC 7505)",
    ),
    "MX elsewhere": ({"apex": apex(mx=[(5, "mail.other.example")])}, "mx", WRONG, "Mail goes to mail.other.example"),
    "MX of an address": ({"apex": apex(mx=[(5, "198.51.100.25")])}, "mx", WRONG, "names a host, never an address"),
    "MX with the domain added": (
        {"apex": apex(mx=[(5, f"{HOST}.{DOMAIN}")])},
        "mx",
        WRONG,
        f"a final dot after {HOST}",
    ),
    "MX elsewhere first": (
        {"apex": apex(mx=[(5, "mail.other.example"), (10, HOST)])},
        "mx",
        WARNING,
        "Most mail goes to mail.other.example",
    ),
    "MX elsewhere last": (
        {"apex": apex(mx=[(5, HOST), (10, "mail.other.example")])},
        "mx",
        WARNING,
        "Some mail goes to mail.other.example",
    ),
    "no SPF": ({"apex": apex(None, ((10, HOST),), "x")}, "spf", MISSING, "with the value: v=spf1 mx -all"),
    "SPF of somebody else": (
        {
            "apex": apex("v=spf1 include:spf.other.example ~all"),
            "spf.other.example": txt("v=spf1 ip4:203.0.113.9 -all"),
        },
        "spf",
        WRONG,
        "Change it to: v=spf1 include:spf.other.example mx ~all",
    ),
    "SPF with mx after all": ({"apex": apex("v=spf1 -all mx")}, "spf", WRONG, "Change it to: v=spf1 mx -all"),
    "SPF that redirects": (
        {"apex": apex("v=spf1 redirect=spf.other.example"), "spf.other.example": txt("v=spf1 -all")},
        "spf",
        WRONG,
        "Change it to: v=spf1 mx redirect=spf.other.example",
    ),
    "SPF right, MX not": ({"apex": apex(mx=[(5, "mail.other.example")])}, "spf", WRONG, "as soon as the MX records"),
    "two SPF records": (
        {"apex": apex("v=spf1 mx -all", ((10, HOST),), "v=spf1 ip4:203.0.113.9 ~all")},
        "spf",
        WRONG,
        "Replace them by: v=spf1 ip4:203.0.113.9 mx -all",
    ),
    "SPF with a mistake": (
        {"apex": apex("v=spf1 mx ipv4:203.0.113.9 -all")},
        "spf",
        WRONG,
        "The record has a mistake (",
    ),
    "SPF with a blank before": ({"apex": apex(" v=spf1 mx -all")}, "spf", WRONG, "v=spf1 mx -all"),
    "SPF with ten look-ups": (
        {"apex": apex(f"v=spf1 {TOO_MANY} -all"), **INCLUDES},
        "spf",
        WRONG,
        f"Change it to: v=spf1 {TOO_MANY} ip4:198.51.100.25 ip6:2001:db8::25 -all",
    ),
    "SPF for one of two addresses": (
        {"apex": apex("v=spf1 ip4:198.51.100.25 -all")},
        "spf",
        WRONG,
        "2001:db8::25 send. Change it to: v=spf1 ip4:198.51.100.25 mx -all",
    ),
    "SPF for everybody": ({"apex": apex("v=spf1 mx +all")}, "spf", WARNING, "lets everybody in the world send"),
    "SPF for everybody, then more": ({"apex": apex("v=spf1 mx all x=y")}, "spf", WARNING, "make it -all"),
    "our host without address": ({HOST: None}, "spf", UNKNOWN, "whoever runs this service"),
    "SPF that needs a silent server": (
        {"apex": apex("v=spf1 include:spf.other.example -all"), "spf.other.example": "SERVFAIL"},
        "spf",
        UNKNOWN,
        "asked again later",
    ),
    "a CNAME at the domain, MX": (
        {"apex": {"CNAME": ["shop.other.example"]}, "shop.other.example": {"A": ["203.0.113.1"]}},
        "mx",
        WRONG,
        f"Replace the CNAME at {DOMAIN} by A and AAAA records",
    ),
    "a CNAME at the domain, SPF": (
        {"apex": {"CNAME": ["shop.other.example"]}, "shop.other.example": {"MX": [(10, HOST)]}},
        "spf",
        WRONG,
        "beside a CNAME no other record can stand",
    ),
    "no key": (
        {"s1": None},
        "s1",
        MISSING,
        "Add a TXT record named s1._domainkey.our.example with the value: v=DKIM1;",
    ),
    "another key": ({"s2": txt("v=DKIM1; k=ed25519; p=" + "A" * 43 + "=")}, "s2", WRONG, "another key than ours"),
    "a key cut off": ({"s1": txt(RSA[:255])}, "s1", WRONG, "cut off after 255 characters"),
    "a key with quotes": ({"s1": txt(f'"{RSA[:200]}" "{RSA[200:]}"')}, "s1", WRONG, "Quotation marks or backslashes"),
    "a key with backslashes": ({"s1": txt(RSA.replace(";", "\\;"))}, "s1", WRONG, "Quotation marks or backslashes"),
    "a key revoked by wildcard": ({"s1": txt("v=DKIM1; p=")}, "s1", WRONG, "revoked (p= is empty), perhaps through"),
    "a key not for mail": ({"s2": txt(f"{ED}; s=tlsrpt")}, "s2", WRONG, "keeps receivers from using it"),
    "a key for a test": ({"s2": txt(f"{ED}; t=y")}, "s2", WARNING, "Take t=y away"),
    "a key beside another text": ({"s2": txt("v=spf1 -all", ED)}, "s2", WARNING, "Take the other TXT records"),
    "another text for a key": ({"s2": txt("v=spf1 -all")}, "s2", MISSING, "perhaps through a wildcard"),
    "no DMARC": ({"_dmarc": None}, "_dmarc", MISSING, "Add a TXT record named _dmarc.our.example"),
    "two DMARC records": (
        {"_dmarc": txt("v=DMARC1; p=reject", "v=DMARC1; p=none")},
        "_dmarc",
        WRONG,
        "void each other",
    ),
    "DMARC for reports only": ({"_dmarc": txt("v=DMARC1; p=none")}, "_dmarc", WARNING, "nothing but reports"),
    "DMARC as a test": ({"_dmarc": txt("v=DMARC1; p=reject; t=y")}, "_dmarc", WARNING, "Take t=y away"),
    "DMARC in small letters": ({"_dmarc": txt("v=dmarc1; p=reject")}, "_dmarc", WRONG, "Receivers cannot read it"),
    "DMARC without a policy": ({"_dmarc": txt("v=DMARC1; pct=100")}, "_dmarc", WRONG, "Receivers cannot read it"),
    "two MTA-STS records": ({"_mta-sts": txt("v=STSv1; id=1", "v=STSv1; id=2")}, "_mta-sts", WRONG, "keep one"),
    "MTA-STS without id": ({"_mta-sts": txt("v=STSv1;")}, "_mta-sts", WRONG, "It lacks ;id="),
    "no policy host": ({"mta-sts": None}, "mta-sts", MISSING, f"with the value: {HOST}"),
    "TLS reports to nobody": ({"_smtp._tls": txt("v=TLSRPTv1")}, "_smtp", WRONG, "It lacks ;rua="),
}


@pytest.mark.parametrize(("changes", "which", "status", "words"), JUDGED.values(), ids=JUDGED.keys())
def test_what_is_not_well_is_said(changes: dict[str, Any], which: str, status: Status, words: str) -> None:
    found = findings(zone(**changes))[which]
    assert (found.status, found.todo) == (status, found.todo)
    assert words in found.todo


@pytest.mark.parametrize("trouble", ["SERVFAIL", "TIMEOUT"])
def test_trouble_is_unknown_and_never_missing(trouble: str) -> None:
    found = findings(dict.fromkeys(zone(), trouble))
    assert {each.status for each in found.values()} == {UNKNOWN}
    assert not any(each.bad for each in found.values())
    assert found["mx"].found == (f"no answer ({trouble})",)
    assert "DNSSEC" in found["mx"].todo


BELOW = "deep.our.example"


@pytest.mark.parametrize(
    ("above", "status"),
    [
        ("v=DMARC1; p=reject", OK),
        ("v=DMARC1; p=none; sp=quarantine", OK),
        ("v=DMARC1; p=reject; sp=none", WARNING),
        ("v=DMARC1; p=none", WARNING),
    ],
)
def test_the_policy_of_the_organisation_holds_below(above: str, status: Status) -> None:
    names = zone(BELOW, _dmarc=None) | {f"_dmarc.{DOMAIN}": txt(above)}
    found = findings(names, domain=BELOW)["_dmarc"]
    assert found.status is status
    assert found.found[0].startswith(f"that of {DOMAIN}, which asks for ")


def test_one_of_two_hosts_is_enough_for_now() -> None:
    service = Service((HOST, "mx2.smtpy.example"), "reports@smtpy.example")
    names = zone() | {"mx2.smtpy.example": {"A": ["198.51.100.26"]}}
    found = findings(names, service=service)
    assert (found["mx"].status, found["mx"].expected) == (WARNING, f"MX 10 {HOST}, MX 10 mx2.smtpy.example")
    assert "10 mx2.smtpy.example" in found["mx"].todo
    assert found["spf"].status is WRONG  # mail that leaves from the second would be refused
    assert "as soon as the MX records are right" in found["spf"].todo


def test_resolvers_that_disagree_are_before_and_after_a_change() -> None:
    found = findings(zone(), zone(s1=None, apex=apex(mx=[(5, "mail.other.example")])))
    assert (found["s1"].status, found["mx"].status) == (WARNING, WARNING)
    assert found["s1"].todo.startswith("Not everywhere yet.")
    assert found["s1"].found[1] == "192.0.2.2: nothing"
    assert found["mx"].found == ("192.0.2.1: MX 10 mx.smtpy.example", "192.0.2.2: MX 5 mail.other.example")
    assert not found["s1"].bad


def test_a_silent_resolver_contradicts_nobody() -> None:
    silent: dict[str, Any] = dict.fromkeys(zone(), "TIMEOUT")
    found = findings(zone(_smtpy=None), silent)  # of these names: it can be reached
    assert (found["s1"].status, found["_smtpy"].status) == (WARNING, MISSING)
    assert found["s1"].found[-1] == "but no answer from 192.0.2.2"


def test_two_that_find_nothing_right_tell_the_worse() -> None:
    found = findings(zone(s2=None), zone(s2=txt("v=DKIM1; p=")))["s2"]
    assert found.status is WRONG


@pytest.mark.parametrize("record", [None, "v=DKIM1; p=", RSA], ids=["gone", "revoked", "there"])
def test_a_retired_key_is_its_owners_affair(record: str | None) -> None:
    retired = (PublicKey("old", RSA, "retired"), *KEYS)
    names = zone() | ({f"old._domainkey.{DOMAIN}": txt(record)} if record else {})
    assert {each.status for each in seen(names, keys=retired).findings} == {OK}


def test_the_next_key_is_recommended_and_the_first_required() -> None:
    first = (PublicKey("s1", RSA, "waiting"), PublicKey("s2", ED, "waiting"))
    alone = [each for each in seen(zone(s1=None), keys=first).findings if each.name.startswith("s1.")]
    assert [(each.status, each.bad) for each in alone] == [(MISSING, True)]
    next_one = (PublicKey("s3", ED, "waiting"), *KEYS)
    found = seen(zone(), keys=next_one).findings
    assert [each.name.partition(".")[0] for each in found if each.status is not OK] == ["s3"]
    assert not any(each.bad for each in found)
    (missing,) = (each for each in found if each.status is not OK)
    assert missing.todo.startswith("A new key: publish it, then it takes over.")
    assert "Add a TXT record named s3._domainkey.our.example" in missing.todo
    assert seen(zone() | {f"s3._domainkey.{DOMAIN}": txt(RSA)}, keys=next_one).findings[3].status is WRONG


@pytest.mark.parametrize("keys", [(), (PublicKey("old", RSA, "retired"),)], ids=["none", "a retired one"])
def test_a_domain_without_a_key_suffers(keys: tuple[PublicKey, ...]) -> None:
    found = seen(zone(), keys=keys).findings
    assert [(each.name, each.status) for each in found if each.bad] == [(f"_domainkey.{DOMAIN}", MISSING)]
    assert "no key; run `smtpy key rotate our.example` or start `smtpy worker`" in found[0].todo


SILENCE: dict[str, Any] = dict.fromkeys(("", *zone()), "TIMEOUT")  # "" is the root, which each resolver knows


def test_a_resolver_that_cannot_be_reached_says_nothing_of_the_domain() -> None:
    one = seen(zone(), SILENCE)
    assert ({each.status for each in one.findings}, one.unreached) == ({OK}, ("192.0.2.2",))
    all_silent = seen(SILENCE, SILENCE)
    assert all_silent.unreached == ("192.0.2.1", "192.0.2.2")
    assert {(each.status, each.todo, each.found) for each in all_silent.findings} == {(UNKNOWN, "", ())}
    broken = seen(dict.fromkeys(zone(), "SERVFAIL"))  # by the domain's own fault
    assert (broken.unreached, "DNSSEC" in broken.findings[0].todo) == ((), True)


def test_what_works_is_what_all_show_that_answer() -> None:
    beside = zone(s2=txt("v=spf1 -all", ED))
    trouble: dict[str, Any] = zone() | {f"s2._domainkey.{DOMAIN}": "SERVFAIL"}
    assert findings(beside, trouble)["s2"].works
    assert not findings(beside, zone(s2=None))["s2"].works
    assert not findings(trouble)["s2"].works


def test_no_record_gets_a_control_character_into_a_finding() -> None:
    hostile = "v=spf1 include:x\x00\x1b[31m.example \u202e -all"
    for changes in ({"apex": apex(hostile)}, {"apex": apex(hostile, ((10, HOST),), hostile)}, {"_dmarc": txt(hostile)}):
        found = findings(zone(**changes))
        assert all(text.isprintable() for each in found.values() for text in (*each.found, each.todo, each.expected))


def test_a_thousand_records_are_not_all_told() -> None:
    found = findings(zone(apex=apex(mx=[(n, f"mx{n}.other.example") for n in range(1000)])))["mx"]
    assert (len(found.found), found.found[-1]) == (21, "…")


def test_a_strangers_record_is_one_line_of_bounded_length() -> None:
    found: Finding = findings(zone(_dmarc=txt("v=DMARC1; p=none; x=\x1b[2J\n" + "y" * 5000)))["_dmarc"]
    assert len(found.found[0]) < 400
    assert found.found[0].isprintable()
    assert SERVICE.report_address in found.expected

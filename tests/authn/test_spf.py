"""SPF, by our own vectors and by the suite of RFC 7208."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from smtpy.authn.spf import check_spf
from smtpy.dns import Answer, DnsTrouble, Kind
from smtpy.signing.result import Result
from tests.corpora import corpus
from tests.dns import Zone

CLIENT = "192.0.2.1"
KINDS: tuple[Kind, ...] = ("A", "AAAA", "CNAME", "MX", "PTR", "TXT")
ZONE = Zone(
    {
        "ours.example": {"TXT": ["unrelated", "v=spf1 ip4:192.0.2.1 -all"], "A": ["192.0.2.9"]},
        "none.example": {"TXT": ["v=spf10 -all"]},
        "fail.example": {"TXT": ["v=spf1 -all exp=why.example"]},
        "soft.example": {"TXT": ["v=spf1 ~all"]},
        "neutral.example": {"TXT": ["v=spf1 ?all"]},
        "twice.example": {"TXT": ["v=spf1 -all", "v=spf1 +all"]},
        "broken.example": {"TXT": ["v=spf1 ip4:{192.0.2.1} -all"]},
        "latin.example": {"TXT": [b"v=spf1 ip4:192.0.2.1 \xff -all"]},
        "trouble.example": "SERVFAIL",
        "slow.example": {"TXT": ["v=spf1 include:silent.example -all"]},
        "silent.example": "TIMEOUT",
        "six.example": {"TXT": ["v=spf1 ip6:2001:db8::/32 -all"]},
        "mx.example": {"TXT": ["v=spf1 mx -all"], "MX": [(20, "b.mx.example"), (10, "a.mx.example")]},
        "a.mx.example": {"A": [CLIENT]},
        "b.mx.example": "TIMEOUT",
        "nullmx.example": {"TXT": ["v=spf1 mx -all"], "MX": [(0, ".")]},
        "alias.example": {"CNAME": ["ours.example"]},
        "ptr.example": {"TXT": ["v=spf1 ptr -all"]},
        "1.2.0.192.in-addr.arpa": {"PTR": "SERVFAIL"},
        "5.2.0.192.in-addr.arpa": {"PTR": ["slow.evil.example", "mail.ptr.example"]},
        "6.2.0.192.in-addr.arpa": {"PTR": ["slow.evil.example"]},
        "slow.evil.example": "TIMEOUT",
        "mail.ptr.example": {"A": ["192.0.2.5"]},
        "ten.example": {"TXT": ["v=spf1" + " a:ours.example" * 10 + " ip4:192.0.2.1 -all"]},
        "eleven.example": {"TXT": ["v=spf1" + " a:ours.example" * 11 + " ip4:192.0.2.1 -all"]},
        "void.example": {"TXT": ["v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1 -all"]},
        "void2.example": {"TXT": ["v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all"]},
        "self.example": {"TXT": ["v=spf1 include:self.example -all"]},
        "round.example": {"TXT": ["v=spf1 include:round2.example -all"]},
        "round2.example": {"TXT": ["v=spf1 include:round.example -all"]},
        "xn--bcher-kva.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"]},
        "local.example": {"TXT": ["v=spf1 exists:%{l}.who.example -all"]},
        "me.who.example": {"A": ["127.0.0.2"]},
    }
)
VECTORS = {
    "a@ours.example": Result.PASS,
    "a@OURS.example": Result.PASS,
    "@ours.example": Result.PASS,
    "a@none.example": Result.NONE,
    "a@nowhere.example": Result.NONE,
    "a@fail.example": Result.FAIL,
    "a@soft.example": Result.SOFTFAIL,
    "a@neutral.example": Result.NEUTRAL,
    "a@twice.example": Result.PERMERROR,
    "a@broken.example": Result.PERMERROR,
    "a@latin.example": Result.PERMERROR,
    "a@trouble.example": Result.TEMPERROR,
    "a@slow.example": Result.TEMPERROR,
    "a@six.example": Result.FAIL,
    "a@mx.example": Result.TEMPERROR,
    "a@nullmx.example": Result.FAIL,
    "a@alias.example": Result.PASS,
    "a@ptr.example": Result.FAIL,
    "a@ten.example": Result.PASS,
    "a@eleven.example": Result.PERMERROR,
    "a@void.example": Result.PERMERROR,
    "a@void2.example": Result.PASS,
    "a@self.example": Result.PERMERROR,
    "a@round.example": Result.PERMERROR,
    "a@bücher.example": Result.PASS,
    "a@\udcff.example": Result.NONE,
    "me@local.example": Result.PASS,
    "you@local.example": Result.FAIL,
    "ü@local.example": Result.FAIL,
    f"{'x' * 64}@local.example": Result.FAIL,
    "a b\r\n\0@local.example": Result.FAIL,
    "a@[192.0.2.1]": Result.NONE,
    "a@localhost": Result.NONE,
    "a@": Result.NONE,
    "a": Result.NONE,
    "a@a..b": Result.NONE,
}


@pytest.mark.parametrize(("path", "expected"), VECTORS.items(), ids=[ascii(path) for path in VECTORS])
def test_result(path: str, expected: Result) -> None:
    found = check_spf(CLIENT, "helo.example", path, "mx.our.example", ZONE)
    assert found.result == expected
    assert (found.why == "") == (expected == Result.PASS)
    assert found.identity == "mailfrom"


def test_the_null_reverse_path_is_judged_by_helo() -> None:
    found = check_spf(CLIENT, "Ours.Example", "", "mx.our.example", ZONE)
    assert (found.result, found.domain, found.identity) == (Result.PASS, "ours.example", "helo")


@pytest.mark.parametrize(
    "domain", ["", "\udcff.example", "ü" * 300, "a." * 200 + "example", "a" * 64 + ".example", "a..b"]
)
def test_what_is_no_name_is_not_asked(domain: str) -> None:
    zone = Zone({})
    found = check_spf(CLIENT, "helo.example", f"a@{domain}", "mx.our.example", zone)
    assert (found.result, found.domain, zone.asked) == (Result.NONE, domain if domain.isascii() else "", [])


@pytest.mark.parametrize("helo", ["", "[192.0.2.1]", "x\r\nX: y", "ü", "a" * 5000, "a." * 5000])
def test_a_helo_that_is_no_name(helo: str) -> None:
    assert check_spf(CLIENT, helo, "", "mx.our.example", ZONE).result == Result.NONE


@pytest.mark.parametrize("client", ["", "unknown", "unix:/run/x", "999.1.1.1", "list", "list6"])
def test_a_client_without_address(client: str) -> None:
    found = check_spf(client, "ours.example", "a@ours.example", "mx.our.example", ZONE)
    assert (found.result, found.domain) == (Result.NONE, "ours.example")


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("2001:db8::7", Result.PASS),
        ("::ffff:192.0.2.1", Result.FAIL),
        ("2001:db9::1", Result.FAIL),
        ("fe80::1%eth0", Result.FAIL),
    ],
)
def test_ipv6(client: str, expected: Result) -> None:
    assert check_spf(client, "h.example", "a@six.example", "mx.our.example", ZONE).result == expected


@pytest.mark.parametrize(("client", "expected"), [("192.0.2.5", Result.PASS), ("192.0.2.6", Result.FAIL)])
def test_a_name_of_the_client_that_cannot_be_looked_up_is_passed_over(client: str, expected: Result) -> None:
    """RFC 7208 section 5.5: who owns the address must not be able to make a temperror of a fail."""
    found = check_spf(client, "x.evil.example", "a@ptr.example", "mx.our.example", ZONE)
    assert found.result == expected


def test_explanations_are_not_asked_for() -> None:
    zone = Zone(ZONE.names)
    check_spf(CLIENT, "h.example", "a@fail.example", "mx.our.example", zone)
    assert zone.asked == [("fail.example", "TXT")]


def test_why_says_who_does_not_permit_whom() -> None:
    assert check_spf(CLIENT, "h", "a@fail.example", "r", ZONE).why == "fail.example does not permit 192.0.2.1"


def test_names_that_come_out_too_long_lose_labels_on_the_left() -> None:
    zone = Zone({"long.example": {"TXT": ["v=spf1 exists:%{l}." + "%{l}." * 30 + "end.example -all"]}})
    check_spf(CLIENT, "h.example", f"{'abcdefghi.' * 6}x@long.example", "mx.our.example", zone)
    name = zone.asked[-1][0]
    assert name.endswith(".x.end.example")
    assert 240 < len(name) <= 253


@pytest.mark.parametrize(
    "term",
    [
        "a:x." + "a" * 60_000 + "!",
        "a:" + "%{" * 30_000,
        "a:" + "%%." * 20_000 + "com",
        "exists:" + "%{l}." * 12_000 + "com",
        "a:%{d" + "." * 60_000 + "}.com",
        "a:%{d" + "9" * 60_000 + "}.com",
        "a:b.example " * 5_000,
        "ip4:1.2.3.4 " * 300,
        "a" * 60_000,
        ("a:x." + "a" * 480 + "! ") * 8,
        ("exists:" + "%{l}." * 90 + "com ") * 8,
    ],
    ids=range(11),
)
def test_hostile_records_end_in_bounded_time(term: str) -> None:
    zone = Zone({"x.example": {"TXT": [f"v=spf1 {term} -all"]}})
    began = time.process_time()
    found = check_spf(CLIENT, "h.example", f"{'a.' * 2000}b@x.example", "mx.our.example", zone)
    assert found.result in (Result.PERMERROR, Result.FAIL)
    assert time.process_time() - began < 0.5


TERMS = st.sampled_from(
    ["v=spf1", " ", "a", "mx", "ptr", "exists:", "include:", "redirect=", "exp=", "%{", "}", "%", "l", "d1r-"]
)


@given(st.lists(TERMS | st.text(max_size=4), max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_record_and_no_envelope_breaks_it(record: list[str], path: str, helo: str) -> None:
    zone = Zone({"x.example": {"TXT": ["v=spf1 " + "".join(record)], "A": [CLIENT]}})
    for reverse_path in (f"{path}@x.example", path, ""):
        assert check_spf(CLIENT, helo, reverse_path, "mx.our.example", zone).result in Result


class Suite:
    """The zone of one scenario. A bare TIMEOUT among a name's records: its other kinds are not answered."""

    def __init__(self, zonedata: dict[str, list[Any]]) -> None:
        self.names = {name.lower().rstrip("."): rows for name, rows in zonedata.items()}

    def ask(self, name: str, kind: Kind) -> Answer:
        for _ in range(10):
            rows = self.names.get(name.lower().rstrip("."))
            if rows is None:
                return Answer((), exists=False)
            records = tuple(self.records(rows, kind))
            aliases = tuple(self.records(rows, "CNAME"))
            if records or not aliases:
                break
            name = aliases[0]
        if not records and "TIMEOUT" in rows:
            raise DnsTrouble("TIMEOUT")
        return Answer(records)

    @staticmethod
    def records(rows: list[Any], kind: str) -> Iterator[Any]:
        pairs = [pair for row in rows if isinstance(row, dict) for pair in row.items()]
        own_texts = any(name == "TXT" for name, _ in pairs)
        for name, value in pairs:
            if kind == "TXT" and (name == "TXT" or (name == "SPF" and not own_texts)):
                if value == "TIMEOUT":
                    raise DnsTrouble("TIMEOUT")
                if value != "NONE":
                    yield "".join(value if isinstance(value, list) else [value]).encode("utf-8")
            elif kind == name == "MX":
                yield (value[0], value[1])
            elif kind == name and value != "TIMEOUT":
                yield value
            elif kind == name:
                raise DnsTrouble("TIMEOUT")


def test_the_suite_of_rfc_7208() -> None:
    text = (corpus("spf-rfc7208") / "rfc7208-tests.yml").read_text("utf-8")
    count, wrong = 0, []
    for scenario in yaml.safe_load_all(text):
        dns = Suite(scenario["zonedata"])
        for name, case in scenario["tests"].items():
            count += 1
            found = check_spf(case["host"], case["helo"], case["mailfrom"], "mx.our.example", dns)
            expected = case["result"][0] if isinstance(case["result"], list) else case["result"]
            if found.result != expected:
                wrong.append((name, expected, found))
    assert (count, wrong) == (203, [])

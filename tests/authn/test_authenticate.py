"""Every check of one message together, with signatures and seals of our own making."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.authn.authenticate import Origin, authenticate, read_claims
from smtpy.authn.results import written
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.dns import Answer, DnsTrouble, Kind
from smtpy.mail.message import Field
from smtpy.signing import arc, dkim, key
from smtpy.signing.body import OURS, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.result import Result
from tests.dns import Zone

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BODY = b"Hello\r\n"
SIGNER = key.load(DER := key.generate("ed25519-sha256"), "ed25519-sha256", "sender.example", "s1")
SEALER = key.load(DER, "ed25519-sha256", "relay.example", "s1")
KEY = key.record_of("ed25519-sha256", key.public_of(DER))
RECORDS: dict[str, Any] = {
    "sender.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]},
    "_dmarc.sender.example": {"TXT": ["v=DMARC1; p=reject"]},
    "s1._domainkey.sender.example": {"TXT": [KEY]},
    "s1._domainkey.relay.example": {"TXT": [KEY]},
    "mx.sender.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]},
}
PLAIN = (Field(b"From", b" A friend <a@sender.example>"), Field(b"Subject", b" hello"))
FROM_SENDER = Origin("198.51.100.1", "mx.sender.example", "a@sender.example", "mx.our.example")
FROM_RELAY = Origin("203.0.113.9", "relay.example", "list@relay.example", "mx.our.example")


def signed(fields: tuple[Field, ...], body: bytes = BODY) -> tuple[Field, ...]:
    """With a DKIM-Signature of sender.example on top."""
    value = dkim.sign(Header(fields), hashed(body), SIGNER, NOW)
    return (Field(b"DKIM-Signature", b" " + value.encode()), *fields)


def sealed(fields: tuple[Field, ...], body: bytes = BODY) -> tuple[Field, ...]:
    """With an ARC set of relay.example on top."""
    none = arc.Validated(Result.NONE, 0)
    rows = arc.seal(Header(fields), hashed(body), none, SEALER, "relay.example; dmarc=pass", NOW)
    for name, value in rows:
        fields = (Field(name.encode(), b" " + value.encode()), *fields)
    return fields


def hashed(body: bytes) -> Any:
    hashes = BodyHashes({OURS})
    hashes.update(body)
    return hashes.finish()[OURS]


def judged(fields: Iterable[Field], origin: Origin = FROM_SENDER, body: bytes = BODY, **changed: Any) -> Authentication:
    claims = read_claims(fields)
    hashes = BodyHashes(claims.specs)
    hashes.update(body)
    zone = Zone(RECORDS | {name.replace("__", "."): records for name, records in changed.items()})
    return authenticate(claims, hashes.finish(), origin, zone, Suffixes(), NOW + timedelta(minutes=1))


def words(found: Authentication) -> str:
    return " ".join(found.summary().values())


def test_straight_from_the_sender() -> None:
    found = judged(signed(PLAIN))
    assert words(found) == "pass pass pass none"
    assert (found.dmarc.aligned_spf, found.dmarc.aligned_dkim, found.dmarc.policy) == (True, True, "reject")


def test_through_a_relay_that_changed_nothing() -> None:
    assert words(judged(sealed(signed(PLAIN)), FROM_RELAY)) == "none pass pass pass"


def test_through_a_list_that_added_a_footer() -> None:
    body = BODY + b"-- \r\nfooter\r\n"
    found = judged(sealed(signed(PLAIN), body), FROM_RELAY, body)
    assert words(found) == "none fail fail pass"
    assert (found.arc.sealers, found.dmarc.policy) == (("relay.example",), "reject")


def test_forged() -> None:
    assert words(judged(PLAIN, FROM_RELAY)) == "none none fail none"


def test_a_reply_with_the_null_reverse_path() -> None:
    found = judged(PLAIN, Origin("198.51.100.1", "mx.sender.example", "", "mx.our.example"))
    assert words(found) == "pass none pass none"
    assert (found.spf.domain, found.spf.identity) == ("mx.sender.example", "helo")


@pytest.mark.parametrize(
    "client",
    [
        "127.0.0.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_client_on_a_private_network_has_no_spf(client: str) -> None:
    found = judged(PLAIN, Origin(client, "x", "a@sender.example", "mx.our.example"))
    assert (found.spf.result, found.spf.domain) == (Result.NONE, "sender.example")
    assert found.spf.why == "the client is on a private network"


FROMS = {
    "two fields": ([b" a@sender.example", b" ceo@bank.example"], Result.PERMERROR),
    "two addresses": ([b" a@sender.example, ceo@bank.example"], Result.PERMERROR),
    "unreadable": ([b" ceo@bank.example <a@sender.example>"], Result.PERMERROR),
    "empty": ([b" "], Result.NONE),
    "none": ([], Result.NONE),
    "an empty group": ([b" undisclosed-recipients:;"], Result.NONE),
    "one word": ([b" root"], Result.NONE),
    "an address literal": ([b" a@[192.0.2.1]"], Result.NONE),
    "no record": ([b" a@nowhere.example"], Result.NONE),
}


@pytest.mark.parametrize(("values", "expected"), FROMS.values(), ids=list(FROMS))
def test_from_that_names_nobody_to_judge(values: list[bytes], expected: Result) -> None:
    found = judged([Field(b"From", value) for value in values])
    assert (found.dmarc.result, found.dmarc.policy) == (expected, "")
    assert found.dmarc.why


def test_how_many_authors_there_are_is_said() -> None:
    whys = [judged([Field(b"From", value)]).dmarc.why for value in (b" ", b" a@x.example, b@y.example")]
    assert whys == ["From names no author", "From names 2 authors"]


def test_several_authors_of_one_domain_are_judged_as_one() -> None:
    two = [Field(b"From", b" a@sender.example, b@sender.example")]
    assert judged(two).dmarc.result is Result.PASS


DOUBTS = (
    b" CEO <ceo@bank.example> hi",
    b" ceo @bank.example",
    b" ceo@bank.example.",
    b" ceo@-x.bank.example",
    b' "CEO <ceo@bank.example>',
    b" ceo@bank.example (hi",
    b" CEO\x01 <ceo@bank.example>",
    b" x@one.example, ceo@bank.example",
    b" x@one.example, x@two.example, x@three.example, x@four.example, ceo@bank.example (",
    b" " + b"(" * 60 + b"ceo@bank.example",
    b" root, ceo@bank.example",
    b" ceo@bank.example,root;",
    b" Bank, Inc <ceo@bank.example>",
    b" x@one.example <ceo@(c)bank.example>",
    b" x@one.example <ceo@bank . example>",
    b" " + b"x" * 20_000 + b"@one.example <ceo@bank.example>",
)


@pytest.mark.parametrize("value", DOUBTS)
def test_a_doubtful_from_is_judged_by_the_sternest_domain_in_it(value: bytes) -> None:
    found = judged([Field(b"From", value)], _dmarc__bank__example={"TXT": ["v=DMARC1; p=reject"]})
    assert (found.dmarc.result, found.dmarc.policy) == (Result.FAIL, "reject")


class Slow(Zone):
    """Once a name of evil.example has been asked for, all time is up."""

    def ask(self, name: str, kind: Kind) -> Answer:
        if any(asked.endswith("evil.example") for asked, _ in self.asked):
            raise DnsTrouble("out of time")
        return super().ask(name, kind)


def test_a_stranger_with_slow_dns_makes_no_verdict_milder() -> None:
    """A signature below the author's organisation is asked for before those of strangers, wherever it stands."""
    fields: tuple[Field, ...] = (Field(b"From", b" ceo@news.bank.example"),)
    for domain in ("pay.bank.example", "slow.evil.example"):
        value = dkim.sign(Header(fields), hashed(BODY), key.load(DER, "ed25519-sha256", domain, "s1"), NOW)
        fields = (Field(b"DKIM-Signature", b" " + value.encode()), *fields)
    claims = read_claims(fields)
    hashes = BodyHashes(claims.specs)
    hashes.update(BODY)
    zone = Slow({"_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject"]}, "news.bank.example": {"A": ["192.0.2.1"]}})
    origin = Origin("203.0.113.9", "evil.example", "a@mail.evil.example", "mx.our.example")
    found = authenticate(claims, hashes.finish(), origin, zone, Suffixes(), NOW + timedelta(minutes=1))
    assert (found.dmarc.result, found.dmarc.policy) == (Result.FAIL, "reject")
    assert [each.result for each in found.dkim] == [Result.TEMPERROR, Result.PERMERROR]


def test_a_doubt_is_kept_beside_the_verdict() -> None:
    found = judged([Field(b"From", b" x@one.example <ceo@bank.example>")])
    assert (found.doubtful, found.named) == (True, ("one.example", "bank.example"))
    plain = judged([Field(b"From", b" Doe, John <a@sender.example>")])
    assert (plain.doubtful, plain.named, plain.dmarc.result) == (False, ("sender.example",), Result.PASS)


@pytest.mark.parametrize("value", [b" a@sender.example <a@sender.example>", b" 'a@sender.example' <A@sender.example>"])
def test_an_address_before_the_same_address_is_no_doubt(value: bytes) -> None:
    assert not judged([Field(b"From", value)]).doubtful


def test_a_doubtful_from_in_unicode_is_judged_too() -> None:
    value = " x@one.example <ceo@bücher.example> hi".encode()
    found = judged([Field(b"From", value)], **{"_dmarc__xn--bcher-kva__example": {"TXT": ["v=DMARC1; p=reject"]}})
    assert (found.dmarc.result, found.dmarc.policy) == (Result.FAIL, "reject")


def test_trouble_is_temperror_everywhere() -> None:
    for name, result in {
        "sender__example": "temperror pass pass none",
        "s1___domainkey__sender__example": "pass temperror pass none",
        "_dmarc__sender__example": "pass pass temperror none",
    }.items():
        assert words(judged(signed(PLAIN), **{name: "TIMEOUT"})) == result


class Short:
    """A DNS that answers so many questions and no more."""

    def __init__(self, answers: int) -> None:
        self.left, self.zone = answers, Zone(RECORDS)

    def ask(self, name: str, kind: Kind) -> Answer:
        self.left -= 1
        if self.left < 0:
            raise DnsTrouble("no time left")
        return self.zone.ask(name, kind)


def test_a_sender_cannot_use_up_the_time_for_the_record_of_another() -> None:
    origin = Origin("203.0.113.9", "x", "a@slow.example", "mx.our.example")
    claims = read_claims(PLAIN)
    found = authenticate(claims, {}, origin, Short(3), Suffixes(), NOW)
    assert (found.spf.result, found.dmarc.result, found.dmarc.policy) == (Result.NONE, Result.FAIL, "reject")
    found = authenticate(claims, {}, origin, Short(2), Suffixes(), NOW)
    assert (found.spf.result, found.dmarc.result, found.dmarc.policy) == (Result.TEMPERROR, Result.FAIL, "reject")


def test_the_best_signature_speaks() -> None:
    fields = (Field(b"DKIM-Signature", b" v=1; junk"), *signed(PLAIN))
    found = judged(fields)
    assert [each.result for each in found.dkim] == [Result.PERMERROR, Result.PASS]
    assert found.dkim_result == Result.PASS


NAMES = [
    b"From",
    b"DKIM-Signature",
    b"ARC-Seal",
    b"ARC-Message-Signature",
    b"ARC-Authentication-Results",
    b"Subject",
    b"",
]


@given(st.lists(st.builds(Field, st.sampled_from(NAMES), st.binary(max_size=40)), max_size=8), st.text(max_size=20))
def test_nothing_breaks_it(fields: list[Field], text: str) -> None:
    found = judged(fields, Origin(text, text, text, "mx.our.example"))
    assert written("mx.our.example", found).startswith("mx.our.example;\n\tspf=none")

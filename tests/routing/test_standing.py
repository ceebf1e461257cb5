"""What authentication amounts to: whose word counts, and for whom."""

import pytest

from smtpy.authn.dmarc import Dmarc
from smtpy.authn.spf import Spf
from smtpy.authn.suffixes import Suffixes
from smtpy.authn.verdicts import Authentication
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, Message
from smtpy.mail.trace import Trace
from smtpy.routing.standing import read_note, standing_of
from smtpy.signing.arc import Validated
from smtpy.signing.dkim import Verified
from smtpy.signing.result import Result

LISTS = "lists.example"
PASSED = "lists.example; dmarc=pass header.from=bank.example"


def found(results: str = "", *, covers_from: bool = True, unsure: str = "") -> Authentication:
    chain = Validated(Result.PASS, 1, "", (LISTS,), (results,), covers_from) if results else Validated(Result.NONE, 0)
    signed = (Verified(Result.TEMPERROR, unsure, "s", "rsa-sha256", f"@{unsure}"),) if unsure else ()
    dmarc = Dmarc(Result.FAIL, "reject", "bank.example", "bank.example", False, False, "")
    return Authentication(Spf(Result.NONE, "", "mailfrom", ""), signed, chain, dmarc, ("bank.example",))


def standing(authentication: Authentication, *sealers: str):  # type: ignore[no-untyped-def]
    return standing_of(authentication, "mx.our.example", Suffixes(), frozenset(sealers))


def test_a_trusted_sealer_vouches() -> None:
    assert standing(found(PASSED), LISTS).vouched
    assert not standing(found(PASSED)).vouched
    assert not standing(found(), LISTS).vouched


@pytest.mark.parametrize(
    "results",
    [
        "lists.example; dmarc=pass header.from=evil.example",
        "lists.example; dmarc=fail header.from=bank.example; dmarc=pass header.from=other.example",
        "lists.example; dmarc=pass header.from=bank.example; dmarc=fail header.from=bank.example",
        "lists.example; dmarc=pass",
        "lists.example; dkim=pass header.d=bank.example",
        "lists.example; dmarc=fail header.from=bank.example",
    ],
)
def test_but_only_for_this_author(results: str) -> None:
    assert not standing(found(results), LISTS).vouched


def test_and_only_for_a_from_that_it_signed() -> None:
    assert not standing(found(PASSED, covers_from=False), LISTS).vouched


def test_a_signature_that_could_not_be_checked_counts_if_it_could_be_the_authors() -> None:
    assert standing(found(unsure="mail.bank.example")).aligned
    assert not standing(found(unsure="esp.example")).aligned


def test_the_note_says_it_all_and_that_of_another_version_nothing() -> None:
    said = standing(found(PASSED), LISTS)
    message = Message(Envelope("", ()), (Field(b"Authentication-Results", said.results.encode()),), 0)
    read = read_note(Trace("first", (), said.note), message)
    assert read is not None
    assert read.note == said.note
    assert read.results == said.results
    assert read_note(Trace("first", (), "none,fail,reject,bank.example,"), message) is None
    assert read_note(Trace("first", ()), message) is None

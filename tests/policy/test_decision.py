"""May this recipient be taken: one row a reason."""

from dataclasses import replace

import pytest

from smtpy.directory.entries import SwitchedOff, WhenOff
from smtpy.directory.questions import Unavailable
from smtpy.policy.decision import decide
from smtpy.policy.protocol import Request
from tests.directory.paper import DAY, HOUSE, NOW, OUR, SRS, Paper, alias, domain, rule

SMALL = domain("small.example", id=2, max_message_bytes=1000)
GENEROUS = domain("generous.example", id=3, max_message_bytes=1_000_000)
LIMIT = 50_000
OFF = SwitchedOff.ALIAS
WORLD = Paper(
    domains=(OUR, SMALL, GENEROUS),
    aliases=(
        alias("sales"),
        alias("a b"),
        alias("sales", SMALL),
        alias("sales", GENEROUS),
        alias("closed", off=OFF),
        alias("resting", off=OFF, when_off=WhenOff.DEFER),
        alias("quiet", off=OFF, when_off=WhenOff.DROP),
        alias("over", expires_at=NOW),
        alias("gone", trashed=True),
        alias("empty", mailboxes=()),
    ),
)
DUNNO = "DUNNO"
UNKNOWN = "550 5.1.1 No such address here"
TOO_LARGE = "552 5.3.4 The message is larger than this address takes"
MALFORMED = "553 5.1.3 The recipient address is malformed"
RETURN = SRS.forward("bob", "sender.example", DAY)
# recipient: (action, declared)
ACTIONS = {
    "sales@our.example": (DUNNO, True),
    "SALES+x@Our.Example": (DUNNO, True),
    "a b@our.example": (DUNNO, True),
    "postmaster@our.example": (DUNNO, False),
    "abuse@our.example": (DUNNO, False),
    "postmaster@mx.our.example": (DUNNO, False),
    "postmaster": (DUNNO, False),
    "x@elsewhere.example": (DUNNO, False),
    "sales=our.example@split.invalid": (DUNNO, False),
    "quiet@our.example": (DUNNO, False),
    "nobody@our.example": (UNKNOWN, False),
    "nobody": ("550 5.1.1 No such address here", False),
    "nobody@mx.our.example": (UNKNOWN, False),
    "gone@our.example": (UNKNOWN, True),
    "closed@our.example": ("550 5.2.1 This address is switched off", True),
    "resting@our.example": ("450 4.2.1 This address is switched off for a while, try again later", True),
    "over@our.example": ("550 5.2.1 This address has expired", True),
    "empty@our.example": ("450 4.2.1 This address has no mailbox at present, try again later", True),
    "a%b@our.example": ("550 5.1.3 Source routes and percent or bang paths are not relayed", False),
    "x@elsewhere.example@our.example": ("550 5.1.3 Source routes and percent or bang paths are not relayed", False),
    "SRS0=aaaaaaaa=2W=x.example=bob@our.example": ("550 5.1.1 This return address is forged or too old", False),
    "": (UNKNOWN, False),
    "sales@our..example": (MALFORMED, False),
    "sales@": (MALFORMED, False),
    "sal\0es@our.example": (MALFORMED, False),
    "s\udcffles@our.example": (MALFORMED, False),
    "sales@our.example\r": (MALFORMED, False),
    f"{'a' * 65}@our.example": ("553 5.1.3 The part before the @ is longer than 64 octets", False),
}


def asked(recipient: str, sender: str = "bob@sender.example", size: int = 0, state: str = "RCPT") -> Request:
    return Request(state, sender, recipient, size, "192.0.2.1")


@pytest.mark.parametrize("sender", ["", "bob@sender.example"])
@pytest.mark.parametrize(("recipient", "said"), ACTIONS.items(), ids=[ascii(each)[:40] for each in ACTIONS])
def test_what_a_recipient_hears_whoever_writes(recipient, said, sender):
    decided = decide(asked(recipient, sender), WORLD, HOUSE, LIMIT, NOW)
    assert (decided.action, decided.alias_id is not None) == said
    assert decided.why


SIZES = (
    ("sales@our.example", 0, DUNNO),
    ("sales@our.example", LIMIT, DUNNO),
    ("sales@our.example", LIMIT + 1, TOO_LARGE),
    ("sales@small.example", 1000, DUNNO),
    ("sales@small.example", 1001, TOO_LARGE),
    ("sales@generous.example", LIMIT + 1, TOO_LARGE),
    ("quiet@our.example", LIMIT + 1, DUNNO),
    ("x@elsewhere.example", LIMIT + 1, DUNNO),
    ("closed@our.example", LIMIT + 1, "550 5.2.1 This address is switched off"),
)


@pytest.mark.parametrize(("recipient", "size", "said"), SIZES)
def test_a_message_that_says_how_large_it_is(recipient, size, said):
    assert decide(asked(recipient, size=size), WORLD, HOUSE, LIMIT, NOW).action == said


def test_a_return_address_takes_reports_only():
    to = f"{RETURN}@our.example"
    assert decide(asked(to, ""), WORLD, HOUSE, LIMIT, NOW).action == DUNNO
    said = decide(asked(to, "spam@sender.example"), WORLD, HOUSE, LIMIT, NOW)
    assert said.action == "550 5.7.1 This address takes delivery reports only"


@pytest.mark.parametrize("state", ["", "CONNECT", "EHLO", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY", "rcpt"])
def test_nothing_is_said_at_another_time(state):
    world = Paper(trouble=Unavailable("away"))
    assert decide(asked("nobody@our.example", state=state), world, HOUSE, LIMIT, NOW).action == DUNNO


def test_what_no_address_can_be_is_refused_by_a_catch_all_too():
    world = replace(WORLD, rules=(rule(None, "rest@home.example"),))
    assert decide(asked("anything@our.example"), world, HOUSE, LIMIT, NOW).action == DUNNO
    assert decide(asked("s\udcffles@our.example"), world, HOUSE, LIMIT, NOW).action == MALFORMED


def test_not_to_know_is_left_to_the_server():
    with pytest.raises(Unavailable):
        decide(asked("sales@our.example"), Paper(trouble=Unavailable("away")), HOUSE, LIMIT, NOW)


def test_what_a_member_has_announced_is_put_off_to_those_who_may_not_relay():
    """Its owner may have turned the MX first; a 5xx would lose mail that is ours tomorrow. Else it is foreign."""
    world = Paper(awaited=("soon.example",))
    for relay, said in ((True, "permit_mynetworks, defer_unauth_destination, defer"), (False, "DUNNO")):
        assert decide(replace(asked("x@soon.example"), relay=relay), world, HOUSE, LIMIT, NOW).action == said


def test_what_is_foreign_is_refused_to_those_who_may_not_relay():
    only_neighbours = "permit_mynetworks, reject_unauth_destination, reject"
    for recipient, said in (("x@elsewhere.example", only_neighbours), ("sales@our.example", "DUNNO")):
        request = replace(asked(recipient), relay=True)
        assert decide(request, WORLD, HOUSE, LIMIT, NOW).action == said

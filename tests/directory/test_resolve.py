"""What an address stands for: one row a rule of the order in smtpy/directory/resolve.py."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smtpy.directory.entries import Mode, SwitchedOff, WhenOff
from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import (
    ADDRESS_EXPIRED,
    ADDRESS_IS_OFF,
    ADDRESS_RESTS,
    BAD_RETURN_ADDRESS,
    LOCAL_TOO_LONG,
    NO_MAILBOX,
    NO_SOURCE_ROUTES,
    NO_SUCH_ADDRESS,
    Drop,
    Foreign,
    Forward,
    Refused,
    Return,
    resolve,
)
from smtpy.mail.address import ANY_LENGTH, Address, parse
from smtpy.srs import stored
from tests.directory.paper import DAY, HOUSE, NOW, OUR, SRS, Paper, alias, domain, rule

OFF, DOMAIN, OWNER = SwitchedOff.ALIAS, SwitchedOff.DOMAIN, SwitchedOff.OWNER
MOMENT = timedelta(seconds=1)
BARE = domain("bare.example", id=2, role_mailbox=None, extension_separator=None)
DASH = domain("dash.example", id=3, extension_separator="-", max_message_bytes=1000)
SHUT = domain("shut.example", id=4, enabled=False)

WORLD = Paper(
    domains=(OUR, BARE, DASH, SHUT),
    aliases=(
        alias("sales"),
        alias("sales+x", id=8),
        alias("strasse", id=9),
        alias("team", mailboxes=("ann@home.example", '"b b"@work.example')),
        alias("closed", off=OFF),
        alias("resting", off=DOMAIN, when_off=WhenOff.DEFER),
        alias("quiet", off=OWNER, when_off=WhenOff.DROP),
        alias("over", expires_at=NOW),
        alias("soon", expires_at=NOW + MOMENT),
        alias("gone", trashed=True),
        alias("empty", mailboxes=()),
        alias("abuse", off=OFF),
        alias("srs0", id=10),
        alias("postmaster", DASH, mailboxes=("pm@home.example",), mode=Mode.PRIVATE),
        alias("sales", DASH, id=11),
        alias("+", BARE, id=12),
        alias("postmaster", BARE, off=OFF),
    ),
)


def forwards(local: str, *mailboxes: str, why: str = "exact alias", number: int | None = 7, of=OUR) -> Forward:
    return Forward(Address(local, of.name), mailboxes or (f"{local}@home.example",), why, number, Mode.TRANSPARENT,
                   of.max_message_bytes)  # fmt: skip


BY_THE_HOUSE = "%s of the domain, by the service's postmaster"
EXTENDED = "alias with an extension"
RETURN = SRS.forward("bob", "sender.example", DAY)
LONG_RETURN = SRS.forward("b" * 60, "long.sender.example", DAY)
CASES = {
    # Not ours
    "x@elsewhere.example": Foreign(),
    "sales@sub.our.example": Foreign(),
    "drop@drop.invalid": Foreign(),
    "sales=our.example@split.invalid": Foreign(),
    "postmaster@[127.0.0.1]": Foreign(),
    f"{RETURN}@elsewhere.example": Foreign(),
    # Declared
    "sales@our.example": forwards("sales"),
    "SALES@OUR.example": forwards("sales"),
    '"sales"@our.example': forwards("sales"),
    "Straße@our.example": forwards("strasse", number=9),
    "team@our.example": forwards("team", "ann@home.example", '"b b"@work.example'),
    "nobody@our.example": Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all"),
    # Extensions
    "sales+x@our.example": forwards("sales+x", "sales+x@home.example", number=8),
    "Sales+Y@our.example": forwards("sales", why=EXTENDED),
    "sales+x+y@our.example": forwards("sales", why=EXTENDED),
    "sales+@our.example": forwards("sales", why=EXTENDED),
    "sales-x@our.example": Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all"),
    "sales-x@dash.example": forwards("sales", why=EXTENDED, number=11, of=DASH),
    "sales+x@bare.example": Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all"),
    "+@bare.example": forwards("+", "+@home.example", number=12, of=BARE),
    "+@our.example": Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all"),
    "closed+x@our.example": Refused(ADDRESS_IS_OFF, "alias is switched off", 7),
    # Switches, expiry, trash
    "closed@our.example": Refused(ADDRESS_IS_OFF, "alias is switched off", 7),
    "resting@our.example": Refused(ADDRESS_RESTS, "domain is switched off", 7),
    "quiet@our.example": Drop(Address("quiet", "our.example"), 7, "owner is switched off"),
    "over@our.example": Refused(ADDRESS_EXPIRED, "alias expired at 2026-11-23 12:00 UTC", 7),
    "soon@our.example": forwards("soon"),
    "gone@our.example": Refused(NO_SUCH_ADDRESS, "alias is in the trash", 7),
    "empty@our.example": Refused(NO_MAILBOX, "exact alias without a working mailbox", 7),
    # Roles
    "postmaster@our.example": forwards("postmaster", "owner@home.example", why="postmaster of the domain", number=None),
    "Abuse@our.example": forwards("abuse", "owner@home.example", why="abuse of the domain", number=None),
    "postmaster@shut.example": forwards(
        "postmaster", "owner@home.example", why="postmaster of the domain", number=None, of=SHUT
    ),
    "hostmaster@our.example": Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all"),
    "abuse@bare.example": Forward(Address("abuse", "bare.example"), ("root@admin.example",), BY_THE_HOUSE % "abuse"),
    "postmaster@bare.example": Forward(
        Address("postmaster", "bare.example"), ("root@admin.example",), BY_THE_HOUSE % "postmaster"
    ),
    "postmaster@dash.example": Forward(
        Address("postmaster", "dash.example"), ("pm@home.example",), "exact alias", 7, Mode.PRIVATE, 1000
    ),
    # The host itself
    "Postmaster@mx.our.example": Forward(
        Address("postmaster", "mx.our.example"), ("root@admin.example",), "role of this host"
    ),
    "mailer-daemon@mx.our.example": Forward(
        Address("mailer-daemon", "mx.our.example"), ("root@admin.example",), "role of this host"
    ),
    "sales@mx.our.example": Refused(NO_SUCH_ADDRESS, "no such role of this host"),
    # Routing characters
    "sales%elsewhere.example@our.example": Refused(NO_SOURCE_ROUTES, "routing characters in the local part"),
    "elsewhere.example!sales@our.example": Refused(NO_SOURCE_ROUTES, "routing characters in the local part"),
    '"sales@elsewhere.example"@our.example': Refused(NO_SOURCE_ROUTES, "routing characters in the local part"),
    '"@a:sales"@our.example': Refused(NO_SOURCE_ROUTES, "routing characters in the local part"),
    # Return addresses
    f"{RETURN}@our.example": Return("bob@sender.example", "return address"),
    f"{RETURN}@mx.our.example": Return("bob@sender.example", "return address"),
    f"{RETURN.lower()}@shut.example": Return("bob@sender.example", "return address"),
    f"{RETURN}x@our.example": Refused(BAD_RETURN_ADDRESS, "return address has a wrong hash"),
    f"{LONG_RETURN}@our.example": Return(f"{'b' * 60}@long.sender.example", "return address"),  # as PostSRSd makes them
    f"{'a' * 65}@our.example": Refused(LOCAL_TOO_LONG, "local part is too long"),
    f"{'a' * 65}@elsewhere.example": Foreign(),
    "SRS0=x@our.example": Refused(BAD_RETURN_ADDRESS, "return address is malformed"),
    "srs0@our.example": forwards("srs0", "srs0@home.example", number=10),
}


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=list(CASES))
def test_what_an_address_stands_for(text, expected):
    assert resolve(parse(text, max_local=ANY_LENGTH), WORLD, HOUSE, NOW) == expected


ACCEPTED = {
    "closed@our.example": "exact alias",
    "quiet@our.example": "exact alias",
    "over@our.example": "exact alias",
    "gone@our.example": "exact alias",
}


@pytest.mark.parametrize(("text", "why"), ACCEPTED.items(), ids=list(ACCEPTED))
def test_what_was_accepted_is_forwarded_whatever_was_switched_since(text, why):
    local = text.partition("@")[0]
    found = resolve(parse(text), WORLD, HOUSE, NOW, accepted=True)
    assert isinstance(found, Forward)
    assert replace(found, may_drop=False) == forwards(local, why=why)


@pytest.mark.parametrize(
    ("when_off", "expected"),
    [
        (WhenOff.REJECT, Refused(ADDRESS_IS_OFF, "catch-all of a domain that is switched off")),
        (WhenOff.DEFER, Refused(ADDRESS_RESTS, "catch-all of a domain that is switched off")),
        (WhenOff.DROP, Drop(Address("x", "shut.example"), None, "catch-all of a domain that is switched off")),
    ],
)
def test_a_domain_that_is_off_says_what_its_owner_chose(when_off, expected):
    shut = domain("shut.example", enabled=False, when_off=when_off)
    world = Paper(domains=(shut,), rules=(rule(None, "rest@home.example"),))
    address = parse("x@shut.example")
    assert resolve(address, world, HOUSE, NOW) == expected
    taken = resolve(address, world, HOUSE, NOW, accepted=True)
    assert isinstance(taken, Forward)
    assert taken.mailboxes == ("rest@home.example",)


@pytest.mark.parametrize(
    ("aliases", "role_mailbox", "leads_to"),
    [
        ((alias("boss", mailboxes=("boss@home.example",)),), None, "boss@home.example"),
        ((alias("boss", trashed=True),), None, "boss@home.example"),
        ((alias("boss", mailboxes=()),), "owner@home.example", "owner@home.example"),
        ((), None, None),
    ],
)
def test_a_postmaster_who_is_an_alias_of_ours_is_expanded_at_once(aliases, role_mailbox, leads_to):
    world = Paper(domains=(domain("our.example", role_mailbox=role_mailbox),), aliases=aliases)
    house = replace(HOUSE, postmaster="boss@our.example")
    found = resolve(parse("root@mx.our.example"), world, house, NOW)
    if leads_to:
        assert isinstance(found, Forward)
        assert found.mailboxes == (leads_to,)
    else:
        assert isinstance(found, Refused)
        assert found.reply == NO_MAILBOX


RULES = (rule("order-[0-9]+", "shop@home.example"), rule("order-.*", number=4), rule(None, "rest@home.example"))
AUTOMATIC = {
    "order-1@our.example": forwards(
        "order-1", "shop@home.example", why="rule 3 (order-[0-9]+)", number=None
    ),
    "ORDER-12@our.example": forwards("order-12", "shop@home.example", why="rule 3 (order-[0-9]+)", number=None),
    "order-x@our.example": Refused(NO_MAILBOX, "rule 4 (order-.*) without a working mailbox"),
    "my-order-1@our.example": forwards("my-order-1", "rest@home.example", why="catch-all", number=None),
    "anything+x@our.example": forwards("anything+x", "rest@home.example", why="catch-all", number=None),
    "sales@our.example": forwards("sales"),
    "gone@our.example": Refused(NO_SUCH_ADDRESS, "alias is in the trash", 7),
    "gone+x@our.example": Refused(NO_SUCH_ADDRESS, "alias is in the trash", 7),
    "postmaster@our.example": forwards("postmaster", "owner@home.example", why="postmaster of the domain", number=None),
    "a%b@our.example": Refused(NO_SOURCE_ROUTES, "routing characters in the local part"),
    "x@shut.example": Refused(ADDRESS_IS_OFF, "catch-all of a domain that is switched off"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), AUTOMATIC.items(), ids=list(AUTOMATIC))
def test_automatic_aliases_come_after_all_that_is_declared(text, expected):
    world = Paper(domains=WORLD.domains, aliases=WORLD.aliases, rules=RULES)
    assert resolve(parse(text), world, HOUSE, NOW) == expected


def test_a_stored_return_address_leads_to_its_sender_or_nowhere():
    local, token = stored(b"k" * 32, "a very long sender@sender.example")
    known = Paper(senders={token: "a very long sender@sender.example"})
    address = Address(local, "our.example")
    assert resolve(address, known, HOUSE, NOW) == Return("a very long sender@sender.example", "stored return address")
    assert resolve(address, Paper(), HOUSE, NOW) == Refused(BAD_RETURN_ADDRESS, "return address is unknown or too old")


def test_a_return_address_grows_old():
    address = Address(RETURN, "our.example")
    assert isinstance(resolve(address, WORLD, HOUSE, NOW + timedelta(days=21)), Return)
    assert resolve(address, WORLD, HOUSE, NOW + timedelta(days=22)) == Refused(
        BAD_RETURN_ADDRESS, "return address is too old"
    )


def test_not_to_know_is_not_to_refuse():
    with pytest.raises(Unavailable):
        resolve(parse("sales@our.example"), Paper(trouble=Unavailable("away")), HOUSE, NOW)


def test_a_foreign_address_costs_one_question_and_an_alias_two():
    world = Paper(aliases=(alias("sales"),))
    resolve(parse("x@elsewhere.example"), world, HOUSE, NOW)
    assert world.asked == [("domain", "elsewhere.example")]
    world.asked.clear()
    resolve(parse("sales@our.example"), world, HOUSE, NOW)
    assert world.asked == [("domain", "our.example"), ("alias", "sales")]

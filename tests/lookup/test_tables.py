"""The tables: what Postfix asks (POSTFIX: the full key, in any case, quoted, as U-label), and what it hears."""

import pytest

from smtpy.directory.entries import SwitchedOff, WhenOff
from smtpy.directory.questions import Unavailable
from smtpy.lookup.netstring import MAX_LENGTH
from smtpy.lookup.tables import look_up
from tests.directory.paper import DAY, HOUSE, NOW, OUR, SRS, Paper, alias, domain, rule

IDN = domain("xn--bcher-kva.example", id=2)
SHUT = domain("shut.example", id=3, enabled=False)
RETURN = SRS.forward("a b", "sender.example", DAY)
WORLD = Paper(
    domains=(OUR, IDN, SHUT),
    aliases=(
        alias("sales"),
        alias("team", mailboxes=("ann@home.example", '"b, b"@work.example', "jörg@home.example")),
        alias("jörg"),
        alias("a b", mailboxes=("ab@home.example",)),
        alias("sales", IDN),
        alias("closed", off=SwitchedOff.ALIAS),
        alias("resting", off=SwitchedOff.ALIAS, when_off=WhenOff.DEFER),
        alias("quiet", off=SwitchedOff.ALIAS, when_off=WhenOff.DROP),
        alias("empty", mailboxes=()),
        alias("crowd", mailboxes=tuple(f"{'x' * 60}{n}@home.example" for n in range(1300))),
    ),
)
NO = "NOTFOUND "
REPLIES = {
    # Our domains, switched off ones too; ourselves
    "domains our.example": "OK our.example",
    "domains OUR.Example": "OK our.example",
    "domains shut.example": "OK shut.example",
    "domains mx.our.example": "OK mx.our.example",
    "domains bücher.example": "OK xn--bcher-kva.example",
    "domains BÜCHER.example": "OK xn--bcher-kva.example",
    "domains xn--bcher-kva.example": "OK xn--bcher-kva.example",
    # Everybody else's, and what is none
    "domains elsewhere.example": NO,
    "domains sub.our.example": NO,
    "domains example": NO,
    "domains split.invalid": NO,
    "domains [192.0.2.1]": NO,
    "domains ": NO,
    "domains .our.example": NO,
    "domains our.example.": NO,
    "domains our example": NO,
    "domains our.example\0": NO,
    "domains sales@our.example": NO,
    f"domains {'a' * 99_000}": NO,
    f"domains {'ü' * 49_000}": NO,
    # Addresses
    "aliases sales@our.example": "OK sales@home.example",
    "aliases SaLeS@Our.Example": "OK sales@home.example",
    "aliases sales+x@our.example": "OK sales@home.example",
    'aliases "sales"@our.example': "OK sales@home.example",
    'aliases "a b"@our.example': "OK ab@home.example",
    "aliases team@our.example": 'OK ann@home.example, "b, b"@work.example, jörg@home.example',
    "aliases jörg@our.example": "OK jörg@home.example",
    "aliases JÖRG@our.example": "OK jörg@home.example",
    "aliases sales@bücher.example": "OK sales@home.example",
    "aliases sales@xn--bcher-kva.example": "OK sales@home.example",
    "aliases postmaster@our.example": "OK owner@home.example",
    "aliases postmaster@mx.our.example": "OK root@admin.example",
    "aliases quiet@our.example": "OK drop@drop.invalid",
    "aliases nobody@our.example": NO,
    "aliases closed@our.example": NO,
    "aliases resting@our.example": "TEMP This address is switched off for a while, try again later",
    "aliases empty@our.example": "TEMP This address has no mailbox at present, try again later",
    "aliases crowd@our.example": "TEMP this address has more mailboxes than fit a reply",
    # Return addresses
    f"aliases {SRS.forward('bob', 'sender.example', DAY)}@our.example": "OK bob@sender.example",
    f'aliases "{RETURN}"@our.example': 'OK "a b"@sender.example',
    "aliases SRS0=aaaaaaaa=2W=sender.example=bob@our.example": NO,
    # Others' addresses, and what is none
    "aliases ann@home.example": NO,
    "aliases sales=our.example@split.invalid": NO,
    "aliases drop@drop.invalid": NO,
    "aliases ": NO,
    "aliases sales": NO,
    "aliases @our.example": NO,
    "aliases our.example": NO,
    "aliases sales @our.example": NO,
    "aliases  sales@our.example": NO,
    "aliases sales@our.example ": NO,
    "aliases sales\0@our.example": NO,
    "aliases sales@our.example, team@our.example": NO,
    "aliases a%sales@our.example": NO,
    "aliases our.example!sales@our.example": NO,
    f"aliases {'a' * 65}@our.example": NO,
    f"aliases {'a' * 99_000}@our.example": NO,
    # What main.cf may have wrong
    "nonesuch sales@our.example": "TEMP no such table",
    "ALIASES sales@our.example": "TEMP no such table",
    "": "TEMP no such table",
    " ": "TEMP no such table",
    " sales@our.example": "TEMP no such table",
    "sales@our.example": "TEMP no such table",
    "aliases\tsales@our.example": "TEMP no such table",
}


@pytest.mark.parametrize(("request_", "reply"), REPLIES.items(), ids=[ascii(each)[:60] for each in REPLIES])
def test_what_postfix_hears(request_, reply):
    assert look_up(request_.encode(), WORLD, HOUSE, NOW) == reply.encode()


NOT_UTF8 = (
    b"aliases j\xf6rg@our.example",
    b"aliases \xff\xfe@our.example",
    b"domains b\xfccher.example",
    b"domains \xc3",
)


@pytest.mark.parametrize("octets", NOT_UTF8)
def test_what_is_not_utf8_is_no_address_not_even_for_a_catch_all(octets):
    assert look_up(octets, Paper(rules=(rule(None, "rest@home.example"),)), HOUSE, NOW) == b"NOTFOUND "


def test_not_to_know_is_left_to_the_server():
    with pytest.raises(Unavailable):
        look_up(b"domains our.example", Paper(trouble=Unavailable("away")), HOUSE, NOW)


def test_a_foreign_domain_costs_one_question_and_what_is_no_address_none():
    world = Paper()
    for request_ in (b"domains elsewhere.example", b"aliases x@elsewhere.example"):
        look_up(request_, world, HOUSE, NOW)
    assert world.asked == [("domain", "elsewhere.example")] * 2
    for request_ in (b"aliases sales", b"domains -", b"none x", b"domains mx.our.example"):
        look_up(request_, world, HOUSE, NOW)
    assert len(world.asked) == 2


def test_no_reply_is_longer_than_postfix_takes():
    assert max(len(look_up(each.encode(), WORLD, HOUSE, NOW)) for each in REPLIES) <= MAX_LENGTH

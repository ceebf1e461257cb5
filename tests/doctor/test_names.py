"""What DNS says of this host, from a real DNS server: the way there and back, and blocklists."""

import os
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from smtpy.config import Settings, judge
from smtpy.doctor import blocklists, hostname
from smtpy.doctor.finding import WARNING, Finding
from tests.dns import Zone
from tests.nameserver import Nameserver
from tests.test_config import NEEDED

HOST, FOUR, SIX = "mx.our.example", "192.0.2.25", "2001:db8::25"
Names = dict[str, Any]


def ptr(address: str, *names: str) -> Names:
    """The way back from an address."""
    return {ip_address(address).reverse_pointer: {"PTR": names}}


GOOD: Names = {HOST: {"A": [FOUR], "AAAA": [SIX]}, **ptr(FOUR, HOST), **ptr(SIX, "old.example", "MX.Our.example")}
Look = Callable[..., list[Finding]]


@pytest.fixture
def server() -> Iterator[Nameserver]:
    """A DNS that knows nothing yet."""
    with Nameserver(Zone({}), negative_ttl=0) as opened:
        yield opened


@pytest.fixture
def look(server: Nameserver, tmp_path: Path) -> Look:
    """Look with these names in DNS, these settings, and these lines in main.cf; without, there is no Postfix."""

    def once(examine: Any, names: Names, *lines: str, **settings: object) -> list[Finding]:
        server.zone.names = {name.lower(): records for name, records in names.items()}
        if lines:
            (tmp_path / "main.cf").write_text("\n".join(("compatibility_level = 3.6", *lines, "")))
            (tmp_path / "master.cf").touch()
            os.utime(tmp_path / "main.cf", (0, 0))  # Postfix waits for what is younger than a second
        return list(examine(_settings(server, settings), tmp_path))

    return once


def _settings(server: Nameserver, more: dict[str, object]) -> Settings:
    asked = {"dns_servers": [f"{server.host}:{server.port}"], "dns_timeout_seconds": 0.2}
    return judge({**NEEDED, "hostname": HOST, **asked, **more})


def test_there_and_back(look: Look) -> None:
    found = look(hostname.examine, GOOD)
    assert [(each.code, each.words) for each in found] == [
        (os.EX_OK, f"{FOUR} is {HOST}, there and back"),
        (os.EX_OK, f"{SIX} is {HOST}, there and back"),
    ]


WRONG = {
    "no address": ({HOST: {"TXT": ["x"]}}, (f"{HOST} has no address in DNS",)),
    "no way back": ({**GOOD, **ptr(SIX)}, (f"{SIX} has no name in DNS (PTR)",)),
    "another name": ({**GOOD, **ptr(FOUR, "host7.provider.example")}, (f"{FOUR} is called host7.provider.example",)),
}


@pytest.mark.parametrize(("names", "words"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_with_the_name(look: Look, names: Names, words: tuple[str, ...]) -> None:
    bad = [each for each in look(hostname.examine, names) if each.code == WARNING]
    assert len(bad) == len(words)
    assert all(each.fix and each.words.startswith(word) for each, word in zip(bad, words, strict=True))


def test_the_name_that_postfix_says(look: Look) -> None:
    names = {**GOOD, "out.our.example": {"A": [FOUR]}, **ptr(FOUR, "out.our.example"), **ptr(SIX, "out.our.example")}
    found = look(hostname.examine, names, f"myhostname = {HOST}", "smtp_helo_name = Out.our.example")
    assert [each.code for each in found] == [os.EX_OK, WARNING]
    assert found[1].words == f"out.our.example does not lead to {SIX}, from which mail leaves"


def test_mail_that_leaves_from_another_address(look: Look) -> None:
    names = {HOST: {"A": [FOUR]}, **ptr("192.0.2.99", HOST)}
    (found,) = look(hostname.examine, names, outgoing_addresses=["192.0.2.99"])
    assert (found.code, "does not lead to 192.0.2.99" in found.words) == (WARNING, True)


def test_a_protocol_that_postfix_does_not_speak(look: Look) -> None:
    names = {HOST: {"A": [FOUR], "AAAA": [SIX]}, **ptr(FOUR, HOST)}  # no way back from the other: nothing leaves there
    lines = (f"myhostname = {HOST}", "inet_protocols = ipv4")
    found = look(hostname.examine, names, *lines)
    assert [(each.code, "in vain" in each.words) for each in found] == [(os.EX_OK, False), (WARNING, True)]
    leaving = [FOUR, "2001:db8::99"]  # which is in no DNS
    assert look(hostname.examine, names, *lines, outgoing_addresses=leaving) == found


def test_behind_a_relay_only_the_way_there_counts(look: Look) -> None:
    relay = "relayhost = [relay.example]:587"
    (found,) = look(hostname.examine, {HOST: {"A": [FOUR]}}, relay)
    assert (found.code, "mail leaves by [relay.example]:587" in found.words) == (os.EX_OK, True)
    assert [each.code for each in look(hostname.examine, {}, relay)] == [WARNING, os.EX_OK]
    (found,) = look(blocklists.examine, {}, relay, blocklists=["bl.example"])
    assert (found.code, "whoever runs that" in found.words) == (os.EX_OK, True)


@pytest.mark.parametrize("trouble", [{HOST: "SERVFAIL"}, {**GOOD, ip_address(FOUR).reverse_pointer: "TIMEOUT"}])
@pytest.mark.parametrize("check", [hostname, blocklists], ids=["hostname", "blocklists"])
def test_trouble_is_no_finding(look: Look, check: Any, trouble: Names) -> None:
    bl = {"2.0.0.127.bl.example": "TIMEOUT"}
    (found,) = look(check.examine, {**trouble, **bl}, blocklists=["bl.example"])
    assert (found.code, "could not be asked: " in found.words) == (os.EX_OK, True)


# --- Blocklists ---------------------------------------------------------------------------------------------------

TEST_POINTS: Names = {"2.0.0.127.bl.example": {"A": ["127.0.0.2"]}}
LISTED: Names = {"25.2.0.192.bl.example": {"A": ["127.0.0.4"], "TXT": ["see\nhttps://bl.example/25"]}}
SIX_AT = ip_address(SIX).reverse_pointer.removesuffix(".ip6.arpa")
ANSWERS: dict[str, tuple[Names, int, str]] = {
    "none of ours": (TEST_POINTS, os.EX_OK, "bl.example has none of our addresses"),
    "one of ours": (TEST_POINTS | LISTED, WARNING, f'{FOUR} is on bl.example, so mail from it is refused or taken for '
                    'spam; it says "see https://bl.example/25"'),
    "one of IPv6": (TEST_POINTS | {f"{SIX_AT}.bl.example": {"A": ["127.0.0.9"]}}, WARNING, f"{SIX} is on bl.example"),
    "asked through a public resolver": (
        {f"{each}.bl.example": {"A": ["127.255.255.254"]} for each in ("2.0.0.127", "1.0.0.127", "25.2.0.192")},
        *(os.EX_OK, "bl.example could not be asked: it answers 127.255.255.254"),
    ),
    "blocked for one question only": (
        TEST_POINTS | {"25.2.0.192.bl.example": {"A": ["127.255.255.255"]}},
        *(os.EX_OK, "bl.example could not be asked: it answers 127.255.255.255"),
    ),
    "refused by 127.0.0.1": (
        {"2.0.0.127.bl.example": {"A": ["127.0.0.1"]}},
        *(os.EX_OK, "bl.example could not be asked: it answers 127.0.0.1"),
    ),
    "a name that somebody has bought": (
        {"2.0.0.127.bl.example": {"A": ["198.51.100.7"]}},
        *(os.EX_OK, "bl.example could not be asked: it answers 198.51.100.7, which is no code of a list"),
    ),
    "no list": ({}, WARNING, "bl.example does not keep to its test points"),
    "one that lists everybody": (
        TEST_POINTS | LISTED | {"1.0.0.127.bl.example": {"A": ["127.0.0.2"]}},
        *(WARNING, "bl.example does not keep to its test points"),
    ),
    "one that is away": ({"2.0.0.127.bl.example": "SERVFAIL"}, os.EX_OK, "bl.example could not be asked: "),
}  # fmt: skip


@pytest.mark.parametrize(("names", "code", "words"), ANSWERS.values(), ids=list(ANSWERS))
def test_what_a_list_answers(look: Look, names: Names, code: int, words: str) -> None:
    (found,) = look(blocklists.examine, GOOD | names, blocklists=["bl.example"])
    assert (found.code, found.words[: len(words)]) == (code, words)


def test_a_list_is_not_asked_again_at_once(look: Look, server: Nameserver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocklists, "EVERY_SECONDS", 1e9)
    look(blocklists.examine, GOOD | TEST_POINTS, blocklists=["bl.example"])
    asked = [name for name, _, _ in server.asked]
    assert "2.0.0.127.bl.example" in asked
    assert look(blocklists.examine, GOOD | TEST_POINTS, blocklists=["bl.example"])[0].code == os.EX_OK
    assert [name for name, _, _ in server.asked] == asked


def test_no_list_is_asked_unless_it_is_wanted(look: Look) -> None:
    (found,) = look(blocklists.examine, GOOD)
    assert (found.code, found.words) == (os.EX_OK, "none is asked: blocklists is not set")

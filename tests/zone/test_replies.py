"""Whether replies from a mailbox would be believed, by what its domain publishes."""

from typing import Any

import pytest

from smtpy.authn.suffixes import Suffixes
from smtpy.zone.findings import Status
from smtpy.zone.replies import judge_replies
from tests.zone.town import ED, resolvers

DOMAIN = "inbox.example"
OK, WARNING, UNKNOWN, MISSING, WRONG = Status
KEYS: dict[str, Any] = {f"_domainkey.{DOMAIN}": {}, f"x1._domainkey.{DOMAIN}": {"TXT": [ED]}}
POLICY: dict[str, Any] = {f"_dmarc.{DOMAIN}": {"TXT": ["v=DMARC1; p=reject"]}}


def spf(*records: str) -> dict[str, Any]:
    """The domain with these records of SPF."""
    return {DOMAIN: {"TXT": list(records)}}


# (what is published, status of replies / spf / dkim / dmarc, words in what is found or to be done)
CASES: dict[str, tuple[dict[str, Any], tuple[Status, ...], str]] = {
    "all": (spf("v=spf1 ip4:198.51.100.0/24 -all") | KEYS | POLICY, (OK, OK, OK, OK), "pass by SPF and DKIM"),
    "keys only": (KEYS, (OK, MISSING, OK, MISSING), "pass by DKIM"),
    "SPF only": (spf("v=spf1 ip4:198.51.100.0/24 ~all"), (OK, OK, MISSING, MISSING), "pass by SPF"),
    "nothing": ({DOMAIN: {}}, (MISSING, MISSING, MISSING, MISSING), "use a mailbox elsewhere"),
    "nothing but a policy": (POLICY, (MISSING, MISSING, MISSING, OK), "asks for that (inbox.example asks for reject)"),
    "a server that hides names with names below": (
        {f"google._domainkey.{DOMAIN}": {"TXT": [ED]}},
        (OK, MISSING, OK, MISSING),
        "a key named google",
    ),
    "no mail from it": (spf("v=spf1 -all"), (MISSING, WRONG, MISSING, MISSING), "sends no mail at all"),
    "two of SPF": (spf("v=spf1 mx -all", "v=spf1 a -all"), (MISSING, WRONG, MISSING, MISSING), "Receivers ignore it ("),
    "SPF for everybody": (spf("v=spf1 +all"), (OK, WARNING, MISSING, MISSING), "lets everybody"),
    "trouble": (
        {DOMAIN: "SERVFAIL", f"_domainkey.{DOMAIN}": "SERVFAIL"},
        (UNKNOWN, UNKNOWN, UNKNOWN, MISSING),
        "asked again",
    ),
    "trouble behind SPF": (
        spf("v=spf1 include:spf.other.example -all") | {"spf.other.example": "TIMEOUT"} | KEYS | POLICY,
        (OK, UNKNOWN, OK, OK),
        "pass by DKIM",
    ),
}


@pytest.mark.parametrize(("names", "statuses", "words"), CASES.values(), ids=CASES.keys())
def test_replies(names: dict[str, Any], statuses: tuple[Status, ...], words: str) -> None:
    found = judge_replies(DOMAIN, resolvers(names, names), Suffixes()).findings
    assert [each.kind.value for each in found] == ["replies", "spf", "dkim", "dmarc"]
    assert tuple(each.status for each in found) == statuses
    assert words in " ".join(word for each in found for word in (*each.found, each.todo))
    assert all(each.todo for each in found if each.status is not OK)


def test_the_policy_above_the_domain_holds() -> None:
    names = {"_dmarc.people.inbox.example": {"TXT": []}} | POLICY
    found = judge_replies("people.inbox.example", resolvers(names), Suffixes()).findings
    assert found[-1].found == ("inbox.example asks for reject",)


def test_resolvers_that_cannot_be_reached_blame_nobody() -> None:
    silence: dict[str, Any] = dict.fromkeys(("", DOMAIN, f"_domainkey.{DOMAIN}", f"_dmarc.{DOMAIN}"), "TIMEOUT")
    seen = judge_replies(DOMAIN, resolvers(silence), Suffixes())
    assert seen.unreached == ("192.0.2.1",)
    assert {(each.status, each.todo) for each in seen.findings} == {(UNKNOWN, "")}

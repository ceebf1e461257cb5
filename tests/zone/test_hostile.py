"""Whatever stands in DNS, there is a finding for each record, fit to print and to keep."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smtpy.authn.suffixes import Suffixes
from smtpy.zone.replies import judge_replies
from tests.zone.town import DOMAIN, findings, resolvers, zone

PIECES = st.sampled_from(
    b"v=spf1|v=DMARC1|v=DKIM1|v=STSv1| |;|p=|all|-all|mx|a:%{i}|include:|redirect=|our.example|t=y|none|\x00|\xff|"
    b'"|smtpy-verification=|ip4:|='.split(b"|")
)
TEXTS = st.one_of(st.binary(max_size=80), st.lists(PIECES, max_size=12).map(b"".join))
NAMES = ("apex", "_smtpy", "s1", "s2", "_dmarc", "_mta-sts", "_smtp._tls")


@given(st.dictionaries(st.sampled_from(NAMES), st.lists(TEXTS, max_size=3)))
def test_any_text_is_judged(changed: dict[str, list[bytes]]) -> None:
    changes: dict[str, Any] = {name: {"TXT": records} for name, records in changed.items()}
    found = findings(zone(**changes))
    assert len(found) == 9
    for each in found.values():
        assert all(text.isprintable() for text in (*each.found, each.todo))
        assert each.status == "ok" or each.todo


@given(st.lists(TEXTS, max_size=3), st.lists(TEXTS, max_size=3))
def test_any_mailbox_is_judged(spf: list[bytes], dmarc: list[bytes]) -> None:
    names = {DOMAIN: {"TXT": spf}, f"_dmarc.{DOMAIN}": {"TXT": dmarc}}
    found = judge_replies(DOMAIN, resolvers(names), Suffixes()).findings
    assert len(found) == 4
    assert all(text.isprintable() for each in found for text in (*each.found, each.todo))


@given(st.lists(st.tuples(st.integers(0, 65535), st.text(max_size=30)), max_size=5))
def test_any_exchange_is_judged(records: list[tuple[int, str]]) -> None:
    found = findings(zone(apex={"MX": records, "TXT": ["v=spf1 ip4:198.51.100.25 ip6:2001:db8::25 -all"]}))["mx"]
    assert found.status == "ok" or found.todo

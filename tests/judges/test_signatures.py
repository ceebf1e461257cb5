"""What `signing` makes, judged by others: every DKIM signature and ARC set of ours passes, and what was changed fails.

No mail path here; messages go from our functions to the judges.
"""

import re
from collections.abc import Callable, Mapping

import pytest

from smtpy.signing.arc import Validated
from smtpy.signing.making import Unsignable
from smtpy.signing.result import Result
from tests.judges.names import Names
from tests.judges.pen import Pen, cut
from tests.judges.vectors import VECTORS, messages
from tests.judges.verifiers import JUDGES, KNOW_ARC, Panel, holds

FOUND = "mx.pen.example;\n\tspf=pass smtp.mailfrom=alice@sender.example;\n\tdmarc=pass header.from=sender.example"

CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "body": lambda data: data.replace(b"hello\r\n", b"hallo\r\n"),
    "footer": lambda data: data + b"-- \r\na footer\r\n",
    "subject": lambda data: data.replace(b"Subject: hello", b"Subject: cheap"),
    "no subject": lambda data: data.replace(b"Subject: hello\r\n", b""),
    "second From on top": lambda data: b"From: boss@pen.example\r\n" + data,
    "second Subject on top": lambda data: b"Subject: cheap\r\n" + data,
    "Reply-To added": lambda data: b"Reply-To: thief@else.example\r\n" + data,
}

# What a judge does not manage, whoever has signed.
UNABLE = {
    "opendkim": {"rfc-001.eml"},  # From is no address
    "rspamd": {
        "fields twice"
    },  # takes another one than RFC 6376 section 5.4.2 does; dkimpy's signatures fail as ours do
}


@pytest.fixture(scope="module")
def pen(names: Names) -> Pen:
    one = cut("pen.example")
    names.publish(*one.records)
    return one


@pytest.fixture(scope="module")
def ink(names: Names) -> Pen:
    one = cut("ink.example")
    names.publish(*one.records)
    return one


@pytest.fixture(scope="module")
def letters(pen: Pen) -> Mapping[str, bytes]:
    """Vectors and corpus, signed with both algorithms and sealed over that."""
    signed = {}
    for name, data in messages().items():
        try:
            signed[name] = pen.sealed(pen.signed(data), FOUND)
        except Unsignable:  # those without a From, or with several
            assert len(re.findall(rb"(?im)^From:", data.partition(b"\r\n\r\n")[0])) != 1, name
    assert len(signed) >= 40
    return signed


@pytest.mark.parametrize("judge", JUDGES)
def test_every_signature_of_ours_passes(panel: Panel, judge: str, letters: Mapping[str, bytes]) -> None:
    opinions = panel.verdicts(judge, letters)
    assert {
        name: each for name, each in opinions.items() if not holds(judge, each, "pen.example")
    }.keys() == UNABLE.get(judge, set())


@pytest.mark.parametrize("judge", JUDGES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(panel: Panel, judge: str, letters: Mapping[str, bytes], change: str) -> None:
    changed = CHANGES[change](letters["plain"])
    assert changed != letters["plain"]
    opinion = panel.verdicts(judge, {"changed": changed})["changed"]
    assert "pass" not in opinion.dkim.values(), opinion
    assert opinion.arc in ({"fail"} if judge in KNOW_ARC else {None}), opinion


@pytest.mark.parametrize("judge", KNOW_ARC)
def test_a_chain_goes_on_behind_a_change(panel: Panel, judge: str, pen: Pen, ink: Pen) -> None:
    """Others seal what we have sealed, and we what others have: a footer breaks the older signatures, not the chain."""
    chain = {"1": pen.sealed(VECTORS["plain"], FOUND)}
    chain["2"] = ink.sealed(chain["1"] + b"-- \r\none\r\n", "ink.example; arc=pass", Validated(Result.PASS, 1))
    chain["3"] = pen.sealed(chain["2"] + b"-- \r\ntwo\r\n", FOUND, Validated(Result.PASS, 2))
    chain["not sealed again"] = chain["3"] + b"-- \r\nthree\r\n"
    chain["a seal lost"] = re.sub(rb"ARC-Seal:[^:]*i=2;(?:.*\r\n[ \t])*.*\r\n", b"", chain["3"])
    chain["other results"] = chain["3"].replace(b"dmarc=pass", b"dmarc=fail")
    assert len(set(chain.values())) == len(chain)
    arcs = {name: each.arc for name, each in panel.verdicts(judge, chain).items()}
    assert arcs == {name: "pass" if len(name) == 1 else "fail" for name in chain}, arcs


@pytest.mark.parametrize("judge", KNOW_ARC)
def test_a_chain_that_failed_stays_failed(panel: Panel, judge: str, pen: Pen, ink: Pen) -> None:
    broken = ink.sealed(VECTORS["plain"], "ink.example; none").replace(b"hello\r\n", b"hallo\r\n")
    sealed = pen.sealed(broken, FOUND, Validated(Result.FAIL, 1))
    assert b"cv=fail" in sealed
    assert pen.sealed(sealed, FOUND, Validated(Result.FAIL, 2)) == sealed
    assert panel.verdicts(judge, {"sealed": sealed})["sealed"].arc == "fail"


@pytest.mark.parametrize("judge", KNOW_ARC)
def test_no_key_is_no_pass(panel: Panel, judge: str) -> None:
    unpublished = cut("pen.example")
    letter = unpublished.sealed(unpublished.signed(VECTORS["plain"]), FOUND)
    opinion = panel.verdicts(judge, {"letter": letter})["letter"]
    assert "pass" not in {opinion.arc, *opinion.dkim.values()}, opinion

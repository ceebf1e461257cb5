"""Messages that break parsers: forwarded as bare Postfix would relay them, or refused; never a crash, never a loss.

Each goes twice through the same Postfix, by an alias from outside and by plain relay from mynetworks, and the two
deliveries must differ in our trace field and Received alone. Whatever Postfix itself makes of a broken message it makes
of both. The corpus has more of them than the vectors here.
"""

import pytest

from tests.corpora import bad_inputs, is_described, octets
from tests.inbox import Delivery
from tests.mailpath.town import Town

TOP = b"From: a@sender.example\r\nTo: alias@our.example\r\nSubject: t\r\n"
VECTORS = {
    "no header at all": b"just text\r\n",
    "nothing": b"",
    "header only": TOP,
    "line without colon": TOP + b"this line has no colon\r\n\r\nhi\r\n",
    "mbox line": b"From a@b Tue Nov  3 10:00:00 2026\r\n" + TOP + b"\r\nhi\r\n",
    "eight-bit name": TOP + b"X-\xff: v\r\n\r\nhi\r\n",
    "eight-bit value": TOP + b"X-Name: J\xf6rg \xc3\xbf\r\n\r\nhi\r\n",
    "NUL": TOP + b"X-Nul: a\0Bcc: z@z.example\r\n\r\nhi\r\n",
    "long line": TOP + b"X-L: " + b"a" * 50_000 + b"\r\n\r\nhi\r\n",
    "many fields": TOP + b"X-N: 1\r\n" * 3_000 + b"\r\nhi\r\n",
    "many folds": TOP + b"X-F: a" + b"\r\n b" * 3_000 + b"\r\n\r\nhi\r\n",
    "folded first line": b" folded\r\n" + TOP + b"\r\nhi\r\n",
    "two of each": TOP + TOP + b"MIME-Version: 1.0\r\nMIME-Version: 1.0\r\n\r\nhi\r\n",
    "odd blanks": TOP + b"X:no-space\r\nY:  two\r\nZ:\ttab\r\nEmpty:\r\nTrail: x \t\r\n\r\nhi\r\n",
    "boundary never seen": TOP + b"Content-Type: multipart/mixed; boundary=q\r\n\r\nhi\r\n",
    "deep": TOP + b"Content-Type: message/rfc822\r\n\r\n" * 300 + b"hi\r\n",
    "message-id": TOP + b"Message-ID: <[\r\n\r\nhi\r\n",
    "raw UTF-8": "From: 用户@例子.example\r\nTo: x@our.example\r\nSubject: 測試\r\n\r\nhi\r\n".encode(),
    "bare CR and LF": TOP + b"X: a\rb\nY: c\r\n\r\nhi\rho\n\r\n",
}
AREAS = ("header", "from", "mime", "authres", "dkim")


@pytest.mark.parametrize("data", VECTORS.values(), ids=VECTORS)
def test_forwarded_as_relayed(town: Town, data: bytes) -> None:
    assert_same(town, data)


def test_the_corpus_is_forwarded_as_relayed(town: Town) -> None:
    cases = bad_inputs(*AREAS)
    messages = {name: octets(case) for name, case in cases.items() if not is_described(case)}
    assert len(messages) > 40
    for name, data in messages.items():
        assert_same(town, data, name)


def assert_same(town: Town, data: bytes, name: str = "") -> None:
    """Both ways hear the same answer, and what arrives is the same but for the trace."""
    before = len(town.stand.inbox.deliveries)
    aliased = town.stand.send("bob@sender.example", ["sales@north.example"], data)
    relayed = town.stand.send("bob@sender.example", ["friend@elsewhere.example"], data, client="127.0.0.1")
    assert aliased.data is not None, name
    assert relayed.data is not None, name
    assert aliased.data.code == relayed.data.code, (name, aliased.data, relayed.data)
    assert aliased.data.code == 250 or aliased.data.code >= 500, (name, aliased.data)
    if not aliased.accepted:
        return
    town.stand.inbox.wait_until(lambda all_: len(all_) >= before + 2)
    first, second = sorted(town.stand.inbox.deliveries[before:], key=lambda each: each.recipients)
    assert first.recipients == ("ann@home.example",), name
    assert second.recipients == ("friend@elsewhere.example",), name
    assert without_ours(first) == without_ours(second), name


def without_ours(delivery: Delivery) -> bytes:
    """The message below our own fields and this Postfix's own Received."""
    lines = delivery.data.splitlines(keepends=True)
    ours = (b"SMTPy-Trace:", b"SMTPy-Warning:", b"Authentication-Results: mx.our.example;", b"Received:")
    while lines and (lines[0].startswith(ours) or lines[0][:1] in b"\t"):
        if lines[0].startswith(b"Received:"):
            ours = ours[:-1]
        lines.pop(0)
    return b"".join(lines)

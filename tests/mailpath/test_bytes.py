"""What arrives is what bare Postfix would have delivered, octet for octet, below the fields on top that are ours.

Bare means a Postfix of its own with the same main.cf and nothing of SMTPy. What it changes itself is listed here, so
that a new Postfix which changes more, or less, is noticed.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from uuid import uuid4

import pytest

from tests.corpora import corpus
from tests.inbox import Delivery
from tests.mailpath.town import Town
from tests.stand import Stand

TOP = b"From: alice@sender.example\r\nSubject: hello\r\n"
FIELD = re.compile(rb"([^:\r\n]+):.*\r\n(?:[ \t].*\r\n)*")
OURS = re.compile(rb"SMTPy-Trace:|Authentication-Results: mx\.our\.example;|Received:[^;]*\sby mx\.our\.example ")
IN_PLACE = ("sales@north.example",)
SPLIT = ("sales@north.example", "sales@south.example")

VECTORS = {
    "plain": TOP + b"\r\nhello\r\n",
    "eight-bit body": TOP + b"\r\n\xe4\xf6\xfc \xff\xfe\x80\r\n",
    "all octets": TOP + b"\r\n" + bytes(each for each in range(256) if each not in b"\r\n") + b"\r\n",
    "NUL in the body": TOP + b"\r\na\0b\0\r\n\0\r\n",
    "NUL in a field": TOP + b"X-Nul: a\0b\r\n\r\nhello\r\n",
    "dots": TOP + b"\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n",
    "trailing blanks": TOP + b"X: y \t \r\n\r\nhello \t\r\n \r\n\t\r\n",
    "no final newline": TOP + b"\r\nhello",
    "empty lines at the end": TOP + b"\r\nhello\r\n\r\n\r\n\r\n",
    "empty body": TOP + b"\r\n",
    "no body": TOP,
    "no header": b"\r\nhello\r\n",
    "not even an empty line": b"hello\r\n",
    "nothing": b"",
    "folds": TOP + b"X-A: a\r\n b\r\n\tc\r\n   d\r\nX-B:\r\n e\r\nX-C: f\r\n \r\n g\r\n\r\nhello\r\n",
    "blanks behind the colon": TOP + b"X-A:a\r\nX-B:  b\r\nX-C:\tc\r\nX-D:\r\nX-E: \r\n\r\nhello\r\n",
    "a blank before the colon": TOP + b"X-A : a\r\nX-B\t: b\r\n\r\nhello\r\n",
    "letter case of names": b"FROM: a@sender.example\r\nsubject: x\r\nx-ODD-caSe: y\r\n\r\nhello\r\n",
    "repeated fields": TOP + b"Subject: hello\r\nX: 1\r\nX: 2\r\nX: 1\r\n\r\nhello\r\n",
    "eight-bit header": TOP + b"X-A: J\xf6rg\r\nX-B: \xc3\xb6\r\n\r\nhello\r\n",
    "no colon": TOP + b"no colon here\r\nX: y\r\n\r\nhello\r\n",
    "an empty name": TOP + b": nameless\r\n\r\nhello\r\n",
    "a mailbox's From line": b"From alice Mon Nov 23 12:00:00 2026\r\n" + TOP + b"\r\nFrom here on\r\n",
    "bare LF": TOP + b"\r\na\nb\n\nc\r\n",
    "bare CR": TOP + b"\r\na\rb\r\r\nc\r\n",
    "fields Postfix drops": TOP + b"Return-Path: <x@y.example>\r\nBcc: z@z.example\r\nContent-Length: 7\r\n\r\nhi\r\n",
    "line of 998": TOP + b"\r\n" + b"x" * 998 + b"\r\n",
    "line of 999": TOP + b"\r\n" + b"x" * 999 + b"\r\n",
    "line of 3000": TOP + b"\r\n" + b"x" * 3000 + b"\r\n",
    "field of 999": TOP + b"X: " + b"x" * 996 + b"\r\n\r\nhello\r\n",
    "field of 3000": TOP + b"X: " + b"x" * 2997 + b"\r\n\r\nhello\r\n",
    "many fields": TOP + b"X: y\r\n" * 500 + b"\r\nhello\r\n",
    "large": TOP + b"\r\n" + (b"x" * 70 + b"\r\n") * 10_000,
    "a large field within a part": TOP
    + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: "
    + b"x" * 900
    + (b"\r\n " + b"x" * 900) * 120
    + b"\r\n\r\nhello\r\n--b--\r\n",
    "multipart with eight bits where it says seven": TOP
    + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\xf6\r\n--b--\r\n",
}  # fmt: skip
# What bare Postfix changes: CR and LF become CR LF, a field ends at a NUL and has no blank before its colon, some
# fields are not carried on (message_drop_headers), and what looks like no header begins the body.
CHANGED_BY_POSTFIX = {
    *("bare LF", "bare CR", "no final newline"),
    *("NUL in a field", "a blank before the colon", "fields Postfix drops", "a mailbox's From line"),
    *("no colon", "an empty name", "not even an empty line", "nothing"),
}
# corpus: (its messages, those that bare Postfix changes, of which bodies)
CORPORA: dict[str, tuple[str, Callable[[bytes], bool]]] = {
    "mime-stalwart": ("*.eml", lambda data: False),
    "dkim-chasquid": ("*.msg", lambda data: data.startswith(b"  This is not")),
    "bounces-sisimai": (
        "*.eml",
        lambda data: bool(DROPPED.search(data.partition(b"\r\n\r\n")[0])),
    ),
}
DROPPED = re.compile(rb"(?im)^(Return-Path|Content-Length|From )")


@pytest.fixture(scope="module")
def bare() -> Iterator[Stand]:
    """Postfix without SMTPy."""
    one = Stand(services=())
    try:
        one.open()
        yield one
    finally:
        one.close()


def relayed(bare: Stand, messages: Mapping[str, bytes]) -> dict[str, bytes]:
    """The messages as bare Postfix delivers them, without its Received."""
    return {name: below_ours(copies[0]) for name, copies in carry(bare, ["x@elsewhere.example"], messages).items()}


def carry(stand: Stand, recipients: list[str], messages: Mapping[str, bytes]) -> dict[str, list[Delivery]]:
    """Send each message; its copies. A message is known again by its reverse-path."""
    tag = uuid4().hex[:8]
    with stand.dialog() as dialog:
        dialog.hello()
        for number, (name, data) in enumerate(messages.items()):
            answers = dialog.transaction(f"m{number}-{tag}@sender.example", recipients, data)
            assert answers.accepted, (name, answers)
    wanted = len(messages) * len(recipients)
    stand.inbox.wait_until(lambda all_: sum(tag in each.reverse_path for each in all_) >= wanted)
    copies: dict[str, list[Delivery]] = {name: [] for name in messages}
    for delivery in stand.inbox.deliveries:
        if found := re.search(rf"m(\d+)-{tag}", delivery.reverse_path):
            copies[list(messages)[int(found[1])]].append(delivery)
    assert {len(each) for each in copies.values()} == {len(recipients)}
    return copies


def below_ours(delivery: Delivery) -> bytes:
    """The message below the fields that this passage has put on top."""
    data = delivery.data
    while (field := FIELD.match(data)) and OURS.match(field[0]):
        data = data[field.end() :]
    return data


@pytest.mark.parametrize("recipients", [IN_PLACE, SPLIT], ids=["in place", "split"])
def test_vectors_arrive_as_from_bare_postfix(town: Town, bare: Stand, recipients: tuple[str, ...]) -> None:
    expected = relayed(bare, VECTORS)
    for name, copies in carry(town.stand, list(recipients), VECTORS).items():
        for copy in copies:
            assert below_ours(copy) == expected[name], name
            assert copy.data.startswith(b"SMTPy-Trace: id="), name
            assert copy.data.count(b"SMTPy-") == 1, name


def test_bare_postfix_changes_only_what_is_listed(bare: Stand) -> None:
    came = relayed(bare, VECTORS)
    assert {name for name, sent in VECTORS.items() if came[name] != sent} == CHANGED_BY_POSTFIX


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_arrives_as_from_bare_postfix(town: Town, bare: Stand, name: str) -> None:
    pattern, changed = CORPORA[name]
    messages = {path.name: as_sent(path.read_bytes()) for path in sorted(corpus(name).glob(pattern))}
    assert len(messages) > 5
    expected = relayed(bare, messages)
    for each, (copy,) in carry(town.stand, list(IN_PLACE), messages).items():
        assert below_ours(copy) == expected[each], each
        assert (below_ours(copy) == messages[each]) is not changed(messages[each]), each
        bodies = (messages[each].partition(b"\r\n\r\n")[2], messages[each])  # the whole, where there is no header
        assert copy.body in bodies, each


def as_sent(data: bytes) -> bytes:
    """The text of a file as SMTP can carry it."""
    text = re.sub(rb"\r?\n", b"\r\n", data)
    return text if text.endswith(b"\r\n") else text + b"\r\n"

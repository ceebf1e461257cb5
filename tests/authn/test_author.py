"""From: who is read, who is refused, and what is written in its place."""

import re
import time
from email.header import decode_header, make_header
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpy.authn.author import LINE, BadAuthor, NoDomain, authors, named, rewritten
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, read
from tests.corpora import bad_inputs, is_described, octets

A = "a@sender.example"
READ: dict[bytes, list[str]] = {
    b"": [],
    b" \n \t": [],
    b" ,, ,": [],
    b" undisclosed-recipients:;": [],
    b" a@sender.example": [A],
    b"a@SENDER.Example": [A],
    b" <a@sender.example>": [A],
    b" < a@sender.example >": [A],
    b" A friend <a@sender.example>": [A],
    b" A. J. Friend\n\t<a@sender.example>\n": [A],
    b" A friend\r\n <a@sender.example>": [A],
    b' "Friend, A." <a@sender.example>': [A],
    b' "ceo@bank.example" <a@sender.example>': [A],
    b' "<ceo@bank.example>," <a@sender.example>': [A],
    b' "a \\" b" <a@sender.example>': [A],
    b" [List] Bob <a@sender.example>": [A],
    b" J\xf6rg <a@sender.example>": [A],
    b" =?utf-8?q?ceo=40bank.example=2C?= <a@sender.example>": [A],
    b" =?utf-8?q?Doe,_John_(x)?= <a@sender.example>": [A],
    b" a@sender.example (A friend (really \\) ) )": [A],
    b" (first) a@sender.example": [A],
    b" (ceo@bank.example) A (x) friend (y) <(z)a@sender.example(w)>(v)": [A],
    b" <@bank.example:a@sender.example>": [A],
    b" <@bank.example,@x.example:a@sender.example>": [A],
    b" ,a@sender.example,": [A],
    b" Team: a@sender.example;": [A],
    b' "a"@sender.example': [A],
    b' "a b"@sender.example': ['"a b"@sender.example'],
    b' "a@bank.example"@sender.example': ['"a@bank.example"@sender.example'],
    b" a@[192.0.2.1]": ["a@[192.0.2.1]"],
    "a@bücher.example".encode(): ["a@xn--bcher-kva.example"],
    "用户@例子.example".encode(): ["用户@xn--fsqu00a.example"],
    "a@\uff42ank.example".encode(): ["a@bank.example"],
    b" " + b"x" * 300 + b"@sender.example": ["x" * 300 + "@sender.example"],
    b" a@sender.example, b@sender.example": [A, "b@sender.example"],
    b' x@x.example, "Y, Z" <y@y.example>, Team: z@z.example;': ["x@x.example", "y@y.example", "z@z.example"],
    b" Team: a@sender.example; b@sender.example": [A, "b@sender.example"],
}
REFUSED = (
    b" ceo@bank.example <a@sender.example>",
    b" ceo@bank.example <a@sender.example",
    b" ceo@bank.example(<a@sender.example>",
    b" a@sender.example)bank.example",
    b" a@sender.example bank.example",
    b" a@sender.example <>",
    b" <>",
    b" <<a@sender.example>>",
    b" <a@sender.example> <ceo@bank.example>",
    b" <a@sender.example> x",
    b" <ceo@bank.example a@sender.example>",
    b" <a@sender.example, ceo@bank.example>",
    b" >a@sender.example<",
    b" [ceo@bank.example] <a@sender.example>",
    b" =?utf-8?q?ceo@bank.example?= <a@sender.example>",
    b' "ceo"@bank.example <a@sender.example>',
    b" =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=, <a@sender.example>",
    b" =?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?=",
    b" ceo @bank.example",
    b" ceo@ bank.example",
    b" ceo(x)@bank.example",
    b" ceo@(x)bank.example",
    b" c . e . o@bank.example",
    b" a@b@sender.example",
    b" a@sender..example",
    b" a@sender.example.",
    b" .a@sender.example",
    b" a@",
    b" @sender.example",
    b" <@bank.example>",
    b" a\\@bank.example <a@sender.example>",
    b' "a@sender.example',
    b" (a@sender.example",
    b" x: y: a@sender.example;;",
    b" x: a@sender.example",
    b" : a@sender.example;",
    b" a@sender.example;",
    b" <a:b@sender.example>",
    b" A friend",
    b" a@sender.example\nceo@bank.example",
    b" a@sender.example\r <ceo@bank.example>",
    b" a@sender.example\0",
    b" \x1b$B <a@sender.example>",
    b" \xff@sender.example",
    b" a@\xff.example",
    b" a@-.example",
    b" a" * 9_000,
    b"(" * 20_000 + b"a@sender.example",
    b"=?utf-8?q?a?= " * 20_000 + b"<a@sender.example>",
)


@pytest.mark.parametrize(("value", "expected"), READ.items())
def test_read(value: bytes, expected: list[str]) -> None:
    assert [str(each.address) for each in named(value)] == expected


@pytest.mark.parametrize("value", REFUSED, ids=range(len(REFUSED)))
def test_refused(value: bytes) -> None:
    with pytest.raises(BadAuthor) as refusal:
        named(value)
    assert not isinstance(refusal.value, NoDomain)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("value", [b" root", b"<root>", b" MAILER-DAEMON (x)", b' "x" <root>'])
def test_one_word_without_domain(value: bytes) -> None:
    with pytest.raises(NoDomain):
        named(value)


def test_the_phrase_is_as_it_was_written() -> None:
    found = named(b' "A \\" friend" =?utf-8?q?x?=\n\t<a@sender.example> (c), b@x.example (Bob)')
    assert [each.phrase for each in found] == [b'"A \\" friend" =?utf-8?q?x?=', b""]


def test_the_field_is_found_in_any_letter_case_and_once() -> None:
    fields = [Field(b"fROM", b" a@sender.example"), Field(b"To", b" x@x.example")]
    assert [str(each.address) for each in authors(fields)] == [A]
    assert authors(fields[1:]) == ()
    with pytest.raises(BadAuthor, match="more than one From"):
        authors([*fields, Field(b"From \t", b" a@sender.example")])


ALIAS = "hello@demo.example"
WRITTEN = {
    b' "A friend" <a@sender.example>': '"A friend via hello@demo.example" <hello@demo.example>',
    b" A\n\tfriend <a@sender.example>": '"A friend via hello@demo.example" <hello@demo.example>',
    b" a@sender.example (x)": '"a@sender.example via hello@demo.example" <hello@demo.example>',
    b' "A \\"friend\\\\" <a@sender.example>': '"A \\"friend\\\\ via hello@demo.example" <hello@demo.example>',
    b" =?utf-8?q?J=C3=B6rg?= <a@sender.example>": (
        '=?utf-8?q?J=C3=B6rg?= "via hello@demo.example" <hello@demo.example>'
    ),
    b" =?x?q?A?= =?x?b?QQ==?= B <a@sender.example>": (
        '=?x?q?A?= =?x?b?QQ==?= "B via hello@demo.example" <hello@demo.example>'
    ),
    b" =?utf-8?q?Doe,_John_(x)?= <a@sender.example>": (
        '=?utf-8?q?Doe=2C_John_=28x=29?= "via hello@demo.example"\n\t<hello@demo.example>'
    ),
    b" =?utf-8?b?QQ,==?= <a@sender.example>": '"=?utf-8?b?QQ,==?= via hello@demo.example" <hello@demo.example>',
    b' "=?utf-8?q?x?=" <a@sender.example>': '"=?utf-8?q?x?= via hello@demo.example" <hello@demo.example>',
    "Jörg <a@sender.example>".encode(): (
        "=?utf-8?b?SsO2cmcgdmlhIGhlbGxvQGRlbW8uZXhhbXBsZQ==?=\n\t<hello@demo.example>"
    ),
    b" J\xf6rg <a@sender.example>": '"a@sender.example via hello@demo.example" <hello@demo.example>',
    b' "" <a@sender.example>': '"a@sender.example via hello@demo.example" <hello@demo.example>',
}


@pytest.mark.parametrize(("value", "expected"), WRITTEN.items())
def test_rewritten(value: bytes, expected: str) -> None:
    assert rewritten(value, ALIAS) == expected


@pytest.mark.parametrize("value", [b"", b" root", b" a@x.example, b@x.example", b" a@x.example <b@x.example>"])
def test_not_rewritten_without_one_author(value: bytes) -> None:
    assert rewritten(value, ALIAS) is None


@pytest.mark.parametrize("alias", ['"we \\"ird"@demo.example', "hallö@demo.example", "x" * 64 + "@demo.example"])
def test_any_alias_can_be_written(alias: str) -> None:
    value = rewritten(b" A friend <a@sender.example>", alias)
    assert value is not None
    assert [str(each.address) for each in named(value.encode())] == [alias]


@pytest.mark.parametrize(
    "phrase", ["x" * 5000, "x " * 900, "ü" * 5000, "=?utf-8?q?abc?= " * 300, "=?q?q?" + "x" * 900 + "?="]
)
def test_a_long_name_is_cut(phrase: str) -> None:
    value = rewritten(f"{phrase} <a@sender.example>".encode(), ALIAS)
    assert value is not None
    assert len(value) < 1000
    assert max(map(len, value.splitlines())) < 300
    assert str(make_header(decode_header(value.replace("\n\t", " ")))).endswith(f"{ALIAS}> ".strip())


PIECES = [
    b"a@x.example",
    b"<",
    b">",
    b",",
    b";",
    b":",
    b"(",
    b")",
    b'"',
    b"\\",
    b"\n ",
    b"=?utf-8?q?",
    b"?=",
    b"\xc3\xbc",
    b"\xff",
    b"[",
    b"]",
    b" ",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=3), max_size=25).map(b"".join))
@example(b"=?utf-8?q??= <a@x.example>")
@example(b'"\\')
def test_nothing_breaks_it_and_what_is_written_is_safe(value: bytes) -> None:
    try:
        found = named(value)
    except BadAuthor:
        assert rewritten(value, ALIAS) is None
        return
    written = rewritten(value, ALIAS)
    assert (written is not None) == (len(found) == 1)
    if written is not None:
        assert re.search(r"[^\x20-\x7e]", written.replace("\n\t", "")) is None
        assert [str(each.address) for each in named(written.encode())] == [ALIAS]
        assert all(len(line) <= max(LINE, 260) for line in written.split("\n\t"))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60))
def test_a_name_survives(name: str) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    found = named(f"{quoted} <a@sender.example>".encode())
    assert [(str(each.address), each.phrase.decode()) for each in found] == [(A, quoted)]
    written = rewritten(f"{quoted} <a@sender.example>".encode(), ALIAS)
    assert written is not None
    name = " ".join(name.split())
    if not name.isascii():
        words = written.rpartition(" <")[0] if "\n\t<" not in written else written.rpartition("\n\t<")[0]
        assert str(make_header(decode_header(words))) == f"{name} via {ALIAS}"


@pytest.mark.parametrize(
    "unit",
    [
        b"(",
        b")",
        b'"',
        b"<",
        b",",
        b".",
        b"@",
        b"a,",
        b"=?",
        b"=?utf-8?q?",
        b"=?utf-8?q?a?= ",
        b"\\",
        b"[",
        b"\n ",
        b"()",
        b'""',
        b"x:;",
    ],
)
def test_hostile_fields_end_in_bounded_time(unit: bytes) -> None:
    for size in (16_000, 1_000_000):
        began = time.process_time()
        for value in (unit * (size // len(unit)), unit * (size // len(unit)) + b"<a@sender.example>"):
            try:
                named(value)
            except BadAuthor:
                assert rewritten(value, ALIAS) is None
        assert time.process_time() - began < 0.3


# id: the address judged, or None where the message is refused or has no author to judge
CORPUS = {
    "from-empty": None,
    "from-two-fields": None,
    "from-undisclosed": None,
    "from-unquoted-at": None,
    "from-quoted-at": A,
    "from-encoded-display-comma": A,
    "from-encoded-address": None,
    "from-nested-angle": None,
    "from-source-route": A,
    "from-open-comment": None,
    "from-close-paren": None,
    "from-idn": None,  # as it is to be encoded it is Latin-1, which no RFC allows; in UTF-8 it is read, see READ
    "from-fullwidth": "a@bank.example",
    "from-bidi": A,
    "from-no-domain": None,
    "from-ip-literal": "a@[192.0.2.1]",
    "from-20k-encoded-words": None,
    "from-20k-parens": None,
    "replyto-our-reverse": A,
    "replyto-many": A,
}


def test_the_corpus() -> None:
    found = {}
    for case in written("from", "reply"):
        began = time.process_time()
        try:
            people = authors(read(octets(case), Envelope("", ())).fields)
        except BadAuthor:
            people = ()
        found[case["id"]] = str(people[0].address) if people else None
        assert time.process_time() - began < 0.5
    assert found == CORPUS


def test_reply_to_of_the_corpus() -> None:
    found = {}
    for case in written("reply"):
        for value in read(octets(case), Envelope("", ())).values("Reply-To"):
            try:
                found[case["id"]] = [str(each.address) for each in named(value)]
            except NoDomain:
                found[case["id"]] = []
    assert found == {"replyto-our-reverse": [], "replyto-many": ["x@x.example", "y@y.example", "z@z.example"]}


def written(*areas: str) -> list[dict[str, Any]]:
    return [case for case in bad_inputs(*areas).values() if not is_described(case)]

"""Tag lists and canonical header fields: tables, and everything else that could stand there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.mail.message import Field
from smtpy.signing import canonical
from smtpy.signing.header import Header
from smtpy.signing.tags import MAX_OCTETS, BadTags, parse_tags

GOOD = {
    b"v=1": {"v": "1"},
    b" v=1 ; a=rsa-sha256; ": {"v": "1", "a": "rsa-sha256"},
    b"\n\tv\t=\n 1;": {"v": "1"},
    b"b=ab\n\tcd; h=from : to": {"b": "ab\n\tcd", "h": "from : to"},
    b"p=": {"p": ""},
    b"A=x; a=X": {"A": "x", "a": "X"},
    b"p=MIG==; n=a=b": {"p": "MIG==", "n": "a=b"},
    "i=jörg@bücher.example".encode(): {"i": "jörg@bücher.example"},
}
BAD = {
    "empty": b"",
    "only blanks": b" \n\t",
    "only a semicolon": b";",
    "two semicolons": b"v=1;; a=2",
    "two at the end": b"v=1;;",
    "no equals sign": b"v=1; a",
    "no name": b"=1",
    "name of a digit": b"1=1",
    "name with a hyphen": b"a-b=1",
    "name with a blank": b"a b=1",
    "name beyond ASCII": "ä=1".encode(),
    "twice": b"d=a.example; d=b.example",
    "NUL": b"d=a\0b",
    "vertical tab": b"d=a\x0b",
    "not UTF-8": b"d=\xff",
    "too long": b"d=" + b"a" * MAX_OCTETS,
}


@pytest.mark.parametrize("value", GOOD)
def test_good(value):
    assert parse_tags(value) == GOOD[value]


@pytest.mark.parametrize("name", BAD)
def test_bad(name):
    with pytest.raises(BadTags):
        parse_tags(BAD[name])


@given(st.binary(max_size=200) | st.text("abv=; \t\n1é", max_size=60).map(str.encode))
def test_any_octets_are_tags_or_refused(value):
    try:
        tags = parse_tags(value)
    except BadTags:
        tags = {"refused": ""}
    assert tags
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in tags)


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,5}", fullmatch=True)


@given(st.dictionaries(NAMES, st.text("ab=: é", max_size=9), min_size=1))
def test_written_tags_are_read_again(tags):
    written = ";".join(f" {name} = {value}" for name, value in tags.items())
    assert parse_tags(written.encode()) == {name: value.strip(" ") for name, value in tags.items()}


FIELDS = [
    (Field(b"A", b" X"), b"a:X\r\n", b"A: X\r\n"),  # RFC 6376 section 3.4.5
    (Field(b"B ", b" Y\t\n\tZ  "), b"b:Y Z\r\n", b"B : Y\t\r\n\tZ  \r\n"),
    (
        Field(b"To", b"\n folded first line"),
        b"to:folded first line\r\n",
        b"To:\r\n folded first line\r\n",
    ),
    (Field(b"X", b""), b"x:\r\n", b"X:\r\n"),
    (Field(b"X", b" \x0bverti\x0ccal \x0b"), b"x:\x0bverti\x0ccal \x0b\r\n", b"X: \x0bverti\x0ccal \x0b\r\n"),
    (Field(b"X", b" bare\rcr"), b"x:bare\rcr\r\n", b"X: bare\rcr\r\n"),
    (Field(b"X-\xff", b" \xfc"), b"x-\xff:\xfc\r\n", b"X-\xff: \xfc\r\n"),
    (Field(b"X", b" a\r\n b"), b"x:a b\r\n", b"X: a\r\n b\r\n"),
]


@pytest.mark.parametrize(("field", "relaxed", "simple"), FIELDS)
def test_canonical_fields(field, relaxed, simple):
    assert canonical.relaxed(field) == relaxed
    assert canonical.simple(field) == simple


PIECES = [b" ", b"\t", b"\n ", b"\n\t", b"x", b"\r", b"\x0b", b";", b"b=", b"bh=1"]


@given(st.lists(st.sampled_from(PIECES)).map(b"".join))
def test_any_value(value):
    unfolded = value.replace(b"\r\n", b"").replace(b"\n", b"")
    assert canonical.relaxed(Field(b"N", value)) == b"n:" + re.sub(rb"[ \t]+", b" ", unfolded).strip(b" ") + b"\r\n"
    again = canonical.relaxed(Field(b"N", canonical.relaxed(Field(b"N", value))[2:-2]))
    assert again == canonical.relaxed(Field(b"N", value))


@pytest.mark.parametrize(
    ("value", "without"),
    [
        (b" v=1; b=abc; d=x", b" v=1; b=; d=x"),
        (b" v=1; b = \n\tab\n\tc \n\t", b" v=1; b ="),
        (b" bh=abc;\n\tb=x;", b" bh=abc;\n\tb=;"),
        (b" a=b=c; b=d", b" a=b=c; b="),
        (b" B=kept; b=", b" B=kept; b="),
        (b" no list", b" no list"),
    ],
)
def test_the_signature_itself_is_left_out(value, without):
    assert canonical.unsigned(Field(b"DKIM-Signature", value)).value == without


def test_fields_are_chosen_from_below():
    header = Header([Field(b"A", b"1"), Field(b"B", b"2"), Field(b"a", b"3"), Field(b"A", b"4")])
    assert header.chosen([b"a", b"b", b"a", b"c"], relaxed=True) == b"a:4\r\nb:2\r\na:3\r\n"
    assert header.chosen([b"a"] * 9, relaxed=False, but=3) == b"a:3\r\nA:1\r\n"
    assert header.positions(b"a") == [0, 2, 3]

"""Netstrings: whole whatever the cuts, and every way to break them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.lookup.netstring import MAX_LENGTH, Netstrings, encode
from smtpy.wire import Violation


def read(*pieces: bytes) -> tuple[list[bytes], bool]:
    """The strings that these pieces hold, and whether something is left."""
    reader = Netstrings()
    strings = []
    for piece in pieces:
        reader.feed(piece)
        while (string := reader.next()) is not None:
            strings.append(string)
    return strings, reader.pending()


STREAM = b"0:,12:hello world!,3:a,b,1:\0,2:\xc3\xbc,1:,,"
STRINGS = [b"", b"hello world!", b"a,b", b"\0", b"\xc3\xbc", b","]


def test_a_stream_cut_at_every_octet():
    for cut in range(len(STREAM) + 1):
        assert read(STREAM[:cut], STREAM[cut:]) == (STRINGS, False)
    assert read(*(bytes([octet]) for octet in STREAM)) == (STRINGS, False)


@pytest.mark.parametrize("cut", range(1, 9))
def test_a_string_that_has_not_ended_is_held(cut):
    assert read(b"5:hello,"[:cut]) == (([b"hello"], False) if cut == 8 else ([], True))


def test_the_longest_string():
    longest = b"a" * MAX_LENGTH
    assert read(encode(longest)) == ([longest], False)


VIOLATIONS = {
    "a letter": (b"x", "begin with its length"),
    "no length": (b":abc,", "begin with its length"),
    "a leading zero": (b"03:abc,", "begin with its length"),
    "two zeros": (b"00:,", "begin with its length"),
    "a sign": (b"+3:abc,", "begin with its length"),
    "a negative length": (b"-1:,", "begin with its length"),
    "a blank before": (b" 3:abc,", "begin with its length"),
    "a blank behind": (b"3 :abc,", "begin with its length"),
    "a line end": (b"\n3:abc,", "begin with its length"),
    "hexadecimal": (b"0x3:abc,", "begin with its length"),
    "an underscore": (b"1_0:", "begin with its length"),
    "other digits": ("٣:abc,".encode(), "begin with its length"),
    "a NUL": (b"\x003:abc,", "begin with its length"),
    "a letter in the length": (b"3a", "begin with its length"),
    "one octet too long": (b"100001:", "longer than 100000"),
    "too long, before the colon": (b"100001", "longer than 100000"),
    "as long as six digits say": (b"999999:", "longer than 100000"),
    "seven digits": (b"1000000", "begin with its length"),
    "a run of digits": (b"1" * 5000, "begin with its length|longer than 100000"),
    "a run of zeros": (b"0" * 5000, "begin with its length"),
    "no comma": (b"3:abc;", "end in a comma"),
    "no comma but the next": (b"3:abc3:abc,", "end in a comma"),
    "too short": (b"2:abc,", "end in a comma"),
    "another protocol": (b"GET / HTTP/1.1\r\n", "begin with its length"),
    "a TLS hello": (b"\x16\x03\x01\x02\x00", "begin with its length"),
}


@pytest.mark.parametrize(("stream", "rule"), VIOLATIONS.values(), ids=list(VIOLATIONS))
def test_a_violation_is_found_whatever_the_cuts(stream, rule):
    with pytest.raises(Violation, match=rule):
        read(stream)
    with pytest.raises(Violation, match=rule):
        read(*(bytes([octet]) for octet in stream))
    with pytest.raises(Violation, match=rule):
        read(b"3:abc," + stream)


@given(st.lists(st.binary(max_size=30), max_size=6), st.data())
def test_decoding_undoes_encoding(strings, data):
    stream = b"".join(map(encode, strings))
    cut = data.draw(st.integers(0, len(stream)))
    assert read(stream[:cut], stream[cut:]) == (strings, False)


@given(st.binary(max_size=60) | st.from_regex(rb"([0-9]{1,3}:[a-z,]{0,9},?){1,4}", fullmatch=True))
def test_octets_are_strings_or_a_violation(octets):
    try:
        strings, left = read(octets)
    except Violation:
        return
    assert b"".join(map(encode, strings)) == octets if not left else octets.startswith(b"".join(map(encode, strings)))

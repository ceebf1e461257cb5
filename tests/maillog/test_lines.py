"""Lines out of a growing file: cut anywhere, they are the same lines at the same places."""

from hypothesis import given
from hypothesis import strategies as st

from smtpy.maillog.lines import MAX_LINE, Lines
from tests.maillog.samples import REAL

OCTETS = REAL.encode()


def whole(octets: bytes, start: int = 0) -> list[tuple[int, bytes]]:
    return list(Lines(start).feed(octets))


def test_each_line_is_where_it_begins() -> None:
    found = whole(OCTETS)
    assert [text for _, text in found] == OCTETS.splitlines()
    assert all(OCTETS[at : at + len(text) + 1] == text + b"\n" for at, text in found)


def test_cut_at_every_octet() -> None:
    for cut in range(len(OCTETS)):
        lines = Lines()
        first = list(lines.feed(OCTETS[:cut]))
        again = whole(OCTETS[lines.offset :], lines.offset)  # as after a restart
        assert first + list(lines.feed(OCTETS[cut:])) == first + again == whole(OCTETS)


def test_octet_by_octet() -> None:
    lines = Lines(7)
    found = [each for octet in OCTETS for each in lines.feed(bytes([octet]))]
    assert found == whole(OCTETS, 7)
    assert lines.offset == len(OCTETS) + 7


def test_half_a_line_waits() -> None:
    lines = Lines()
    assert list(lines.feed(b"half")) == []
    assert lines.offset == 0
    assert list(lines.feed(b" and half\n")) == [(0, b"half and half")]


def test_a_line_that_is_too_long_is_passed_over_and_nothing_of_it_is_a_line() -> None:
    octets = b"a\n" + b"x" * (3 * MAX_LINE) + b"\nb\n"
    for size in (1000, MAX_LINE, MAX_LINE + 1, len(octets)):
        lines, found = Lines(), []
        for start in range(0, len(octets), size):
            found += list(lines.feed(octets[start : start + size]))
            assert lines.offset in (0, 2, len(octets) - 2, len(octets))
        assert [text for _, text in found] == [b"a", b"b"]


@given(st.lists(st.binary(max_size=20)), st.integers(0, 2**40))
def test_any_pieces_are_the_same_as_the_whole(pieces: list[bytes], start: int) -> None:
    lines = Lines(start)
    assert [each for piece in pieces for each in lines.feed(piece)] == whole(b"".join(pieces), start)

"""Hashes of bodies: RFC 6376 section 3.4.5, every cut, and a slow reading of the same rules."""

import hashlib
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpy.signing.body import BodyDigest, BodyHashes, BodySpec
from tests.signing.letters import everything

RELAXED, SIMPLE = BodySpec(relaxed=True), BodySpec(relaxed=False)


def hashed(body: bytes, specs=(RELAXED, SIMPLE), step: int | None = None):
    hashes = BodyHashes(specs)
    for start in range(0, len(body), step or len(body) or 1):
        hashes.update(body[start : start + (step or len(body))])
    return hashes.finish()


def slow(body: bytes, spec: BodySpec) -> BodyDigest:
    """The rules in the order of RFC 6376 sections 3.4.3 and 3.4.4."""
    lines = body.split(b"\r\n")
    if spec.relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    text = b"".join(line + b"\r\n" for line in lines) or (b"" if spec.relaxed else b"\r\n")
    return BodyDigest(hashlib.sha256(text[: spec.length]).digest(), len(text))


CANONICAL = {
    (b" C \r\nD \t E\r\n\r\n\r\n", RELAXED): b" C\r\nD E\r\n",
    (b" C \r\nD \t E\r\n\r\n\r\n", SIMPLE): b" C \r\nD \t E\r\n",
    (b"", RELAXED): b"",
    (b"", SIMPLE): b"\r\n",
    (b"\r\n\r\n", RELAXED): b"",
    (b"\r\n\r\n", SIMPLE): b"\r\n",
    (b" \t\r\n \r\n", RELAXED): b"",
    (b" \t\r\n \r\n", SIMPLE): b" \t\r\n \r\n",
    (b"no end", RELAXED): b"no end\r\n",
    (b"no end", SIMPLE): b"no end\r\n",
    (b"\r\n\r\nx", RELAXED): b"\r\n\r\nx\r\n",
    (b"bare \r cr \n lf\r\n", RELAXED): b"bare \r cr \n lf\r\n",
    (b"ends in cr\r", RELAXED): b"ends in cr\r\r\n",
    (b"ends in lf\n\r\n", SIMPLE): b"ends in lf\n\r\n",
    (b"\n\r\n\r\r\n\r\n", RELAXED): b"\n\r\n\r\r\n",
    (b"a\x0b \x0cb\x0c\r\n", RELAXED): b"a\x0b \x0cb\x0c\r\n",
}


@pytest.mark.parametrize(("body", "spec"), CANONICAL)
def test_canonical_forms(body, spec):
    text = CANONICAL[body, spec]
    assert hashed(body)[spec] == BodyDigest(hashlib.sha256(text).digest(), len(text))


@pytest.mark.parametrize(("body", "spec"), CANONICAL)
def test_every_cut_gives_the_same(body, spec):
    whole = hashed(body)
    assert all(hashed(body, step=step) == whole for step in range(1, len(body) + 1))
    for cut in range(len(body) + 1):
        hashes = BodyHashes((RELAXED, SIMPLE))
        hashes.update(body[:cut])
        hashes.update(b"")
        hashes.update(body[cut:])
        assert hashes.finish() == whole


@given(st.lists(st.sampled_from([b" ", b"\t", b"\r", b"\n", b"\r\n", b"x", b"  ", b"\r\n\r\n"])), st.integers(1, 9))
@example([b" "] * 200 + [b"\r\n"], 3)
def test_any_body_in_any_cut_is_as_the_slow_reading_has_it(pieces, step):
    body = b"".join(pieces)
    found = hashed(body, everything(), step)
    assert found == {spec: slow(body, spec) for spec in everything()}


@given(st.binary(max_size=300))
def test_any_octets(body):
    assert hashed(body, everything(), 5) == {spec: slow(body, spec) for spec in everything()}


def test_blocks_larger_than_one_are_worked_on_in_parts():
    body = (b"text \t text\r\n" + b" " * 70_000 + b"\r\n" * 9_000) * 3 + b"x"
    assert hashed(body) == {spec: slow(body, spec) for spec in (RELAXED, SIMPLE)}
    assert hashed(body, step=65_536) == hashed(body)


def test_nothing_asked_nothing_done():
    assert hashed(b"text\r\n", ()) == {}

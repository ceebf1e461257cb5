"""Signatures by others: chasquid's cases (RFC 8463's own example among them) and real messages."""

import json
import re
from datetime import UTC, datetime

import pytest

from smtpy.signing.result import Result
from tests.corpora import corpus
from tests.dns import Zone
from tests.signing.letters import NOW, Letter

STATES = {"SUCCESS": {Result.PASS}, "PERMFAIL": {Result.PERMERROR, Result.FAIL}, "TEMPFAIL": {Result.TEMPERROR}}


def zone(path) -> Zone:
    if not path.exists():
        return Zone({})
    text = re.sub(r"\\\n\s*", "", path.read_text())
    names = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            names[name] = "SERVFAIL" if value.strip() == "TEMPERROR" else {"TXT": [value.strip()]}
    return Zone(names)


def test_chasquid():
    """Its limit of five signatures is not ours; 03 is no message at all, and has no verdict."""
    wrong = {}
    for path in sorted(corpus("dkim-chasquid").glob("*.result")):
        expected = json.loads(path.read_text())["Results"]
        found = Letter(path.with_suffix(".msg").read_bytes()).verify(zone(path.with_suffix(".dns")))
        if len(found) < len(expected):
            wrong[path.stem] = found
        for want, got in zip(expected, found, strict=False):
            if got.result not in STATES[want["State"]] or (want["Domain"] and got.domain != want["Domain"]):
                wrong[path.stem] = (want["State"], got)
    assert wrong == {}


def test_chasquid_message_that_is_none():
    for path in corpus("dkim-chasquid").glob("03*.msg"):
        assert all(each.result != Result.PASS for each in Letter(path.read_bytes()).verify(Zone({})))


@pytest.mark.parametrize("when", [NOW, datetime(2022, 1, 1, tzinfo=UTC)])
def test_real_messages(when):
    """Signatures with x= hold until then."""
    for path in sorted(corpus("dkim-stalwart").glob("[0-9]*.txt")):
        keys, _, message = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
        names = dict(line.split(" ", 1) for line in keys.decode().splitlines())
        found = Letter(message).verify(Zone({name: {"TXT": [text]} for name, text in names.items()}), when)
        assert found
        for each in found:
            assert each.result == Result.PASS or (each.why in {"signature expired", "signature is from the future"}), (
                path.name,
                each,
            )

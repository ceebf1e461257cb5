"""Trace fields: what is written is read again, what was forged is not, and what a circle looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.mail import trace
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, Message
from smtpy.mail.trace import Trace

NEW, OLD, OTHER = b"n" * 32, b"o" * 32, b"x" * 32
ALIAS = "sales@a.example"
MARKS = tuple(trace.mark(NEW, f"{n}@a.example") for n in range(12))


@pytest.mark.parametrize("count", [0, 1, 5, 6, 12])
def test_a_field_reads_back_after_the_folding_that_mail_servers_do(count):
    written = trace.write(Trace("id-1", MARKS[:count]), NEW)
    assert max(map(len, written.split("\n"))) < 120
    for form in (written, written.replace("\n\t", "\r\n    "), f" {written} "):
        read = trace.read(form.encode(), (NEW,))
        assert read is not None
        assert read.id == "id-1"
        assert [mark for mark in read.marks if mark] == list(MARKS[:count])


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace("id-1", "id-2"),
        lambda text: text.replace(MARKS[0], MARKS[5]),
        lambda text: text.replace(f"{MARKS[0]},", ""),
        lambda text: text[:-1],
        lambda text: text.partition("; s=")[0],
        lambda text: "",
        lambda text: "s=; s=; m=",
        lambda text: text.replace("id-1", "id-ä"),
    ],
)
def test_a_forged_field_is_not_ours(forge):
    written = trace.write(Trace("id-1", MARKS[:2]), NEW)
    assert trace.read(forge(written).encode(), (NEW, OLD)) is None


@given(st.binary())
def test_no_bytes_are_ours_by_chance_and_none_crash(value):
    assert trace.read(value, (NEW,)) is None


def test_older_secrets_are_believed_and_others_are_not():
    written = trace.write(Trace("id-1", (trace.mark(OLD, ALIAS),)), OLD).encode()
    assert trace.read(written, (NEW, OLD)) is not None
    assert trace.read(written, (NEW, OTHER)) is None
    assert trace.mark(OLD, ALIAS) in trace.marks((NEW, OLD), ALIAS)


def test_a_mark_does_not_show_the_alias():
    assert ALIAS.partition("@")[0] not in trace.mark(NEW, ALIAS)
    assert trace.mark(NEW, ALIAS) != trace.mark(NEW, "info@a.example")


MINE, YOURS = trace.mark(NEW, ALIAS), trace.mark(NEW, "info@b.example")


@pytest.mark.parametrize(
    ("seen", "round_"),
    [
        ((), False),
        (((YOURS,),), False),
        (((MINE,),), True),
        (((MINE, YOURS),), False),
        (((MINE, YOURS), (YOURS,)), False),
        (((MINE, YOURS), (YOURS, MINE)), True),
        (((YOURS,), (MINE,)), True),
    ],
)
def test_a_circle_is_one_mark_alone_or_two_among_others(seen, round_):
    traces = tuple(Trace("id", marks) for marks in seen)
    assert trace.goes_round(traces, trace.marks((NEW,), ALIAS)) is round_


def test_the_first_pass_is_named_only_by_its_own_signed_field():
    def message(value: str) -> Message:
        return Message(Envelope("", ()), (Field(b"smtpy-split", value.encode()),), 0)

    genuine = trace.write(Trace("first", ()), NEW)
    assert trace.first_pass(message(genuine), (NEW,)) == Trace("first", ("",))
    assert trace.first_pass(message(genuine.replace("first", "other")), (NEW,)) is None
    assert trace.first_pass(Message(Envelope("", ()), (), 0), (NEW,)) is None


def test_a_note_is_signed_with_the_rest():
    written = trace.write(Trace("first", ("m",), "none,fail"), NEW)
    assert trace.read(written.encode(), (NEW,)) == Trace("first", ("m",), "none,fail")
    for forged in (written.replace("fail", "pass"), written.replace(" n=none,fail;", "")):
        assert trace.read(forged.encode(), (NEW,)) is None
    bare = trace.write(Trace("first", ("m",)), NEW)
    assert trace.read(bare.replace("; s=", "; n=x; s=").encode(), (NEW,)) is None

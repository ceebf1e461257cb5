"""Reading a header held in memory: bytes stay as they are, and what is no field ends the header."""

import pytest

from smtpy.mail.envelope import Envelope
from smtpy.mail.message import Field, read

NOBODY = Envelope("", ())


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"", []),
        (b"A: 1\r\nB: 2\r\n\r\nC: 3\r\n", [(b"A", b" 1"), (b"B", b" 2")]),
        (b"A: 1\nB:2\n\nC: 3\n", [(b"A", b" 1"), (b"B", b"2")]),
        (b"A:  1\r\n\t2\r\n 3 \r\nB:\t4\r\n\r\n", [(b"A", b"  1\n\t2\n 3 "), (b"B", b"\t4")]),
        (b"A : 1\r\n\r\n", [(b"A", b" 1")]),
        (b" folded first\r\nA: 1\r\n", []),
        (b"A: 1\r\nno colon here\r\nB: 2\r\n\r\n", [(b"A", b" 1")]),
        (b"A: 1\r\nno field: really\r\n\r\n", [(b"A", b" 1")]),
        (b"From a@b Tue Nov  3 10:00:00 2026\r\nA: 1\r\n\r\n", [(b"A", b" 1")]),
        (b"A: \xff\x00\r\n\r\n", [(b"A", b" \xff\x00")]),
    ],
)
def test_read(data, fields):
    assert read(data, NOBODY).fields == tuple(Field(*field) for field in fields)
    assert read(data, NOBODY).size == len(data)


def test_message_id_is_text_of_bounded_length():
    assert read(b"message-id: <a@b>\r\n\r\n", NOBODY).message_id == "<a@b>"
    assert read(b"Message-ID: <[\r\n\r\n", NOBODY).message_id == "<["
    assert read(b"Message-ID: \xff\r\n\r\n", NOBODY).message_id == "\ufffd"
    assert read(b"Subject: x\r\n\r\n", NOBODY).message_id is None
    assert len(read(b"Message-ID: " + b"a" * 5000 + b"\r\n\r\n", NOBODY).message_id or "") == 998

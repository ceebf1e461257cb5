"""The queue helper's language: every request read back, every way to break one, and ids that are no ids."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpy.queue.protocol import (
    BAD,
    NEEDS_ID,
    NEEDS_NO_ID,
    NO_ID,
    NO_REQUEST,
    WITHOUT_ID,
    Act,
    Done,
    Letter,
    Lines,
    Listing,
    Message,
    Recipient,
    Refused,
    Request,
    read_answer,
    read_request,
    write_answer,
    write_request,
)
from smtpy.wire import Violation

LONG, SHORT = "4jb9zj3lS3zJbRW", "3F2A91B0C4"
MESSAGE = Message(LONG, "deferred", 1_795_731_793, 219, "bob@sender.example", (Recipient("a@b.example", "é: no"),), 3)
ANSWERS = (
    Done(),
    Refused("gone", "no such message"),
    Letter(LONG, "hold", (("sender", ""),), (("Subject", "a\n b"), ("Subject", "*** x ***"))),
    Listing(7, 1, {"hold": 7}, (0, 1, 2, 3, 1, 0, 0), (MESSAGE,), whole=False),
)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("name", [LONG, SHORT])
def test_what_is_asked_is_read(act: Act, name: str) -> None:
    request = Request(act, "" if act in WITHOUT_ID else name, by="web:ann@people.example", about="Ünreachable", limit=7)
    assert read_request(write_request(request).removesuffix(b"\n")) == request


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.kind)
def test_what_is_answered_is_read(answer: Done | Refused | Letter | Listing) -> None:
    line = write_answer(answer)
    assert line.count(b"\n") == 1
    assert read_answer(line) == answer


# ALL is every message to postsuper; a dash would be an option to it, or standard input
NO_IDS = ("ALL", "-", "-d", "--", "all", "../active/x", "4jb9zj3lS3zJbRW\n", "4jb9zj3lS3zJbRW ALL", "ABCDE", "A" * 31,
          "3f2a91b0c4", "4jb9zj3lS3zJbRÉ", "4jb9zj3lS3zJbR\u0000", "aeiouaeiouaeiou")  # fmt: skip


@pytest.mark.parametrize("name", NO_IDS)
@pytest.mark.parametrize("act", [act for act in Act if act not in WITHOUT_ID])
def test_what_is_no_queue_id_is_refused(act: Act, name: str) -> None:
    assert read_request(json.dumps({"act": act, "id": name}).encode()) == NO_ID
    assert read_request(write_request(Request(act, name))) == NO_ID


BROKEN = {
    b"": NO_REQUEST,
    b"list": NO_REQUEST,
    b"[]": NO_REQUEST,
    b"{}": NO_REQUEST,
    b'{"act": "purge"}': NO_REQUEST,
    b'{"act": "list", "shell": "x"}': NO_REQUEST,
    b'{"act": "list", "queue": "corrupt"}': NO_REQUEST,
    b'{"act": "list", "by": 3}': NO_REQUEST,
    b'{"act": "hold"}': NEEDS_ID,
    b'{"act": "flush", "id": "3F2A91B0C4"}': NEEDS_NO_ID,
    b'{"act": "list", "about": "a\\nb"}': BAD["about"],
    b'{"act": "list", "after": "1-x"}': BAD["after"],
    b'{"act": "list", "limit": 501}': BAD["limit"],
    b'{"act": "list", "limit": "7"}': BAD["limit"],
    b'{"act": "list"}\xff': NO_REQUEST,
}


@pytest.mark.parametrize(("line", "answer"), BROKEN.items(), ids=repr)
def test_what_is_no_request_is_refused(line: bytes, answer: Refused) -> None:
    assert read_request(line) == answer


@given(st.binary(max_size=200))
def test_octets_at_random_are_refused(line: bytes) -> None:
    assert isinstance(read_request(line), Refused)


def test_a_stream_cut_at_every_octet() -> None:
    stream = b"one\n\ntwo\nrest"
    for cut in range(len(stream) + 1):
        reader, found = Lines(), []
        for piece in (stream[:cut], stream[cut:]):
            reader.feed(piece)
            while (line := reader.next()) is not None:
                found.append(line)
        assert found == [b"one", b"", b"two"]
        assert reader.pending()


@pytest.mark.parametrize("stream", [b"x" * 11, b"x" * 11 + b"\n"])
def test_a_line_too_long_ends_the_stream(stream: bytes) -> None:
    reader = Lines(most=10)
    reader.feed(stream)
    with pytest.raises(Violation, match="longer than 10"):
        reader.next()


@pytest.mark.parametrize("line", [b"", b"null", b'{"kind": "done", "x": 1', b'{"kind": "listing"}', b'{"kind": "x"}'])
def test_an_answer_that_is_none(line: bytes) -> None:
    with pytest.raises(Violation):
        read_answer(line)

"""The lookup service on a socket: transcripts, violations, a directory in trouble, and octets at random."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpy.directory.questions import Unavailable
from smtpy.lookup.netstring import Netstrings, encode
from smtpy.lookup.server import Lookup
from smtpy.patience import Patience
from smtpy.pulse import Numbers
from smtpy.serving import Limits, Service
from tests.directory.paper import HOUSE, Cold, Paper, alias
from tests.served import Served, handles, served, whole
from tests.waiting import until

SALES = (encode(b"aliases sales@our.example"), encode(b"OK sales@home.example"))
FOREIGN = (encode(b"domains elsewhere.example"), encode(b"NOTFOUND "))
TEMP = encode(b"TEMP the directory cannot be reached, try again later")


@contextlib.contextmanager
def looking_up(
    paper: Paper, folder: Path, *, deadline: float = 5.0, numbers: Numbers | None = None, **limits: float
) -> Iterator[Served]:
    before = handles()
    patience = Patience(paper, deadline, threads=2, waiting=2)
    lookup = Lookup(patience, HOUSE)
    lookup.numbers = numbers or lookup.numbers
    try:
        with served(Service(Netstrings, lookup.answer, Limits(**limits)), folder) as service:
            yield service
    finally:
        paper.answering.set()
        patience.close()
    until(lambda: handles() == before, "no thread left")


@pytest.fixture
def paper() -> Paper:
    return Paper(aliases=(alias("sales"),))


TRANSCRIPTS = {
    "one": (SALES[0], SALES[1]),
    "several at once": (SALES[0] + FOREIGN[0] + SALES[0], SALES[1] + FOREIGN[1] + SALES[1]),
    "no table": (encode(b"none x") + SALES[0], encode(b"TEMP no such table") + SALES[1]),
    "no blank": (encode(b"aliases") + SALES[0], encode(b"NOTFOUND ") + SALES[1]),
    "empty": (encode(b"") + SALES[0], encode(b"TEMP no such table") + SALES[1]),
    "empty key": (encode(b"aliases ") + SALES[0], encode(b"NOTFOUND ") + SALES[1]),
    "a NUL": (encode(b"aliases a\0@our.example") + SALES[0], encode(b"NOTFOUND ") + SALES[1]),
    "not UTF-8": (encode(b"aliases \xff@our.example") + SALES[0], encode(b"NOTFOUND ") + SALES[1]),
    "100 kB": (encode(b"aliases ".ljust(100_000, b"a")) + SALES[0], encode(b"NOTFOUND ") + SALES[1]),
    "over 100 kB": (SALES[0] + encode(b"aliases ".ljust(100_001, b"a")) + SALES[0], SALES[1]),
    "a leading zero": (SALES[0] + b"0" + SALES[0], SALES[1]),
    "no comma": (SALES[0] + SALES[0][:-1] + b";" + SALES[0], SALES[1]),
    "a huge number": (b"9" * 10_000 + b":", b""),
    "another protocol": (b"request=smtpd_access_policy\n\n", b""),
    "half a request": (SALES[0] + SALES[0][:9], SALES[1]),
}


def test_transcripts(paper, tmp_path):
    with looking_up(paper, tmp_path) as service:
        for name, (asked, answered) in TRANSCRIPTS.items():
            assert service.says(asked) == answered, name


def test_trouble_is_temporary_for_each_and_ends_nobodys_conversation(paper, tmp_path, caplog):
    numbers = Numbers()
    with looking_up(paper, tmp_path, numbers=numbers) as service:
        for trouble in (Unavailable("away"), ZeroDivisionError("a defect")):
            paper.trouble = trouble
            assert service.says(FOREIGN[0] + encode(b"aliases sales")) == TEMP + encode(b"NOTFOUND ")
        paper.trouble = None
        assert service.says(*SALES[:1]) == SALES[1]
    assert numbers.told() == {"put_off": 2}
    said = caplog.text
    assert "tempfail asked=b'domains elsewhere.example' why='away'" in said
    assert "ZeroDivisionError: a defect" in said


def test_a_database_that_hangs_holds_up_only_who_needs_it(tmp_path):
    cold = Cold(aliases=(alias("sales"),))
    with looking_up(cold, tmp_path, deadline=0.5) as service:
        cold.answering.clear()
        with contextlib.ExitStack() as stack:
            stuck = [stack.enter_context(service.client()) for _ in range(10)]
            for each in stuck:
                each.sendall(SALES[0])
            assert service.says(FOREIGN[0]) == FOREIGN[1]
            assert [whole(each, b",") for each in stuck] == [TEMP] * 10
        cold.answering.set()
        until(lambda: service.says(SALES[0]) == SALES[1], "well again")


def test_octets_at_random_do_no_harm(paper, tmp_path):
    key = st.text(max_size=20).map(str.encode) | st.binary(max_size=20) | st.just(b"sales@our.example")
    table = st.sampled_from([b"aliases ", b"domains ", b"aliases", b"none ", b""])
    string = st.builds(lambda name, about: encode(name + about), table, key)
    stream = st.lists(string | st.binary(max_size=12), max_size=4).map(b"".join)

    with looking_up(paper, tmp_path) as service:
        tasks = service.tasks()

        @settings(max_examples=300, deadline=2000, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(stream, st.integers(0, 60))
        def harmless(octets: bytes, cut: int) -> None:
            replies = Netstrings()
            replies.feed(service.says(octets[:cut], octets[cut:]))
            while reply := replies.next():
                assert reply.partition(b" ")[0] in (b"OK", b"NOTFOUND", b"TEMP")
            assert not replies.pending()

        harmless()
        until(lambda: not service.service.conversations, "nobody left")
        assert service.says(SALES[0]) == SALES[1]
        assert service.tasks() == tasks

"""The policy service on a socket: transcripts, violations, the journal, trouble, and octets at random."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smtpy.directory.entries import SwitchedOff
from smtpy.directory.questions import Unavailable
from smtpy.patience import Patience
from smtpy.policy.protocol import Requests
from smtpy.policy.server import Policy
from smtpy.pulse import Numbers
from smtpy.serving import Limits, Service
from smtpy.store.journal import Delivery, Entry
from tests.directory.paper import HOUSE, Cold, Paper, alias
from tests.served import Served, handles, received, served, whole
from tests.waiting import until


class Sheet:
    """A journal on paper."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)


@contextlib.contextmanager
def deciding(
    paper: Paper,
    folder: Path,
    *,
    sheet: Sheet | None = None,
    deadline: float = 5.0,
    numbers: Numbers | None = None,
    **limits: float,
) -> Iterator[Served]:
    before = handles()
    patience = Patience(paper, deadline, threads=2, waiting=2)
    policy = Policy(patience, HOUSE, 50_000, sheet or Sheet())
    policy.numbers = numbers or policy.numbers
    try:
        with served(Service(Requests, policy.answer, Limits(**limits)), folder) as service:
            yield service
    finally:
        paper.answering.set()
        patience.close()
    until(lambda: handles() == before, "no thread left")


@pytest.fixture
def paper() -> Paper:
    return Paper(aliases=(alias("sales"), alias("closed", off=SwitchedOff.ALIAS)))


def asking(recipient: str, sender: str = "bob@sender.example", size: int = 0) -> bytes:
    lines = ("request=smtpd_access_policy", "protocol_state=RCPT", f"sender={sender}", f"recipient={recipient}",
             f"size={size}", "client_address=192.0.2.1")  # fmt: skip
    return "".join(f"{line}\n" for line in (*lines, "")).encode()


SALES = (asking("sales@our.example"), b"action=DUNNO\n\n")
NOBODY = (asking("nobody@our.example"), b"action=550 5.1.1 No such address here\n\n")
FOREIGN = (asking("x@elsewhere.example"), b"action=DUNNO\n\n")
LATER = b"action=451 4.3.0 The directory cannot be reached, try again later\n\n"
TRANSCRIPTS = {
    "one": SALES,
    "several at once": (SALES[0] + NOBODY[0] + SALES[0], SALES[1] + NOBODY[1] + SALES[1]),
    "malformed": (asking("a@b..c") + SALES[0], b"action=553 5.1.3 The recipient address is malformed\n\n" + SALES[1]),
    "not UTF-8": (
        SALES[0].replace(b"sales", b"\xff") + SALES[0],
        b"action=553 5.1.3 The recipient address is malformed\n\n" + SALES[1],
    ),
    "another time": (SALES[0].replace(b"RCPT", b"DATA"), b"action=DUNNO\n\n"),
    "no type": (SALES[0] + NOBODY[0].replace(b"request=", b"question="), SALES[1]),
    "an empty request": (SALES[0] + b"\n" + SALES[0], SALES[1]),
    "no name=value": (SALES[0] + b"hello\n\n" + SALES[0], SALES[1]),
    "a line too long": (asking("a" * 10_000), b""),
    "no end": (b"x=y\n" * 20_000, b""),
    "half a request": (SALES[0] + SALES[0][:-1], SALES[1]),
}


def test_transcripts(paper, tmp_path):
    with deciding(paper, tmp_path) as service:
        for name, (asked, answered) in TRANSCRIPTS.items():
            assert service.says(asked) == answered, name


def test_a_request_that_does_not_end_is_not_waited_for(paper, tmp_path):
    with deciding(paper, tmp_path, request_seconds=0.1) as service, service.client() as slow:
        slow.sendall(SALES[0][:-1])
        assert received(slow) == b""


def test_the_journal_hears_of_declared_addresses_only(paper, tmp_path):
    sheet, numbers = Sheet(), Numbers()
    with deciding(paper, tmp_path, sheet=sheet, numbers=numbers) as service:
        for recipient, size in (
            ("sales@our.example", 0),
            ("nobody@our.example", 0),
            ("x@elsewhere.example", 0),
            ("Closed+x@our.example", 77),
            ("sales@our.example", 50_001),
        ):
            service.says(asking(recipient, size=size))
    closed, large = sheet.entries
    assert closed.recipients == (
        Delivery("Closed+x@our.example", "closed+x@our.example", 7, "refuse", (), "alias is switched off"),
    )
    assert (closed.stage, closed.verdict, closed.queue_id, closed.size) == ("rcpt", "refuse", None, 77)
    assert (closed.client, closed.reverse_path) == ("192.0.2.1", "bob@sender.example")
    assert large.why == "50001 octets, at most 50000 are taken"
    assert closed.uuid != large.uuid
    assert numbers.told() == {"undeclared 5.1.1": 1}


def test_a_decision_against_somebody_is_one_line_of_the_log(paper, tmp_path, caplog):
    caplog.set_level("INFO", "smtpy.policy")
    with deciding(paper, tmp_path) as service:
        service.says(SALES[0] + FOREIGN[0] + NOBODY[0])
    assert caplog.messages == [
        "NOQUEUE: from=<bob@sender.example> to=<nobody@our.example> "
        "action='550 5.1.1 No such address here' why='no alias, no rule and no catch-all'"
    ]


def test_trouble_is_temporary_for_each_and_ends_nobodys_conversation(paper, tmp_path, caplog):
    numbers = Numbers()
    with deciding(paper, tmp_path, numbers=numbers) as service:
        for trouble in (Unavailable("away"), ZeroDivisionError("a defect")):
            paper.trouble = trouble
            assert service.says(FOREIGN[0] + asking("a@b..c"))[: len(LATER)] == LATER
        paper.trouble = None
        assert service.says(SALES[0]) == SALES[1]
    assert numbers.told() == {"put_off": 2, "undeclared 5.1.3": 2}
    assert "tempfail to=<x@elsewhere.example> why='away'" in caplog.text
    assert "ZeroDivisionError: a defect" in caplog.text


def test_a_database_that_hangs_holds_up_only_who_needs_it(tmp_path):
    cold = Cold(aliases=(alias("sales"),))
    with deciding(cold, tmp_path, deadline=0.5) as service:
        cold.answering.clear()
        with contextlib.ExitStack() as stack:
            stuck = [stack.enter_context(service.client()) for _ in range(10)]
            for each in stuck:
                each.sendall(SALES[0])
            assert service.says(FOREIGN[0]) == FOREIGN[1]
            assert [whole(each, b"\n\n") for each in stuck] == [LATER] * 10
        cold.answering.set()
        until(lambda: service.says(SALES[0]) == SALES[1], "well again")


def test_octets_at_random_do_no_harm(paper, tmp_path):
    name = st.sampled_from([b"request", b"protocol_state", b"sender", b"recipient", b"size", b"", b"x"])
    value = st.sampled_from([b"smtpd_access_policy", b"RCPT", b"sales@our.example", b"\xff@our.example", b"9" * 30])
    line = st.builds(lambda one, two: one + b"=" + two + b"\n", name, value | st.binary(max_size=12))
    good = st.just(b"request=smtpd_access_policy\nprotocol_state=RCPT\n")
    stream = st.lists(good | line | st.just(b"\n") | st.binary(max_size=9), max_size=9).map(b"".join)

    with deciding(paper, tmp_path) as service:
        tasks = service.tasks()

        @settings(max_examples=300, deadline=2000, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(stream, st.integers(0, 90))
        def harmless(octets: bytes, cut: int) -> None:
            *answers, rest = service.says(octets[:cut], octets[cut:]).split(b"\n\n")
            assert rest == b""
            assert all(each == b"action=DUNNO" or each.startswith(b"action=55") for each in answers)

        harmless()
        until(lambda: not service.service.conversations, "nobody left")
        assert service.says(SALES[0]) == SALES[1]
        assert service.tasks() == tasks

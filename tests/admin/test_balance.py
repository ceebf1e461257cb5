"""Accepted = delivered + queued + returned + recorded: what counts as which, and what is missing."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from smtpy.admin.balance import PART, Balance, balance, waiting
from smtpy.admin.change import reading
from smtpy.queue.protocol import Answer, Listing, Message, Request
from tests.admin.post import NOW, attempt, entry, log, put, queue_id, to
from tests.queries import statements

ONE, TWO, THREE = (queue_id(number) for number in (1, 2, 3))
SALES, ANN = "sales@our.example", "ann@inbox.example"
QUEUED = f"qmgr: {ONE}: from=<a@b.example>, size=500, nrcpt=2 (queue active)"
BOUNCED = f"smtp: {attempt(ONE, ANN, 'bounced', 'no')}"


def of(engine: Engine, *queue: str, asked: bool = True) -> Balance:
    with reading(engine) as session:
        hour = timedelta(hours=1)
        return balance(session, NOW - hour, NOW + hour, frozenset(queue) if asked else None)


@pytest.mark.parametrize(
    ("decision", "lines", "queue", "kind"),
    [
        ("forward", (f"smtp: {attempt(ONE, ANN)}",), (), "delivered"),
        ("forward", (QUEUED,), (ONE,), "queued"),
        ("forward", (QUEUED,), (), "missing"),
        ("forward", (), (ONE,), "queued"),
        ("forward", (), (), "missing"),
        ("forward", (BOUNCED, f"bounce: {ONE}: sender non-delivery notification: {TWO}"), (), "returned"),
        ("forward", (BOUNCED, f"qmgr: {ONE}: removed"), (), "recorded"),
        ("forward", (QUEUED, f"qmgr: {ONE}: removed"), (), "missing"),
        ("forward", (QUEUED, f"postsuper: {ONE}: removed"), (), "recorded"),
        ("hold", (), (ONE,), "recorded"),
        ("hold", (), (), "missing"),
        ("loop", (), (), "recorded"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_counts_as_which(
    engine: Engine, decision: str, lines: tuple[str, ...], queue: tuple[str, ...], kind: str
) -> None:
    put(engine, entry(to(SALES, ANN, decision=decision)))
    log(engine, *lines)
    found = of(engine, *queue)
    assert (found.messages, found.accepted) == (1, 1)
    assert found.counted == {"delivered": 0, "queued": 0, "returned": 0, "recorded": 0, "missing": 0, kind: 1}
    assert found.holds == (kind != "missing")
    assert [each.queue_id for each in found.missing] == [ONE] * (kind == "missing")


def test_without_the_queue_the_log_is_believed(engine: Engine) -> None:
    put(engine, entry(to(SALES, ANN)), entry(to(SALES, ANN), queue_id=TWO))
    log(engine, QUEUED)
    found = of(engine, asked=False)
    assert (found.counted["queued"], found.counted["missing"]) == (1, 1)


def test_what_postfix_did_not_wait_for_was_not_accepted(engine: Engine) -> None:
    put(engine, entry(to(SALES, ANN)))
    end = "milter-reject: END-OF-MESSAGE from unknown[192.0.2.1]: 4.7.1 Service unavailable - try again later; "
    log(engine, f"cleanup: {ONE}: {end}from=<alice@sender.example> to=<{SALES}> proto=ESMTP helo=<mx>")
    found = of(engine)
    assert (found.messages, found.accepted, found.holds) == (0, 0, True)


def test_what_was_refused_or_came_at_another_time_does_not_count(engine: Engine) -> None:
    put(engine, entry(to(SALES), verdict="refuse"), entry(to(SALES), stage="rcpt", verdict="refuse", queue_id=None))
    put(engine, entry(to(SALES, ANN), at=-timedelta(hours=2)), entry(to(SALES, ANN), at=timedelta(hours=2)))
    assert of(engine).accepted == 0


def test_an_hour_of_long_ago_costs_what_it_held(engine: Engine) -> None:
    """However much came since: it is found by its time, and in the order of time, whatever the numbers are."""
    put(engine, *(entry(to(SALES, ANN), at=timedelta(seconds=10 - number)) for number in range(PART + 1)))
    with statements(engine) as before:
        assert of(engine, asked=False).messages == PART + 1
    put(engine, *(entry(to(SALES, ANN), at=timedelta(hours=1, seconds=number)) for number in range(2 * PART)))
    with statements(engine) as after:
        assert of(engine, asked=False).messages == PART + 1
    assert len(after) == len(before)


def test_what_the_journal_lost_is_counted_from_the_log(engine: Engine) -> None:
    """Of a message that was split, too; its copies and reports are no messages of their own."""
    log(engine, QUEUED)
    sent = attempt(ONE, "sales=our.example@split.invalid", "sent", f"250 2.0.0 Ok: queued as {TWO}")
    log(engine, f"split/smtpd: {TWO}: client=a[127.0.0.1], orig_queue_id={ONE}", f"split/smtp: {sent}")
    log(engine, f"qmgr: {TWO}: from=<x@our.example>, size=500, nrcpt=2 (queue active)")
    log(engine, f"smtp: {attempt(TWO, ANN, 'bounced', 'no')}", f"smtp: {attempt(TWO, 'ben@inbox.example')}")
    log(engine, f"bounce: {TWO}: sender non-delivery notification: {THREE}")
    log(engine, f"qmgr: {THREE}: from=<>, size=9, nrcpt=1 (queue active)")
    found = of(engine)
    assert (found.messages, found.unrecorded, found.holds) == (1, 1, True)
    assert (found.counted["delivered"], found.counted["returned"]) == (1, 1)


class Desk:
    """A queue of so many messages."""

    def __init__(self, number: int, *, whole: bool = True) -> None:
        self.ids = [queue_id(1000 + each) for each in range(number)]
        self.whole = whole

    def ask(self, request: Request) -> Answer:
        """A page of them."""
        start = int(request.after.partition("-")[0] or 0)
        page = self.ids[start : start + request.limit]
        told = tuple(Message(name, "deferred", start + place, 1, "", ()) for place, name in enumerate(page, 1))
        return Listing(len(self.ids), len(self.ids), {}, (), told, self.whole)


@pytest.mark.parametrize("number", [0, 1, 500, 1001])
def test_the_whole_queue_is_asked_for(number: int) -> None:
    desk = Desk(number)
    assert waiting(desk) == frozenset(desk.ids)


def test_a_queue_too_long_to_be_read_is_not_believed() -> None:
    assert waiting(Desk(10, whole=False)) is None

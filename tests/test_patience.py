"""Asking from an event loop: memory at once, the database within a deadline, and a database that hangs."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from smtpy.directory.questions import Directory, Unavailable
from smtpy.patience import Patience
from tests.directory.paper import Cold, Paper
from tests.waiting import until


def is_ours(directory: Directory) -> bool:
    return directory.domain("our.example") is not None


def is_elsewhere_ours(directory: Directory) -> bool:
    return directory.domain("elsewhere.example") is not None


@pytest.fixture
def database() -> Iterator[Cold]:
    threads = threading.active_count()
    cold = Cold()
    yield cold
    cold.answering.set()
    until(lambda: threading.active_count() == threads, "no thread left")


async def later(answer) -> object:
    assert asyncio.iscoroutine(answer)
    return await answer


def test_memory_answers_at_once_and_the_database_later(database):
    patience = Patience(database, 5.0)
    assert patience.ask(is_elsewhere_ours) is False
    assert database.asked == []
    assert asyncio.run(later(patience.ask(is_ours))) is True
    assert database.asked == [("domain", "our.example")]
    patience.close()


@pytest.mark.parametrize("trouble", [Unavailable("away"), ZeroDivisionError("a defect")])
def test_trouble_is_raised_where_it_was_asked_for_and_the_thread_lives_on(database, trouble):
    patience = Patience(database, 5.0, threads=1)
    database.trouble = trouble
    with pytest.raises(type(trouble)):
        asyncio.run(later(patience.ask(is_ours)))
    database.trouble = None
    assert asyncio.run(later(patience.ask(is_ours))) is True
    patience.close()


def test_a_database_that_hangs_costs_the_deadline_then_nothing_and_never_more_threads(database):
    patience = Patience(database, 0.2, threads=2, waiting=3)
    threads = threading.active_count()
    database.answering.clear()

    async def ask() -> list[str]:
        started = time.monotonic()
        crowd = await asyncio.gather(*(later(patience.ask(is_ours)) for _ in range(20)), return_exceptions=True)
        assert 0.2 <= time.monotonic() - started < 2
        assert patience.ask(is_elsewhere_ours) is False
        return [str(each) for each in crowd]

    said = asyncio.run(ask())
    assert set(said) == {"too many questions are waiting for the database", "no answer within 0.2 s"}
    assert threading.active_count() == threads
    database.answering.set()
    # What nobody waits for any more is not asked: two hung, and this one.
    until(lambda: asyncio.run(settled(patience)), "well again")
    assert database.asked.count(("domain", "our.example")) == 3
    patience.close()


def test_a_database_that_hangs_is_answered_for_by_what_memory_last_knew(database):
    patience = Patience(database, 0.1, threads=1, waiting=1)
    database.rest = lambda: Paper()
    database.answering.clear()

    async def ask() -> list[object]:
        return await asyncio.gather(*(later(patience.ask(is_ours)) for _ in range(5)))

    assert asyncio.run(ask()) == [True] * 5
    patience.close()


async def settled(patience: Patience) -> bool:
    with contextlib.suppress(Unavailable):
        return await later(patience.ask(is_ours)) is True
    return False


def test_a_stuck_thread_does_not_keep_the_process_from_ending(database):
    patience = Patience(database, 0.1)
    database.answering.clear()
    with pytest.raises(Unavailable):
        asyncio.run(later(patience.ask(is_ours)))
    stuck = [each for each in threading.enumerate() if each.name.startswith("directory-")]
    assert stuck
    assert all(each.daemon for each in stuck)
    patience.close()

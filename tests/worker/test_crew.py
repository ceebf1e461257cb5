"""Tasks done by several threads; nobody waits for one that hangs when the process is to end."""

import threading
import time
from threading import Event

from smtpy.worker.crew import each


def test_every_task_is_done_once_by_so_many_at_a_time() -> None:
    meeting = threading.Barrier(3)

    def work(number: int) -> int:
        meeting.wait(5)  # three must be at work, or this raises
        return number * number

    done = dict(each(range(9), work, 3, Event()))
    assert done == {number: number * number for number in range(9)}


def test_an_exception_is_an_outcome_and_others_go_on() -> None:
    def work(number: int) -> int:
        return 1 // number

    done = dict(each([1, 0, 1], work, 1, Event()))
    assert done[1] == 1
    assert isinstance(done[0], ZeroDivisionError)


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(each([], str, 8, Event())) == []


def test_what_hangs_is_left() -> None:
    stopping, hanging, begun = Event(), Event(), []

    def work(number: int) -> None:
        begun.append(number)
        hanging.wait(10)

    threading.Timer(0.2, stopping.set).start()
    started = time.monotonic()
    assert list(each([1, 2, 3], work, 1, stopping)) == []
    assert time.monotonic() - started < 1
    hanging.set()
    assert begun == [1]


def test_who_listens_no_more_has_no_more_begun() -> None:
    begun = []
    going_on = Event()

    def work(number: int) -> None:
        begun.append(number)
        going_on.wait(0.01 if number == 1 else 0.3)

    outcomes = each(range(1, 50), work, 1, Event())
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # it is a generator
    time.sleep(0.5)
    assert len(begun) <= 2

"""What is read from the kernel and from smtp-sink."""

import os
import time
from collections.abc import Callable

import pytest

from bench.accounting import Process, descendants, divide, memory_mb, nanoseconds, parse_stat, usage_usec
from bench.machine import busy, busy_seconds
from bench.throughput import count

STAT = (
    "4711 ({name}) S 17 4711 4711 0 -1 4194560 1 2 0 0 120 30 500 50 20 0 1 0 99 1 2 3\n"  # utime stime cutime cstime
)


@pytest.mark.parametrize("name", ["smtpd", "a b", "odd) S 1 (name", ")"])
def test_a_process_is_read_whatever_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.accounting.TICKS", 100)
    assert parse_stat(STAT.format(name=name)) == Process(4711, name, 17, 1.5, 5.5)


def test_this_process_can_be_read() -> None:
    with open(f"/proc/{os.getpid()}/stat", encoding="utf-8") as file:  # noqa: PTH123
        found = parse_stat(file.read())
    assert (found.pid, found.parent) == (os.getpid(), os.getppid())
    assert memory_mb([os.getpid()]) > 1


def test_idle_and_iowait_are_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.machine.TICKS", 100)
    #     user nice system idle iowait irq softirq steal guest guest_nice
    assert busy_seconds("cpu  100 10 20 99999 8888 3 4 5 77 88\ncpu0 1 2 3\n") == pytest.approx(1.42)


def test_work_shows_in_what_the_machine_has_done() -> None:
    before, end = busy(), time.process_time() + 0.2
    while time.process_time() < end:
        sum(range(10_000))
    assert busy() - before >= 0.1  # the kernel counts in hundredths


@pytest.mark.parametrize(
    ("read", "text", "seconds"),
    [
        (nanoseconds, "2500000000\n", 2.5),
        (usage_usec, "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n", 1.5),
    ],
)
def test_control_groups_count_seconds(read: Callable[[str], float], text: str, seconds: float) -> None:
    assert read(text) == seconds


def test_a_tree_has_all_that_descend_from_its_root() -> None:
    def process(pid: int, parent: int) -> Process:
        return Process(pid, "x", parent, 0.0, 0.0)

    everybody = [process(1, 0), process(10, 1), process(11, 10), process(12, 11), process(20, 1), process(21, 20)]
    assert sorted(each.pid for each in descendants(everybody, [10])) == [10, 11, 12]
    assert descendants(everybody, [99]) == []


def test_time_is_divided_in_proportion_and_nothing_is_lost() -> None:
    assert divide(6.0, {"smtpd": 1.0, "cleanup": 2.0, "showq": 0.0}) == {"cleanup": 4.0, "smtpd": 2.0}
    assert divide(6.0, {}) == {}


@pytest.mark.parametrize(
    ("said", "total", "rest"),
    [
        (b"", 7, b""),
        (b"sess=1 quit=0 mesg=1\rsess=2 quit=1 mesg=2\r", 2, b""),
        (b"sess=2 quit=1 mesg=12\rsess=3 quit=1 mesg=1", 12, b"sess=3 quit=1 mesg=1"),
        (b"sess=3 quit=1 mesg=1", 7, b"sess=3 quit=1 mesg=1"),
    ],
)
def test_a_counter_that_is_cut_waits_for_its_rest(said: bytes, total: int, rest: bytes) -> None:
    assert count(7, said) == (total, rest)

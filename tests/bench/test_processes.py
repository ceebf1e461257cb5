"""Components are accounted from start to end, whichever way the machine allows."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bench.accounting import Account, Daemons, Trees, open_account
from bench.machine import Failed, until
from bench.processes import Processes, Service, run

# A parent that stays, a child that works and is waited for, and one that works on.
FAMILY = ("sh", "-c", "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; sh -c 'while :; do :; done' & wait")


@pytest.fixture(params=[Trees, open_account])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with closing(request.param()) as made:
        yield made


@pytest.fixture
def processes(account: Account, tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path, account)
    yield made
    made.stop_all()


def test_children_count_those_that_have_ended_too(processes: Processes, account: Account) -> None:
    processes.spawn("family", FAMILY)
    until(lambda: len(account.pids("family")) == 2 and account.seconds("family") > 0.3, "work")


def test_daemons_share_what_their_component_spent(processes: Processes, account: Account) -> None:
    processes.spawn("family", FAMILY)
    until(lambda: len(account.pids("family")) == 2, "the child that works on")
    daemons = Daemons(account, "family")

    def shares() -> dict[str, float]:
        daemons.look()
        return daemons.split(3.0)

    assert until(shares, "work") == {"sh": pytest.approx(3.0)}


def test_nobody_survives_the_end(processes: Processes, account: Account) -> None:
    processes.spawn("family", FAMILY)
    until(lambda: len(account.pids("family")) == 2, "the family")
    pids = account.pids("family")
    processes.stop_all()
    # SIGKILL is not over when kill() returns, and whose parent is gone nobody of ours can wait for.
    until(lambda: not any(map(command_line, pids)), "the end of all")


def command_line(pid: int) -> bytes:
    """Nothing for a process that is gone, and for one whose end init has yet to notice."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes() if path.exists() else b""


def ready_at(word: str) -> Callable[[str], bool]:
    return lambda said: word in said


def test_a_service_is_ready_when_it_says_so(processes: Processes) -> None:
    ready = processes.start(Service("talker", ("sh", "-c", "sleep 0.1; echo now >&2; exec sleep 60"), ready_at("now")))
    assert not ready()
    until(ready, "the word")


def test_a_service_that_ends_early_is_told_with_its_last_words(processes: Processes) -> None:
    ready = processes.start(Service("loser", ("sh", "-c", "echo no such luck >&2; exit 3"), ready_at("now")))
    with pytest.raises(Failed, match="loser ended with status 3\nno such luck"):
        until(ready, "never")


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(Failed, match="status 4\nhm"):
        run(["sh", "-c", "echo hm; exit 4"])

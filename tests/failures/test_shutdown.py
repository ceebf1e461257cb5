"""SIGTERM: the end is clean, soon, and leaves nothing behind; under traffic nobody notices but by a 4xx."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.failures.traffic import assert_nothing_lost, drain, flowing
from tests.failures.village import ANN, assert_arrives, write
from tests.stand import SERVICES, Stand
from tests.waiting import until

AT_MOST = 5.0  # seconds; supervisors wait ten


def running(session: int) -> list[str]:
    """The names of the processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().partition(" (")[2].rpartition(") ")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(rest.split()[3]) == session:
            found.append(name)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_left_behind(village: Stand, name: str, number: signal.Signals) -> None:
    letter = write(ANN)
    assert_arrives(village, letter, letter.send(village))
    session = village.pid(name)
    assert running(session)
    until(lambda: (village.folder / "run" / f"{name}.sock").is_socket(), "socket there")
    os.kill(session, number)
    assert village.stop(name, AT_MOST) == 0
    assert running(session) == []
    assert not [each for each in (village.folder / "run").iterdir() if each.name.startswith(name)]


def test_what_was_decided_is_written_before_the_milter_ends(village: Stand) -> None:
    """Rows are written in batches; the last batch is written at the end."""
    every = [write(ANN) for _ in range(10)]
    for letter in every:
        assert letter.send(village).accepted
    assert village.stop("milter", AT_MOST) == 0
    assert [letter.rows(village) for letter in every] == [["forward"]] * len(every)


@pytest.mark.parametrize("name", SERVICES)
def test_restarted_alone_under_traffic(village: Stand, name: str) -> None:
    with flowing(village) as taken:
        for _ in range(3):
            before = len(taken)
            until(lambda before=before: len(taken) > before + 5, "mail flowing")  # type: ignore[misc]
            started = time.monotonic()
            assert village.stop(name, AT_MOST) == 0
            assert time.monotonic() - started < AT_MOST
            village.start(name)
        before = len(taken)
        until(lambda: len(taken) > before + 5, "mail flowing again")
    drain(village)
    assert_nothing_lost(village, taken)

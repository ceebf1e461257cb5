"""PostgreSQL stopped, and hung, under a running service: what was asked for before flows on, all else hears 451.

A hung server is the worse one: nothing fails, and only our own deadlines end the waiting.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from tests.failures.conftest import Opener
from tests.failures.village import (
    ANN,
    BEN,
    CAT,
    NEW,
    QUIET,
    assert_arrives,
    assert_put_off,
    changing,
    decisive,
    declare,
    recovers,
    write,
)
from tests.postgres import Postgres
from tests.stand import Stand
from tests.waiting import until

DEADLINE = 1.0
# seconds a message: policy, lookup and milter may each wait once; where nothing is remembered, for a connection too
AT_MOST = 3 * (DEADLINE + 2.0)
SETTINGS = {"SMTPY_MILTER_WORKERS": "1", "SMTPY_DEADLINE_SECONDS": str(DEADLINE)}
AWAY: dict[str, Callable[[Postgres], None]] = {"stopped": Postgres.stop, "hung": Postgres.hang}


@pytest.fixture
def village(opened: Opener, postgres: Postgres) -> Iterator[Stand]:
    with opened(settings=SETTINGS, database_url=postgres.new_database()) as stand:
        yield stand


def back(postgres: Postgres, how: str) -> None:
    if how == "hung":
        postgres.resume()
    else:
        postgres.start()


@pytest.mark.parametrize("how", AWAY)
def test_away(village: Stand, postgres: Postgres, how: str) -> None:
    """ANN was asked for before. NEW was, too, so that a change has been seen, and memory is known to be old."""
    before = write(ANN)
    assert_arrives(village, before, before.send(village))
    assert decisive(write(NEW).send(village)).code == 550
    with changing(village) as c:
        declare(c, NEW)
    until(lambda: write(NEW).send(village).accepted, "change seen")
    AWAY[how](postgres)
    try:
        for _ in range(2):
            known, started = write(ANN), time.monotonic()
            assert_arrives(village, known, known.send(village))
            assert time.monotonic() - started < AT_MOST
        for stranger in (BEN, QUIET):
            unknown, started = write(stranger), time.monotonic()
            assert_put_off(village, unknown, decisive(unknown.send(village)))
            assert time.monotonic() - started < AT_MOST
    finally:
        back(postgres, how)
    for each in (ANN, BEN, CAT):
        recovers(village, each)
    until(lambda: before.rows(village) == ["forward"] == known.rows(village), "rows of the outage written")


@pytest.mark.parametrize("how", AWAY)
def test_away_at_the_start(village: Stand, postgres: Postgres, how: str) -> None:
    """A service that meets no database starts, and waits for it."""
    AWAY[how](postgres)
    try:
        for name in village.services:
            village.stop(name)
            village.start(name)
        letter = write(ANN)
        assert_put_off(village, letter, decisive(letter.send(village)))
    finally:
        back(postgres, how)
    recovers(village)

"""The primary stopped, and hung, where a standby is beside the mail: nobody outside notices."""

from collections.abc import Iterator

import pytest

from tests.failures.conftest import Opener
from tests.failures.test_postgresql import AWAY, SETTINGS, back
from tests.failures.village import ANN, BEN, NEW, assert_arrives, decisive, write
from tests.postgres import Postgres, require
from tests.stand import SERVICES, Stand
from tests.waiting import until


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    primary = Postgres(require())
    standby = None
    try:
        primary.start()
        standby = Postgres(require(), of=primary)
        standby.start()
        yield primary, standby
    finally:
        if standby:
            standby.close()
        primary.close()


@pytest.fixture(scope="module")
def village(opened: Opener, servers: tuple[Postgres, Postgres]) -> Iterator[Stand]:
    primary, standby = servers
    settings = {**SETTINGS, "SMTPY_STANDBY_URL": standby.url("postgres")}
    with opened(settings=settings, database_url=primary.url("postgres")) as stand:
        yield stand


@pytest.mark.parametrize(("how", "stranger"), [("stopped", ANN), ("hung", BEN)])
def test_the_primary_away(village: Stand, servers: tuple[Postgres, Postgres], how: str, stranger: str) -> None:
    """Nobody has asked for the stranger before, and NEW is not declared."""
    primary, standby = servers
    epoch = primary.run("SELECT value FROM epoch")
    until(lambda: standby.run("SELECT value FROM epoch") == epoch, "replayed")
    AWAY[how](primary)
    try:
        letter = write(stranger)
        assert_arrives(village, letter, letter.send(village))
        until(lambda: decisive(write(NEW).send(village)).code == 550, "refused")
    finally:
        back(primary, how)
    until(lambda: letter.rows(village) == ["forward"], "row of the outage written")


def test_services_started_while_the_primary_is_away(village: Stand, servers: tuple[Postgres, Postgres]) -> None:
    """What the standby knows is forwarded; what it does not may have been made since."""
    primary, _ = servers
    for name in SERVICES:
        village.stop(name)
    primary.stop()
    try:
        for name in SERVICES:
            village.start(name)
        letter = write(ANN)
        assert_arrives(village, letter, letter.send(village))
        assert decisive(write(NEW).send(village)).code == 451
    finally:
        primary.start()
    until(lambda: decisive(write(NEW).send(village)).code == 550, "the primary heard")

"""Two hosts, each with Postfix and all services, on one PostgreSQL and one Redis, as docs/hosts.md has it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.failures.village import settle
from tests.postgres import Postgres
from tests.redis import Redis, require
from tests.stand import SERVICES, Stand


@dataclass(frozen=True, slots=True)
class Hosts:
    """`first` and `second` have an address and a name of their own; what both deliver is in one inbox."""

    first: Stand
    second: Stand
    postgres: Postgres
    redis: Redis

    @property
    def both(self) -> tuple[Stand, Stand]:
        return self.first, self.second


@pytest.fixture(scope="module")
def standing(postgres_server: Postgres) -> Iterator[Hosts]:
    """They are up, and people live there."""
    with ExitStack() as last_to_first:
        counters = Redis(require())
        last_to_first.callback(counters.close)
        counters.start()
        url = postgres_server.new_database(kept=True)
        last_to_first.callback(postgres_server.drop, url)
        settings = {
            "SMTPY_LIMITS_URL": counters.url,
            "SMTPY_MILTER_WORKERS": "1",
            "SMTPY_DEADLINE_SECONDS": "1",
        }
        stands: list[Stand] = []
        for _ in range(2):
            beside = stands[0] if stands else None
            stands.append(Stand((*SERVICES, "web"), database_url=url, settings=settings, beside=beside))
            last_to_first.callback(stands[-1].close)
            stands[-1].open()
        settle(stands[0])
        yield Hosts(*stands, postgres_server, counters)


@pytest.fixture
def hosts(standing: Hosts, postgres: Postgres) -> Hosts:
    """They are up, and nobody has had mail yet."""
    standing.first.inbox.deliveries.clear()
    for stand in standing.both:
        for name in (*stand.services, "postfix"):
            if not stand.runs(name):
                stand.start(name)
    return standing

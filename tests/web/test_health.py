"""`/livez` and `/readyz`: alive whatever else is, ready when pages can work, and each part that is missing named."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smtpy.config import Settings
from smtpy.store.leases import take
from smtpy.worker.duties import CHECKING
from tests.redis import Redis
from tests.web.world import World

Build = Callable[..., World]


@pytest.fixture
def served(settings: Settings) -> Iterator[None]:
    """Somebody listens where Postfix asks."""
    with ExitStack() as open_:
        Path(settings.run_dir).mkdir(exist_ok=True)
        for endpoint in (*settings.lookup_listen, *settings.policy_listen, settings.milter_listen):
            made = open_.enter_context(socket.socket(socket.AF_UNIX))
            made.bind(endpoint.path or "")
            made.listen()
        yield


def ready(world: World) -> tuple[int, list[str]]:
    answer = world.as_("anonymous").get("/readyz")
    assert answer.mimetype == "text/plain"
    return answer.status_code, answer.text.splitlines()


def worked(world: World, at: datetime) -> None:
    assert take(world.engine, CHECKING, "test", datetime.now(UTC), at)


@pytest.mark.parametrize("way", ["url", "unix_url"])
def test_all_is_there(build_world: Build, served: None, redis_server: Redis, way: str) -> None:
    world = build_world(limits_url=getattr(redis_server, way))
    worked(world, datetime.now(UTC) + timedelta(minutes=5))
    assert ready(world) == (200, ["ok"])


def test_what_pages_do_without_is_named(build_world: Build, redis_server: Redis) -> None:
    world = build_world(limits_url=redis_server.url)
    redis_server.stop()
    worked(world, datetime.now(UTC) - timedelta(hours=1))
    status, lines = ready(world)
    assert status == 200
    assert [line.partition(":")[0] for line in lines] == ["redis", "lookup", "policy", "milter", "worker"]


def test_without_its_database_it_lives_and_is_not_ready(world: World, served: None) -> None:
    world.engine.dispose()
    world.lose_database()
    assert ready(world) == (503, ["database: does not answer"])
    assert world.as_("anonymous").get("/livez").text == "ok\n"


def test_a_database_of_another_version_is_not_ready(world: World, served: None) -> None:
    worked(world, datetime.now(UTC) + timedelta(minutes=5))
    for version, words in {
        "0001": "has not the tables of this version; run `smtpy init`",
        "9999": "is of a newer version than this one; install that version here, too",
    }.items():
        with world.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608
        assert ready(world) == (503, [f"database: {words}"])

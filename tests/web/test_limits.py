"""Rate limits (51): counted in memory or in Redis, shared by processes, and slow but open while Redis is away."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.redis import Redis
from tests.web.world import World
from web import limits

Build = Callable[..., World]
MOST = 10  # tries to sign in from one address in a minute (web/limits.py)


@pytest.fixture(autouse=True)
def limiter_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The limiter is the module's; what a test makes it believe must not last."""
    monkeypatch.setattr(limits.limiter, "enabled", True)
    monkeypatch.setattr(limits.limiter, "_storage_dead", False)
    yield
    limits.limiter._storage_dead = False


def attempts(app: Flask, count: int) -> list[int]:
    """The answers to so many tries, each for another account."""
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    return [
        client.post("/auth/sign-in", data={"email": f"{n}@people.example", "password": "not it"}).status_code
        for n in range(count)
    ]


def test_51_who_is_over_hears_when_to_come_back(build_world: Build) -> None:
    world = build_world()
    assert attempts(world.app, MOST) == [422] * MOST
    answer = world.as_("anonymous").post("/auth/sign-in", data={"email": "x@people.example", "password": "not it"})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert "<h1>" in answer.text


def test_51_reading_is_limited_by_member_and_health_is_not(build_world: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    world = build_world()
    owner = world.as_("owner")
    page = "/.well-known/change-password"  # it knows who asks, and leads away at once
    statuses = [owner.get(page).status_code for _ in range(601)]
    assert statuses[599:] == [302, 429]
    assert world.as_("other").get(page).status_code == 302
    assert {owner.get("/livez").status_code for _ in range(601)} == {200}


def test_51_several_processes_count_in_redis_together(build_world: Build, redis_server: Redis) -> None:
    first, second = build_world(limits_url=redis_server.url), build_world(limits_url=redis_server.url)
    assert attempts(first.app, MOST) == [422] * MOST
    assert attempts(second.app, 1) == [429]


def test_51_while_redis_is_away_people_come_in_and_guessing_is_slow(build_world: Build, redis_server: Redis) -> None:
    world = build_world(limits_url=redis_server.url)
    redis_server.stop()
    assert attempts(world.app, MOST + 1) == [422] * MOST + [429]
    assert world.as_("owner").get("/").status_code == 200

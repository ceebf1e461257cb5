"""Writes come from our own pages (17-19): with a token, from this site, and never by GET."""

import re
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from smtpy.config import Settings
from smtpy.store.columns import Base
from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.world import World, rightful
from web import create_app

Build = Callable[..., World]
MOVING = ("web_sessions", "attempts")  # written by looking on: who was here when
ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "https://localhost"},  # another scheme is another origin
)


def digest(engine: Engine) -> dict[str, str]:
    """What every table holds, in short."""
    with engine.connect() as connection:
        return {
            table.name: sha256(repr(sorted(map(repr, connection.execute(select(table))))).encode()).hexdigest()
            for table in Base.metadata.sorted_tables
            if table.name not in MOVING
        }


def test_17_every_write_without_a_token_is_refused(build_world: Build) -> None:
    world = build_world()
    before = digest(world.engine)
    for route in some(write=True):
        for form in ({}, {"csrf_token": "forged"}):
            client = world.as_(rightful(route))
            answer = client.open(some_url(route, world), method=route.method, data=form)
            assert answer.status_code == 400, str(route)
    assert digest(world.engine) == before


def token(world: World, who: str) -> dict[str, str]:
    """That of a form of theirs."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', world.as_(who).get("/").text)
    assert found
    return {"csrf_token": found[1]}


def test_17_a_token_is_good_in_its_own_session_only(build_world: Build) -> None:
    world = build_world()
    theirs = token(world, "other")
    assert world.as_("owner").post("/auth/sign-out", data=theirs).status_code == 400
    assert world.as_("other").post("/auth/sign-out", data=theirs).status_code == 303


def test_17_a_token_outlives_the_use_of_its_secret(build_world: Build, settings: Settings) -> None:
    """A form that was open, and one of another host, which is restarted later."""
    new, old = SecretStr("n" * 48), settings.secret_keys[0]
    world = build_world()
    for first, then in (((old,), (new, old)), ((new, old), (old, new))):
        made, there = (
            replace(world, app=create_app(settings.model_copy(update={"secret_keys": keys}), world.engine))
            for keys in (first, then)
        )
        done = there.as_("owner").post(f"/aliases/{world.things['alias']}/switch", data=token(made, "owner"))
        assert done.status_code == 303, then
    gone = replace(world, app=create_app(settings.model_copy(update={"secret_keys": (new,)}), world.engine))
    assert gone.as_("owner").post("/auth/sign-out", data=token(world, "owner")).status_code == 400


def test_18_every_write_from_another_site_is_refused(world: World) -> None:
    before = digest(world.engine)
    for route in some(write=True):
        for said in ELSEWHERE:
            client = world.as_(rightful(route))
            answer = client.open(some_url(route, world), method=route.method, headers=said)
            assert answer.status_code == 403, (str(route), said)
    assert digest(world.engine) == before


@pytest.mark.parametrize("said", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}, {}])
def test_18_our_own_pages_may_write(world: World, said: dict[str, str]) -> None:
    assert world.as_("owner").post("/auth/sign-out", headers=said).status_code == 303


def test_18_anybody_may_link_to_us(world: World) -> None:
    assert world.as_("owner").get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_19_reading_changes_nothing(world: World) -> None:
    before = digest(world.engine)
    for route in some(write=False):
        for who in ("anonymous", "owner", "admin"):
            for method in ("GET", "HEAD"):
                world.as_(who).open(some_url(route, world), method=method).close()
        assert digest(world.engine) == before, str(route)

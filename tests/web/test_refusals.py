"""What went wrong is told by a page that shows nothing of the inside (39, 47), and by the same page to everybody."""

import re
from collections.abc import Callable

import pytest

import web
from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.world import World, rightful
from web.sessions import SESSIONLESS

INSIDE = ("Traceback", "File &#34;", "sqlalchemy", "werkzeug", "RuntimeError", "CANARY", "SELECT ", ".py")


def _fail(**_: object) -> str:
    raise RuntimeError("CANARY")


def test_47_a_defect_of_ours_shows_nothing_of_the_inside(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for route in some():
        world.app.view_functions[route.endpoint] = _fail
        answer = world.as_("admin").open(some_url(route, world), method=route.method)
        assert answer.status_code == 500, str(route)
        assert not [word for word in INSIDE if word in answer.text]
        assert "<h1>" in answer.text
        (number,) = re.findall(r"in the log as ([0-9a-f]{8})\.", answer.text)
        assert f"defect={number}: {route.method} " in caplog.text


def test_47_without_the_database_people_are_asked_to_come_back(world: World) -> None:
    world.engine.dispose()
    world.lose_database()
    for route in some():
        answer = world.as_(rightful(route)).open(some_url(route, world), method=route.method)
        if route.rule.startswith(SESSIONLESS) and route.endpoint != "health.readyz":
            assert answer.status_code == 200, str(route)
            continue
        assert answer.status_code == 503, str(route)
        assert not [word for word in INSIDE if word in answer.text]
        if route.endpoint != "health.readyz":
            assert answer.headers["Retry-After"] == "10"


def test_47_without_the_database_strangers_hear_the_same(world: World) -> None:
    world.engine.dispose()
    world.lose_database()
    client = world.as_("anonymous")
    assert client.get("/auth/sign-in").status_code == 503  # its form could not be kept
    assert client.post("/auth/sign-in", data={"email": "ann@people.example", "password": "x"}).status_code == 503
    assert client.get("/robots.txt").status_code == 200


def test_47_without_the_database_no_session_is_kept_for_the_page_that_says_so(
    build_world: Callable[..., World],
) -> None:
    world = build_world()  # with tokens of forms, which are in the session
    world.engine.dispose()
    world.lose_database()
    answer = world.as_("anonymous").get("/auth/sign-in")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "<h1>" in answer.text


def test_47_what_a_page_does_not_take_is_405_with_what_it_does(world: World) -> None:
    for route in some(write=False):
        answer = world.as_("owner").delete(some_url(route, world))
        assert answer.status_code == 405, str(route)
        assert "GET" in answer.headers["Allow"]


def test_39_more_than_is_taken_is_413(build_world: Callable[..., World]) -> None:
    world = build_world()
    for route in some(write=True):
        form = {"file": "x" * (web.MAX_BODY + 1)}
        answer = world.as_(rightful(route)).open(some_url(route, world), method=route.method, data=form)
        assert answer.status_code == 413, str(route)

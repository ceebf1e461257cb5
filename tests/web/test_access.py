"""Who may call what (29, 32): for each route x {anonymous, other member, owner, administrator} what is answered.

The matrix is generated from the URL map. A route that names something needs to be told what: a row of THINGS, for the
whole blueprint or for one endpoint. What is somebody else's is answered as what does not exist: 404, the same words.
"""

import re
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.web.routes import Route, routes, some
from tests.web.world import ANONYMOUS, World

# (endpoint or blueprint, argument) -> which of World.things it names; the endpoint's own row wins.
THINGS: dict[tuple[str, str], str] = {
    ("domains", "domain"): "domain",
    ("domains", "key"): "signing_key",
    ("domains", "rule"): "automatic",
    ("aliases", "alias"): "alias",
    ("settings", "passkey"): "passkey",
    ("settings", "session"): "session",
    ("settings", "key"): "api_key",
    ("operator", "user"): "user",
    ("operator", "invitation"): "invitation",
    ("operator", "announcement"): "announcement",
    ("mailboxes", "mailbox"): "mailbox",
    ("messages", "message"): "message",
}
# What no member owns: endpoint -> why. These routes are asked with a name that does not exist.
NOBODYS: dict[str, str] = {
    "operator.queue_letter": "a message in Postfix's queue, which is not there",
    "announcements.dismiss": "everybody's, or nobody's",
    "operator.audit_act": "a number of the trail: tests/web/test_operator_audit.py",
}
A_LINK = "a link, good for whoever has it: tests of its own subject use it"
FINE = range(200, 400)
ASKED_FOR_MORE = (400, 409, 422)  # a form without what it needs; access was given


def nobodys(route: Route) -> str:
    """Why it names nothing that is the owner's; "" if it does."""
    return NOBODYS.get(route.endpoint) or (A_LINK if "token" in route.arguments else "")


def thing(route: Route, argument: str) -> str:
    """What this argument names."""
    for key in (route.endpoint, route.endpoint.partition(".")[0]):
        if (key, argument) in THINGS:
            return THINGS[key, argument]
    pytest.fail(f"{route}: no row in THINGS says what <{argument}> of {route.endpoint} names")


def url(route: Route, world: World) -> str:
    """The route for what is the owner's."""
    return fill(route, {name: world.things[thing(route, name)] for name in route.arguments})


def some_url(route: Route, world: World) -> str:
    """The same, but for what is nobody's, where it names what does not exist."""
    return missing(route) if nobodys(route) else url(route, world)


def missing(route: Route) -> str:
    """The same for what does not exist; of several ids none does."""
    uuid = str(uuid4())
    return fill(
        route, {name: uuid if f"uuid:{name}" in route.rule else f"no-{uuid}.example" for name in route.arguments}
    )


def fill(route: Route, values: dict[str, str]) -> str:
    """The URL with these ids."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], route.rule)


def ask(world: World, who: str, method: str, url: str, *, sudo: bool = True) -> TestResponse:
    """Without a form, or with an empty one."""
    return world.as_(who, sudo=sudo).open(url, method=method)


def is_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and answer.headers["Location"].startswith("/auth/sign-in?")


def words(answer: TestResponse) -> str:
    """The page without what is another each time: tokens of forms, and the id that was asked for."""
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
    text = re.sub(r"no-[0-9a-f-]{36}\.example|[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    return re.sub(r"\b\d+ (second|minute)s?\b", "TIME", text)


def ids(route: Route) -> str:
    return str(route)


GUARDED = [route for route in routes() if route.access != "public"]
NAMING = [route for route in some(ids=True) if not nobodys(route)]


@pytest.mark.parametrize("route", GUARDED, ids=ids)
def test_29_strangers_are_asked_to_sign_in_whether_it_exists_or_not(world: World, route: Route) -> None:
    for target in {some_url(route, world), missing(route)}:
        assert is_sign_in(ask(world, ANONYMOUS, route.method, target))


@pytest.mark.parametrize("route", [each for each in NAMING if each.access in ("signed_in", "sudo")], ids=ids)
@pytest.mark.parametrize("who", ["other", "admin"])
def test_29_what_is_somebody_elses_is_as_what_does_not_exist(world: World, who: str, route: Route) -> None:
    theirs = ask(world, who, route.method, url(route, world))
    nobodys = ask(world, who, route.method, missing(route))
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert words(theirs) == words(nobodys)


@pytest.mark.parametrize("route", [each for each in GUARDED if each.access != "admin_only"], ids=ids)
def test_29_owners_come_to_what_is_theirs(world: World, route: Route) -> None:
    if why := nobodys(route):
        pytest.skip(why)
    answer = ask(world, "owner", route.method, url(route, world))
    assert not is_sign_in(answer)
    assert answer.status_code in FINE or (route.is_write and answer.status_code in ASKED_FOR_MORE), answer.text


@pytest.mark.parametrize("route", some("admin_only"), ids=ids)
@pytest.mark.parametrize("who", ["owner", "other"])
def test_32_to_members_the_pages_of_administrators_do_not_exist(world: World, who: str, route: Route) -> None:
    target = some_url(route, world)
    answer = ask(world, who, route.method, target)
    nothing = ask(world, who, "GET", "/nothing-of-that-name")
    assert answer.status_code == nothing.status_code == 404
    assert words(answer) == words(nothing)


@pytest.mark.parametrize("route", some("admin_only"), ids=ids)
def test_32_administrators_come_to_everything(world: World, route: Route) -> None:
    if why := nobodys(route):
        pytest.skip(why)
    answer = ask(world, "admin", route.method, url(route, world))
    assert answer.status_code in FINE or (route.is_write and answer.status_code in ASKED_FOR_MORE), answer.text
    if not route.is_write:
        assert answer.status_code == 200


@pytest.mark.parametrize("route", [*some("sudo"), *some("admin_only", write=True)], ids=ids)
def test_16_what_is_dangerous_asks_again_who_you_are(world: World, route: Route) -> None:
    target = some_url(route, world)
    answer = ask(world, "admin" if route.access == "admin_only" else "owner", route.method, target, sudo=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/auth/confirm?")


@pytest.mark.parametrize("route", some("public", ids=True), ids=ids)
def test_29_what_anybody_may_name_is_not_found_unless_it_is_there(world: World, route: Route) -> None:
    assert nobodys(route) or url(route, world)
    assert ask(world, ANONYMOUS, route.method, missing(route)).status_code == 404


def test_29_every_row_is_needed() -> None:
    known = {(key, argument) for route in routes() for key in _keys(route) for argument in route.arguments}
    assert THINGS.keys() <= known
    assert NOBODYS.keys() <= {route.endpoint for route in routes()}


def _keys(route: Route) -> tuple[str, str]:
    return route.endpoint, route.endpoint.partition(".")[0]

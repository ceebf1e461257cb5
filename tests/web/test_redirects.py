"""Nobody is sent elsewhere (45, 46): not by `next`, not by a Host that somebody made up."""

import pytest

from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.world import World
from web.auth import safe_next

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    r"/\evil.example",
    r"\\evil.example",
    r"/\/evil.example",
    "https:evil.example",
    "https://evil.example",
    "HTTPS://evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "@evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\u2028/evil.example",
    "http:///evil.example",
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_46_next_leads_nowhere_else(target: str) -> None:
    assert safe_next(target) == "/"


@pytest.mark.parametrize("target", ["/", "/aliases?state=off", "/domains/x#records", "/log?about=a%40b.example"])
def test_46_next_leads_back_to_where_they_were(target: str) -> None:
    assert safe_next(target) == target


def test_46_no_route_redirects_elsewhere(world: World) -> None:
    evil = {"next": "https://evil.example/", "back": "//evil.example", "url": "https://evil.example"}
    for route in some():
        form = evil if route.is_write else None
        for who in ("anonymous", "owner", "admin"):
            client, headers = world.as_(who), {"Referer": "https://evil.example/"}
            target = some_url(route, world)
            answer = client.open(target, method=route.method, query_string=evil, data=form, headers=headers)
            assert "evil.example" not in answer.headers.get("Location", "").partition("?")[0], str(route)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:80", "localhost@evil.example"]
)
def test_45_a_host_that_is_not_ours_is_not_answered(world: World, host: str) -> None:
    for path in ("/", "/auth/sign-in", "/livez", "/static/css/smtpy.css"):
        answer = world.as_("anonymous").get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert "evil.example" not in answer.text
        assert "Location" not in answer.headers

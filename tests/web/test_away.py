"""While the database is away: what needs none is there for all, the rest says in whole pages when to come back."""

import re
from pathlib import Path

import pytest
from sqlalchemy import update

from smtpy.admin.outages import AWAY
from smtpy.store.schema import User
from tests.web.world import World

NEEDS_NONE = ("/livez", "/offline", "/manifest.webmanifest", "/sw.js", "/robots.txt", "/.well-known/security.txt")
WHO = ("anonymous", "owner", "admin")


def take_away(world: World) -> None:
    world.engine.dispose()
    Path(world.engine.url.database or "").unlink()


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", [*NEEDS_NONE, "/static/css/smtpy.css", "/static/icon.svg"])
def test_what_needs_no_database_is_there(world: World, who: str, path: str) -> None:
    client = world.as_(who)
    with client.get(path) as answer:
        before = answer.get_data()
    take_away(world)
    with client.get(path) as answer:
        assert answer.status_code == 200
        assert answer.get_data() == before
        assert "Set-Cookie" not in answer.headers


def test_everybody_hears_the_same_and_when_to_come_back(world: World) -> None:
    take_away(world)
    answers = {who: world.as_(who).get("/auth/sign-in", headers={"Accept-Language": "de"}) for who in WHO}
    assert {answer.status_code for answer in answers.values()} == {503}
    assert {answer.headers.get("Retry-After") for answer in answers.values()} == {"10"}
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in answers.values()}) == 1


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(("language", "words"), [("de", "Die Datenbank antwortet"), ("en", "The database does not")])
def test_the_page_is_whole_and_in_their_language(world: World, who: str, language: str, words: str) -> None:
    take_away(world)
    answer = world.as_(who).get("/auth/sign-in", headers={"Accept-Language": language})
    assert words in answer.text
    assert f'<html lang="{language}"' in answer.text
    assert answer.text.rstrip().endswith("</html>")
    assert "css/smtpy.css" in answer.text


def test_what_goes_away_in_the_middle_is_told_as_well(world: World) -> None:
    """The session was read, so the page has the member's frame, in the language they have chosen; it asks no more."""
    with world.engine.begin() as connection:
        connection.execute(update(User).values(language="de"))

    def fail() -> str:
        take_away(world)
        raise AWAY

    world.app.view_functions["home.dashboard"] = fail
    client = world.as_("owner")
    answer = client.get("/", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "Die Datenbank antwortet" in answer.text
    assert 'class="frame"' in answer.text
    assert answer.text.rstrip().endswith("</html>")

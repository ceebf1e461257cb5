"""Announcements: told by an administrator, shown to everybody who is signed in, put away by each."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.queries import statements
from tests.web.conftest import SignIn
from tests.web.operators import acts, admin
from web import banner

WORDS = 'Maintenance <b>"on" Sunday</b>'
SHOWN = "Maintenance &lt;b&gt;&#34;on&#34; Sunday&lt;/b&gt;"


def announce(browser: FlaskClient, **form: str) -> FlaskClient:
    answer = browser.post("/admin/announcements", data={"text": WORDS, "level": "warning", **form})
    assert answer.status_code == 303, answer.text
    return browser


def test_everybody_who_is_signed_in_sees_it(sign_in: SignIn, client: FlaskClient, engine: Engine) -> None:
    theirs = sign_in()
    assert SHOWN not in theirs.get("/").text
    announce(admin(sign_in))
    text = theirs.get("/").text
    assert f'<div class="banner warning"><p>{SHOWN}</p>' in text
    assert SHOWN not in client.get("/auth/sign-in").text
    assert acts(engine)[-1][1] == "announcement.add"


def test_each_puts_it_away_for_themselves(sign_in: SignIn) -> None:
    announce(admin(sign_in))
    theirs = sign_in()
    target = re.search(r'action="(/announcements/[^"]+)"', theirs.get("/").text)
    assert target
    answer = theirs.post(target[1], data={"next": "https://evil.example"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert theirs.post(target[1]).status_code == 303
    assert SHOWN not in theirs.get("/").text
    assert SHOWN in sign_in("ben@people.example").get("/").text


def test_it_is_ended(sign_in: SignIn, engine: Engine) -> None:
    browser = announce(admin(sign_in))
    target = re.search(r'action="(/admin/announcements/[^"]+/end)"', browser.get("/admin/announcements").text)
    assert target
    assert browser.post(target[1]).status_code == 303
    assert acts(engine)[-1][1] == "announcement.end"
    assert "Over" in browser.get("/admin/announcements").text
    assert SHOWN not in sign_in().get("/").text


def test_it_begins_later(sign_in: SignIn) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    browser = announce(admin(sign_in), shown_from=f"{later:%Y-%m-%dT%H:%M}")
    assert SHOWN not in sign_in().get("/").text
    assert "Later" in browser.get("/admin/announcements").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": ""}, "Fill this in."),
        ({"text": " "}, "Write what is to be told."),
        ({"level": "loud"}, "Not a valid choice"),
        ({"shown_until": "2020-01-01T00:00"}, "over before anybody has seen it"),
        ({"shown_until": "soon"}, "Not a valid datetime"),
    ],
)
def test_what_cannot_be_announced(sign_in: SignIn, form: dict[str, str], words: str) -> None:
    answer = admin(sign_in).post("/admin/announcements", data={"text": WORDS, "level": "info", **form})
    assert answer.status_code == 422
    assert words in answer.text


def test_pages_ask_for_it_only_while_there_is_something(sign_in: SignIn, engine: Engine) -> None:
    theirs = sign_in()
    theirs.get("/")
    with statements(engine) as told:
        theirs.get("/")
    assert not [each for each in told if "announcements" in each]


def test_what_another_process_announced_is_seen_soon(
    sign_in: SignIn, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = sign_in()
    theirs.get("/")
    monkeypatch.setattr(banner, "forget", lambda: None)
    announce(admin(sign_in))
    assert SHOWN not in theirs.get("/").text
    monkeypatch.setattr(banner, "KEPT", timedelta(0))
    assert SHOWN in theirs.get("/").text

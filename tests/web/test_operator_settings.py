"""Invitations and settings: what an administrator opens to whom, and what may be read of how the service runs."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from smtpy.admin import accounts, choices
from smtpy.admin.change import change, reading
from smtpy.config import Settings, shown
from tests.web.conftest import SignIn
from tests.web.operators import ROOT, acts, admin
from web import letters
from web.pages.operator import invitations

NEW = "new@people.example"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom letters were sent to; all leave."""
    sent: list[str] = []
    monkeypatch.setattr(letters, "send", lambda letter, to: sent.append(to) or True)
    return sent


def invite(browser: FlaskClient, **form: str) -> str:
    """The page that answers."""
    return browser.post("/admin/invitations", data={"email": NEW, "role": "user", **form}).text


def test_a_link_is_shown_once_and_works(sign_in: SignIn, client: FlaskClient, engine: Engine, post: list[str]) -> None:
    browser = admin(sign_in)
    text = invite(browser, send="y")
    link = re.search(r'data-copy="http://localhost(/auth/invited/[^"]+)"', text)
    assert link
    assert "The link was sent there." in text
    assert post == [NEW]
    assert client.get(link[1]).status_code == 200
    assert link[1].rpartition("/")[2] not in browser.get("/admin/invitations").text
    assert acts(engine)[-1] == (f"web:{ROOT}", "invitation.add", f"invitation {NEW}")


def test_a_link_is_handed_over_by_hand(sign_in: SignIn, post: list[str]) -> None:
    text = invite(admin(sign_in))
    assert "/auth/invited/" in text
    assert "sent" not in text.partition("<main")[2]
    assert post == []


def test_mail_that_does_not_leave_keeps_no_invitation(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "send", lambda letter, to: False)
    text = invite(admin(sign_in), send="y")
    assert "The mail did not leave." in text
    assert "/auth/invited/" in text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"email": ""}, "Fill this in."),
        ({"email": "a@@b"}, "a@@b"),
        ({"email": ROOT}, "has an account already"),
        ({"role": "king"}, "Not a valid choice"),
    ],
)
def test_whom_nobody_can_invite(sign_in: SignIn, form: dict[str, str], words: str) -> None:
    answer = admin(sign_in).post("/admin/invitations", data={"email": NEW, "role": "user", **form})
    assert answer.status_code == 422
    assert words in answer.text


def test_an_invitation_is_taken_back(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    invite(browser, role="admin")
    text = browser.get("/admin/invitations").text
    assert "administrator" in text.partition("Not accepted yet")[2]
    target = re.search(r'action="(/admin/invitations/[^"]+/revoke)"', text)
    assert target
    assert browser.post(target[1]).status_code == 303
    assert browser.post(target[1]).status_code == 404
    assert NEW not in browser.get("/admin/invitations").text.partition("<main")[2].partition("toast")[0]
    with reading(engine) as session:
        assert accounts.invitations(session) == ()


def test_page_by_page(sign_in: SignIn, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "PAGE", 2)
    with change(engine, by="test") as c:
        for number in range(5):
            accounts.invite(c, f"n{number}@people.example")
    browser, seen, path = admin(sign_in), [], "/admin/invitations"
    while path:
        text = browser.get(path).text
        seen += re.findall(r'class="route">(n\d)', text)
        found = re.search(r'href="([^"]+)" rel="next"', text)
        path = found[1] if found else ""
    assert seen == ["n4", "n3", "n2", "n1", "n0"]


def test_settings_in_force_and_whence(
    app: Flask, sign_in: SignIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTPY_HOSTNAME", "mx.our.example")
    text = admin(sign_in).get("/admin/settings").text
    row = text.partition("<code>hostname</code>")[2].partition("</tr>")[0]
    assert "<code>mx.our.example</code>" in row
    assert "environment" in row
    assert "SMTPY_HOSTNAME" in row
    for key in Settings.model_fields:
        assert f"<code>{key}</code>" in text
    assert "x" * 48 not in text


def test_no_password_of_a_url_is_shown(settings: Settings) -> None:
    urls = {"database_url": "postgresql://u:hush@db/x?password=hush", "limits_url": "redis://:hush@cache:6379"}
    values = shown.values(settings.model_copy(update=urls))
    assert "hush" not in str(values)
    assert values["limits_url"] == "redis://:**********@cache:6379"


def test_who_may_make_an_account(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    assert re.search(r'checked[^>]* value="invitation"', browser.get("/admin/settings").text)
    assert browser.post("/admin/settings", data={"sign_up": "open"}).status_code == 303
    assert browser.post("/admin/settings", data={"sign_up": "all"}).status_code == 422
    with reading(engine) as session:
        assert choices.sign_up(session) is choices.SignUp.OPEN
    assert acts(engine)[-1] == (f"web:{ROOT}", "choice.set", "sign_up")

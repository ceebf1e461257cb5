"""The application stands: it answers, asks who you are, and lets in who is signed in."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.conftest import SignIn
from web import headers


def test_it_lives_and_is_ready(client: FlaskClient) -> None:
    assert client.get("/livez").data == b"ok\n"
    assert client.get("/readyz").status_code == 200


def test_who_is_not_signed_in_is_asked_to(client: FlaskClient) -> None:
    answer = client.get("/")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/auth/sign-in?next=/"


def test_who_is_signed_in_comes_in(sign_in: SignIn) -> None:
    answer = sign_in().get("/")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/", "/livez", "/nothing", "/static/css/smtpy.css", "/auth/sign-in"])
def test_every_answer_has_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        pass
    assert headers.HEADERS.items() <= dict(answer.headers).items()


def test_every_view_says_who_may_call_it(app: Flask) -> None:
    known = {"public", "signed_in", "sudo", "admin_only"}
    unmarked = {name for name, view in app.view_functions.items() if getattr(view, "access", None) not in known}
    assert unmarked == {"static"}

"""What the pages count of themselves: every answer, under the name of its view and nobody's own; who was refused."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smtpy.metrics.table import ANSWERING
from tests.web.conftest import SignIn
from tests.web.world import World
from web import limits

CREDENTIALS = {"email": "ann@people.example", "password": "not it"}


def counted(app: Flask, name: str) -> dict[str, float]:
    """What stands behind that name."""
    told = app.extensions["smtpy.figures"].told()
    return {key.removeprefix(f"{name} "): value for key, value in told.items() if key.startswith(f"{name} ") and value}


def test_answers_are_counted_by_view_and_status(app: Flask, client: FlaskClient) -> None:
    for path in ("/auth/sign-in", "/auth/sign-in", "/nowhere/ann@people.example", "/livez", "/"):
        client.get(path)
    client.post("/livez")
    assert counted(app, "requests") == {
        "signing.sign_in 200": 2,
        "none 404": 1,
        "health.livez 200": 1,
        "home.dashboard 303": 1,
        "none 405": 1,
    }
    answering = counted(app, "answering")
    seconds = answering.pop("seconds")
    assert sum(answering.values()) == 5  # not /livez
    assert 0 < seconds < sum((*ANSWERING.edges, 60)[int(at)] * number for at, number in answering.items())


def test_a_page_that_goes_wrong_is_counted(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise LookupError

    monkeypatch.setitem(app.view_functions, "signing.sign_in", fail)
    assert client.get("/auth/sign-in").status_code == 500
    assert counted(app, "requests") == {"signing.sign_in 500": 1}


def test_who_is_refused_is_counted(app: Flask, client: FlaskClient, sign_in: SignIn) -> None:
    assert client.post("/auth/sign-in", data=CREDENTIALS).status_code == 422
    client.post("/auth/passkey", data={"credential": "{}"})
    sign_in().post("/auth/confirm", data={"password": "not it"})
    assert counted(app, "refused") == {"password": 2, "passkey": 1}


def test_one_too_many_is_counted(build_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.limiter, "enabled", True)
    app = build_world().app
    app.config.update(WTF_CSRF_ENABLED=False)
    client = app.test_client()
    for _ in range(7):
        client.post("/auth/sign-in", data=CREDENTIALS)
    assert counted(app, "requests") == {"signing.sign_in 422": 5, "signing.sign_in 429": 2}

"""Somebody with a password, and a place where letters arrive, as a pytest plugin."""

import re
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from smtpy.admin import members, signing_in
from smtpy.admin.change import change
from smtpy.config import Settings
from smtpy.store.schema import User
from tests.inbox import Inbox
from tests.waiting import free_ports
from web.limits import limiter

ANN = "ann@people.example"
PASSWORD = "seven letters went by boat"
OTHER_PASSWORD = "nine parrots learn the harp"


@pytest.fixture
def ann(engine: Engine) -> str:
    """A member who can sign in."""
    with change(engine, by="test") as c:
        user = members.add(c, ANN)
        signing_in.set_password(c, user.id, PASSWORD)
        c.session.get_one(User, user.id).welcome = "done"  # their first hour is over
    return ANN


@pytest.fixture
def limited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A browser that is counted."""
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    return app.test_client()


class Letters:
    """What SMTPy has written."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    def to(self, address: str) -> EmailMessage:
        """The latest letter to somebody, waiting for one; it is taken away."""
        found = self.inbox.wait_for(lambda each: address in each.recipients, 5)
        self.inbox.deliveries.remove(found)
        message = message_from_bytes(found.data, policy=policy.SMTP)
        assert isinstance(message, EmailMessage)
        return message

    def link_to(self, address: str) -> str:
        """The path of the link in it."""
        body = self.to(address).get_body(("plain",))
        assert body is not None
        found = re.search(r"http://localhost(/\S+)", body.get_content())
        assert found is not None
        return found[1]


@pytest.fixture
def letters(app: Flask, settings: Settings) -> Iterator[Letters]:
    """Letters arrive here; without this fixture no server takes them."""
    (port,) = free_ports(1)
    inbox = Inbox(port)
    house = app.extensions["smtpy"]
    server = settings.notice_server.__class__(host="127.0.0.1", port=port)
    app.extensions["smtpy"] = type(house)(
        settings.model_copy(update={"notice_server": server}), house.engine, house.vault
    )
    inbox.start()
    yield Letters(inbox)
    for thread in threading.enumerate():
        if thread.name == "beside":  # a letter that is on its way
            thread.join()
    inbox.stop()


def enter(client: FlaskClient, email: str = ANN, password: str = PASSWORD, **more: str) -> TestResponse:
    """Sign in by password."""
    return client.post("/auth/sign-in", data={"email": email, "password": password, **more})


def name_of(client: FlaskClient) -> str:
    """What the browser's cookie holds."""
    cookie = client.get_cookie("__Host-sid")
    return cookie.value if cookie else ""


def is_in(app: Flask, name: str) -> bool:
    """Whether a cookie of that name is signed in."""
    browser = app.test_client()
    browser.set_cookie("__Host-sid", name, domain="localhost", secure=True)
    return browser.get("/").status_code == 200


def without_token(page: str) -> str:
    """A page without what changes by the second."""
    return re.sub(r'name="csrf_token"[^>]*value="[^"]*"', "", page)

"""Signing in by password (WEB.md, section 4: statements 10 to 15, 22, 28, 46)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

import web.sessions
from smtpy.admin import members, passwords, sessions, signing_in
from smtpy.admin.change import change
from smtpy.store.accounts import Attempt, WebSession
from smtpy.store.schema import Audit, Role
from tests.queries import statements
from tests.waiting import until
from tests.web.accounts import ANN, PASSWORD, enter, is_in, name_of, without_token
from tests.web.conftest import SignIn


def test_a_password_lets_in(client: FlaskClient, engine: Engine, ann: str) -> None:
    answer = enter(client, next="/")
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/").status_code == 200
    with Session(engine) as session:
        row = session.query(Audit).filter_by(act="user.sign-in").one()
        assert (row.actor, row.subject) == (f"web:{ANN}", f"user {ANN}")


def test_10_one_cookie_that_only_this_host_and_no_script_reads(client: FlaskClient, ann: str) -> None:
    cookie = enter(client).headers["Set-Cookie"]
    assert cookie.startswith("__Host-sid=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; ")[1:])
    assert "Domain" not in cookie


def test_11_only_a_digest_of_the_name_is_kept(client: FlaskClient, engine: Engine, ann: str) -> None:
    enter(client)
    name = client.get_cookie("__Host-sid")
    assert name is not None
    assert len(name.value) >= 43  # 256 bits in base64
    with Session(engine) as session:
        assert session.query(WebSession).one().digest == sessions.digest(name.value) != name.value


def test_12_another_name_at_sign_in_and_at_sudo(app: Flask, client: FlaskClient, ann: str) -> None:
    enter(client)
    first = name_of(client)
    answer = client.post("/auth/confirm", data={"password": PASSWORD, "next": "/"})
    assert answer.status_code == 303
    assert name_of(client) != first
    assert is_in(app, name_of(client))
    assert not is_in(app, first)


def test_12_a_name_that_was_planted_is_not_signed_in(app: Flask, client: FlaskClient, ann: str) -> None:
    planted = sessions.new_sid()
    client.set_cookie("__Host-sid", planted, domain="localhost", secure=True)
    enter(client)
    assert name_of(client) != planted
    assert not is_in(app, planted)


@pytest.mark.parametrize(
    ("role", "idle", "absolute"),
    [
        (Role.USER, timedelta(hours=12), timedelta(days=14)),
        (Role.ADMIN, timedelta(minutes=30), timedelta(hours=12)),
    ],
)
def test_13_sessions_end_by_themselves(
    sign_in: SignIn, engine: Engine, role: Role, idle: timedelta, absolute: timedelta
) -> None:
    second = timedelta(seconds=1)
    for seen, created, lasts in (
        (idle - 5 * second, idle, True),
        (idle + second, idle + second, False),
        (second, absolute - 5 * second, True),
        (second, absolute + second, False),
    ):
        browser = sign_in(f"{role}@people.example", role=role)
        now = datetime.now(UTC)
        with engine.begin() as connection:
            connection.execute(update(WebSession).values(seen_at=now - seen, created_at=now - created))
        assert (browser.get("/").status_code == 200) is lasts


def _sign_out(browser: FlaskClient, engine: Engine) -> None:
    assert browser.post("/auth/sign-out").status_code == 303


def _off(browser: FlaskClient, engine: Engine) -> None:
    with change(engine, by="test") as c:
        members.off(c, ANN)


def _delete(browser: FlaskClient, engine: Engine) -> None:
    with change(engine, by="test") as c:
        members.delete(c, ANN)


@pytest.mark.parametrize("end", [_sign_out, _off, _delete])
def test_14_they_end_on_the_server(
    app: Flask, client: FlaskClient, engine: Engine, ann: str, end: Callable[[FlaskClient, Engine], None]
) -> None:
    enter(client)
    name = name_of(client)
    end(client, engine)
    assert not is_in(app, name)
    with change(engine, by="test") as c:  # nor does it come back with its user
        members.restore(c, ANN)
        members.on(c, ANN)
    assert not is_in(app, name)


@pytest.mark.parametrize("act", ["/aliases/many", "/auth/confirm"])
def test_14_what_was_ended_stays_so_whatever_was_under_way(
    app: Flask, client: FlaskClient, engine: Engine, ann: str, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that keeps something in the session at the end of its request must not bring it back."""
    enter(client)
    name = name_of(client)
    save = web.sessions.Sessions.save_session

    def ended_first(*all_of_it: Any) -> None:
        with change(engine, by="test") as c:
            sessions.revoke_all(c, members.find(c.session, ann).id)
        save(*all_of_it)

    monkeypatch.setattr(web.sessions.Sessions, "save_session", ended_first)
    answer = client.post(act, data={"act": "tag", "password": PASSWORD})
    monkeypatch.undo()
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    assert not is_in(app, name)
    with Session(engine) as session:
        assert session.query(WebSession).count() == 0


STRANGERS = [
    "nobody@people.example",
    ANN,
    "off@people.example",
    "gone@people.example",
    "none@people.example",
    "no address",
]


@pytest.fixture
def crowd(engine: Engine, ann: str) -> None:
    with change(engine, by="test") as c:
        for name in ("off", "gone", "none"):
            user = members.add(c, f"{name}@people.example")
            if name != "none":
                signing_in.set_password(c, user.id, PASSWORD)
        members.off(c, "off@people.example")
        members.delete(c, "gone@people.example")


def test_22_every_refusal_is_the_same(client: FlaskClient, crowd: None) -> None:
    answers = set()
    client.get("/auth/sign-in")
    for email in STRANGERS:
        answer = enter(client, email, PASSWORD if email != ANN else "not the password at all")
        answers.add(
            (answer.status_code, without_token(answer.text).replace(email, "-"), answer.headers.get("Set-Cookie"))
        )
    assert len(answers) == 1
    assert next(iter(answers))[0] == 422


class Hashing:
    """The hasher of passwords, and what each hash it has worked out takes: its parameters and the password's length."""

    def __init__(self, real: PasswordHasher) -> None:
        self._real = real
        self.work: list[tuple[str, int]] = []

    def verify(self, kept: str, text: str) -> bool:
        self.work.append((str(extract_parameters(kept)), len(text)))
        return self._real.verify(kept, text)


def test_22_every_refusal_takes_the_same_time(
    client: FlaskClient, engine: Engine, crowd: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes time is counted: one hash at the same costs, 32 ms long, and the same statements. What is no
    address is looked up nowhere, and nobody has it as an account."""
    hashing = Hashing(passwords._HASHER)
    passwords._nobodys()  # made once in a process
    monkeypatch.setattr(passwords, "_HASHER", hashing)
    enter(client, "warm@people.example")
    taken = {}
    for email in STRANGERS:
        hashing.work.clear()
        with statements(engine, here=True) as seen:
            enter(client, email, "not the password at all")
        taken[email] = (tuple(hashing.work), tuple(seen))
    assert {len(hashes) for hashes, _ in taken.values()} == {1}
    assert len({hashes for hashes, _ in taken.values()}) == 1
    assert len({seen for email, (_, seen) in taken.items() if "@" in email}) == 1


def test_28_five_failures_slow_an_account_down(app: Flask, limited: FlaskClient, engine: Engine, ann: str) -> None:
    codes = [enter(limited, password="not the password at all").status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]
    answer = enter(limited)  # the right one has to wait, too, or guessing would go on
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    with Session(engine) as session:
        until(lambda: session.query(Attempt).count() == 5, "failures kept")


def test_28_an_account_that_is_not_there_slows_down_alike(limited: FlaskClient) -> None:
    codes = [enter(limited, "nobody@people.example", PASSWORD).status_code for _ in range(6)]
    assert codes == [422] * 5 + [429]


def test_28_an_address_is_one_however_it_is_written(limited: FlaskClient, ann: str) -> None:
    written = [ANN, "ANN@people.example", '"ann"@people.example', '"a\\nn"@people.example', "ann@PEOPLE\uff0eexample"]
    codes = [enter(limited, email, "not the password at all").status_code for email in [*written, f" {ANN} "]]
    assert codes == [422] * 5 + [429]


def test_28_ten_tries_a_minute_from_an_address(limited: FlaskClient) -> None:
    codes = [enter(limited, f"{number}@people.example", PASSWORD).status_code for number in range(11)]
    assert codes == [422] * 10 + [429]


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "evil", "\t//evil", ""],
)
def test_46_next_never_leads_elsewhere(client: FlaskClient, ann: str, target: str) -> None:
    assert 'value="/"' in client.get("/auth/sign-in", query_string={"next": target}).text
    assert enter(client, next=target).location == "/"


def test_46_next_leads_back(client: FlaskClient, ann: str) -> None:
    assert enter(client, next="/settings?tab=2").location == "/settings?tab=2"

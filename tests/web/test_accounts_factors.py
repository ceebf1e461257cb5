"""Second factors, passkeys apart (WEB.md, section 4: statements 12, 14, 15, 16, 23, 24, 25, 27, 43)."""

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from smtpy.admin import factors, members
from smtpy.admin.change import change, personal
from smtpy.config import Settings
from smtpy.store.accounts import RecoveryCode, WebSession
from smtpy.store.schema import User
from smtpy.terms import vault_of
from tests.web.accounts import ANN, OTHER_PASSWORD, PASSWORD, Letters, enter, is_in, name_of
from tests.web.conftest import SignIn

SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class App:
    """An authenticator app; each code it shows is of a later step than any before."""

    def __init__(self, seed: str) -> None:
        self.app = pyotp.TOTP(seed)
        self.step = int(datetime.now(UTC).timestamp()) // 30 - 1

    def code(self) -> str:
        code = self.app.generate_otp(self.step)
        self.step += 1
        return code


@pytest.fixture
def phone(engine: Engine, settings: Settings, ann: str) -> App:
    """Ann's, which is asked for."""
    made = App(SEED)
    with personal(engine, by="test", vault=vault_of(settings)) as c:
        factors.turn_on(c, members.find(c.session, ann).id, SEED, made.code())
    return made


@pytest.fixture
def codes(engine: Engine, phone: App) -> tuple[str, ...]:
    with personal(engine, by="test") as c:
        return factors.renew_codes(c, members.find(c.session, ANN).id)


def show(client: FlaskClient, code: str) -> int:
    return client.post("/auth/second-factor", data={"code": code}).status_code


def test_27_an_app_is_set_up_by_its_first_code(client: FlaskClient, engine: Engine, ann: str, letters: Letters) -> None:
    enter(client)
    assert client.get("/settings/security/app").location == "/settings/security"
    assert client.post("/settings/security/app/start").location == "/settings/security/app"
    page = client.get("/settings/security/app").text
    seed = re.search(r"secret=([A-Z2-7]{32})", page)
    assert seed is not None
    assert "<svg" in page
    assert client.post("/settings/security/app", data={"code": "000000"}).status_code == 422
    answer = client.post("/settings/security/app", data={"code": pyotp.TOTP(seed[1]).now()})
    assert len(re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}</code>", answer.text)) == 10
    assert "authenticator app was added" in str(letters.to(ANN).get_body(("plain",)))


def test_43_seeds_and_codes_are_no_plain_text_in_the_database(
    client: FlaskClient, engine: Engine, codes: tuple[str, ...]
) -> None:
    enter(client)
    with engine.connect() as connection:
        everything = [
            str(connection.exec_driver_sql(f"SELECT * FROM {table}").all())  # noqa: S608 - our own names
            for table in ("users", "recovery_codes", "web_sessions", "audit")
        ]
    for secret in (SEED, *codes, *(code.replace("-", "") for code in codes)):
        assert not any(secret in each for each in everything)


def test_23_the_password_alone_does_not_sign_in(app: Flask, client: FlaskClient, phone: App) -> None:
    answer = enter(client, next="/settings")
    assert answer.location == "/auth/second-factor"
    assert not is_in(app, name_of(client))
    assert client.get("/").location.startswith("/auth/sign-in")
    half = name_of(client)
    answer = client.post("/auth/second-factor", data={"code": phone.code()})
    assert answer.location == "/settings"
    assert name_of(client) != half
    assert is_in(app, name_of(client))


def test_23_a_code_works_once(app: Flask, client: FlaskClient, phone: App) -> None:
    code = phone.code()
    enter(client)
    assert show(client, code) == 303
    other = app.test_client()
    enter(other)
    assert show(other, code) == 422


def test_23_a_code_of_an_earlier_step_is_refused_after_a_later_one(app: Flask, client: FlaskClient, phone: App) -> None:
    earlier, later = phone.code(), phone.code()
    enter(client)
    assert show(client, later) == 303
    other = app.test_client()
    enter(other)
    assert show(other, earlier) == 422


@pytest.mark.parametrize(("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_23_a_clock_may_be_one_step_off(engine: Engine, settings: Settings, ann: str, off: int, taken: bool) -> None:
    with personal(engine, by="test", vault=vault_of(settings)) as c:
        user_id = members.find(c.session, ann).id
        step = int(c.now.timestamp()) // 30
        first = pyotp.TOTP(SEED).generate_otp(step - 1)
        factors.turn_on(c, user_id, SEED, first)
        c.session.get_one(User, user_id).totp_step = step - 100
        c.session.flush()
        assert (factors.accept(c, user_id, pyotp.TOTP(SEED).generate_otp(step + off)) == "totp") is taken


def test_23_five_wrong_codes_end_the_challenge(app: Flask, client: FlaskClient, phone: App) -> None:
    enter(client)
    assert [show(client, "000000") for _ in range(5)] == [422] * 5
    answer = client.post("/auth/second-factor", data={"code": phone.code()})
    assert answer.location == "/auth/sign-in"  # even the right one
    assert client.get("/auth/second-factor").location == "/auth/sign-in"
    enter(client)
    assert show(client, phone.code()) == 303  # nobody is locked out for good


def test_23_a_challenge_ends_by_itself(client: FlaskClient, engine: Engine, phone: App) -> None:
    enter(client)
    with Session(engine) as session:
        row = session.query(WebSession).one()
        half = dict(row.data["half"])  # type: ignore[call-overload]
        half["at"] = (datetime.now(UTC) - timedelta(minutes=11)).isoformat()
        row.data = {**row.data, "half": half}
        session.commit()
    assert show(client, phone.code()) == 303
    assert client.get("/").location.startswith("/auth/sign-in")


def test_25_another_password_ends_a_challenge(app: Flask, client: FlaskClient, phone: App, letters: Letters) -> None:
    enter(client)  # with the password that somebody may have seen
    owner = app.test_client()
    owner.post("/auth/forgot", data={"email": ANN})
    owner.post(letters.link_to(ANN), data={"password": OTHER_PASSWORD})
    assert client.post("/auth/second-factor", data={"code": phone.code()}).location == "/auth/sign-in"
    assert enter(owner, password=OTHER_PASSWORD).location == "/auth/second-factor"
    assert show(owner, phone.code()) == 303


@pytest.mark.parametrize("written", ["{}", " {} ", "{upper}", "{bare}"])
def test_24_a_recovery_code_works_once(
    app: Flask, client: FlaskClient, engine: Engine, codes: tuple[str, ...], letters: Letters, written: str
) -> None:
    code = written.format(codes[0], upper=codes[0].upper(), bare=codes[0].replace("-", " "))
    enter(client)
    assert show(client, code) == 303
    assert "A recovery code was used" in str(letters.to(ANN).get_body(("plain",)))
    other = app.test_client()
    enter(other)
    assert show(other, code) == 422
    assert show(other, codes[1]) == 303
    with Session(engine) as session:
        assert session.query(RecoveryCode).filter(RecoveryCode.used_at.is_(None)).count() == 8


def test_24_new_codes_make_the_old_ones_worth_nothing(client: FlaskClient, codes: tuple[str, ...]) -> None:
    enter(client)
    show(client, codes[0])
    assert client.post("/settings/security/codes").status_code == 200
    client.post("/auth/sign-out")
    enter(client)
    assert show(client, codes[1]) == 422


def test_24_codes_are_ten_of_eighty_bits(codes: tuple[str, ...]) -> None:
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", code) for code in codes)


def test_25_another_password_does_not_skip_the_second_factor(
    app: Flask, client: FlaskClient, phone: App, letters: Letters
) -> None:
    client.post("/auth/forgot", data={"email": ANN})
    client.post(letters.link_to(ANN), data={"password": OTHER_PASSWORD})
    assert not is_in(app, name_of(client))
    assert enter(client, password=OTHER_PASSWORD).location == "/auth/second-factor"


def test_27_the_app_can_be_removed(client: FlaskClient, phone: App, codes: tuple[str, ...], letters: Letters) -> None:
    enter(client)
    show(client, phone.code())
    client.post("/settings/security/app/remove")
    assert "authenticator app was removed" in str(letters.to(ANN).get_body(("plain",)))
    client.post("/auth/sign-out")
    assert enter(client).location == "/"


def age(engine: Engine, minutes: int) -> None:
    """Let so much time pass since people last showed who they are."""
    with engine.begin() as connection:
        connection.execute(update(WebSession).values(authenticated_at=datetime.now(UTC) - timedelta(minutes=minutes)))


def test_16_sudo_lasts_ten_minutes(client: FlaskClient, engine: Engine, ann: str) -> None:
    enter(client)
    age(engine, 9)
    assert client.get("/settings/security/password").status_code == 200
    age(engine, 11)
    assert client.get("/settings/security/password").location == "/auth/confirm?next=/settings/security/password"
    wrong = client.post("/auth/confirm", data={"password": "not the password at all", "next": "/settings"})
    assert wrong.status_code == 422
    right = client.post("/auth/confirm", data={"password": PASSWORD, "next": "/settings/security/password"})
    assert right.location == "/settings/security/password"
    assert client.get("/settings/security/password").status_code == 200


def test_16_a_code_of_the_app_will_do(client: FlaskClient, engine: Engine, phone: App) -> None:
    enter(client)
    show(client, phone.code())
    age(engine, 11)
    assert client.post("/auth/confirm", data={"code": "000000"}).status_code == 422
    assert client.post("/auth/confirm", data={"code": phone.code(), "next": "/"}).status_code == 303
    assert client.get("/settings/security/password").status_code == 200


def test_12_14_another_password_ends_all_sessions_but_renews_this_one(
    app: Flask, client: FlaskClient, ann: str, letters: Letters
) -> None:
    other = app.test_client()
    enter(other)
    enter(client)
    mine, theirs = name_of(client), name_of(other)
    answer = client.post("/settings/security/password", data={"password": OTHER_PASSWORD})
    assert answer.location == "/settings/security"
    assert name_of(client) != mine
    assert [is_in(app, name) for name in (name_of(client), mine, theirs)] == [True, False, False]
    assert "password was changed" in str(letters.to(ANN).get_body(("plain",)))


def test_15_sessions_are_listed_and_ended(app: Flask, client: FlaskClient, ann: str) -> None:
    browsers = [app.test_client() for _ in range(3)]
    for browser in browsers:
        browser.post(
            "/auth/sign-in",
            data={"email": ANN, "password": PASSWORD},
            headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
        )
    page = browsers[0].get("/settings/security").text
    assert page.count("Firefox on Linux") >= 3
    uuid = re.search(r"sessions/([0-9a-f-]{36})/revoke", page)
    assert uuid is not None
    assert browsers[0].post(f"/settings/security/sessions/{uuid[1]}/revoke").status_code == 303
    assert sorted(is_in(app, name_of(each)) for each in browsers) == [False, True, True]
    browsers[0].post("/settings/security/sessions/revoke-others")
    assert [is_in(app, name_of(each)) for each in browsers] == [True, False, False]


def test_27_a_new_device_is_told(app: Flask, client: FlaskClient, ann: str, letters: Letters) -> None:
    enter(client)  # the first of all tells nobody anything
    firefox = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    for _ in range(2):
        app.test_client().post("/auth/sign-in", data={"email": ANN, "password": PASSWORD}, headers=firefox)
    assert "Firefox on Windows" in str(letters.to(ANN).get_body(("plain",)))
    assert not letters.inbox.to(ANN)  # the second time it is known


def test_an_address_changes_by_a_letter_to_the_new_one(
    client: FlaskClient, engine: Engine, ann: str, letters: Letters
) -> None:
    enter(client)
    client.post("/settings/e-mail", data={"email": "Ann@new.example"})
    with Session(engine) as session:
        assert session.query(User).filter_by(email=ANN).count() == 1
    path = letters.link_to("Ann@new.example")
    assert client.post(path).status_code == 303
    assert client.get(path).status_code == 404
    with Session(engine) as session:
        assert session.query(User).one().key == "ann@new.example"
    assert "was changed" in str(letters.to(ANN).get_body(("plain",)))


def test_22_an_address_that_is_taken_is_not_told(
    client: FlaskClient, engine: Engine, ann: str, letters: Letters
) -> None:
    with change(engine, by="test") as c:
        members.add(c, "bob@people.example")
    enter(client)
    answers = {
        client.post("/settings/e-mail", data={"email": email}).location
        for email in ("bob@people.example", "nobody@people.example")
    }
    assert answers == {"/settings"}
    assert "/auth/sign-in" in str(letters.to("bob@people.example").get_body(("plain",)))


@pytest.mark.parametrize("more", [{"role": "admin"}, {"email": "x@evil.example"}, {"enabled": "0"}, {"id": "99"}])
def test_30_a_profile_takes_what_its_form_has(
    client: FlaskClient, engine: Engine, ann: str, more: dict[str, str]
) -> None:
    enter(client)
    client.post("/settings", data={"name": "Ann", "language": "de", "theme": "dark", **more})
    with Session(engine) as session:
        user = session.query(User).one()
        assert (user.name, user.language, user.theme) == ("Ann", "de", "dark")
        assert (user.role, user.email, user.enabled) == ("user", ANN, True)


@pytest.mark.parametrize("name", ["a\r\nBcc: x@evil.example", "a\0b", "a\x85b"])
def test_37_a_name_is_one_line(client: FlaskClient, ann: str, name: str) -> None:
    enter(client)
    form = {"name": name, "language": "", "theme": "auto"}
    assert client.post("/settings", data=form).status_code == 422


def test_33_a_link_for_an_address_is_its_owners(
    app: Flask, client: FlaskClient, ann: str, letters: Letters, sign_in: SignIn
) -> None:
    enter(client)
    client.post("/settings/e-mail", data={"email": "typo@new.example"})
    path = letters.link_to("typo@new.example")
    assert app.test_client().post(path).location.startswith("/auth/sign-in?next=")
    assert sign_in("bob@people.example").post(path).status_code == 404
    assert client.post(path).status_code == 303

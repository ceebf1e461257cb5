"""What begins with a link (WEB.md, section 4: statements 12, 14, 21, 22, 25, 27, 28, 33, 37, 45)."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from smtpy.admin import accounts, choices, links
from smtpy.admin.change import change
from smtpy.admin.choices import SignUp
from smtpy.store.accounts import OneTimeLink, Purpose
from smtpy.store.schema import Role, User
from tests.queries import statements
from tests.web.accounts import ANN, OTHER_PASSWORD, PASSWORD, Letters, enter, is_in, name_of, without_token

NEW = "new@people.example"
JOIN = {"name": "New Person", "password": OTHER_PASSWORD}


@pytest.fixture
def invitation(engine: Engine) -> str:
    with change(engine, by="cli:root") as c:
        return f"/auth/invited/{accounts.invite(c, NEW)}"


@pytest.fixture
def open_house(engine: Engine) -> None:
    with change(engine, by="test") as c:
        choices.set_sign_up(c, SignUp.OPEN)


def user(engine: Engine, email: str) -> User:
    with Session(engine) as session:
        return session.query(User).filter_by(email=email).one()


def test_the_first_administrator_comes_by_a_link_and_chooses_a_password(client: FlaskClient, engine: Engine) -> None:
    with change(engine, by="cli:root") as c:
        path = f"/auth/first/{accounts.first(c)}"
    assert client.get(path).status_code == 200
    answer = client.post(path, data={**JOIN, "email": NEW})
    assert (answer.status_code, answer.location) == (303, "/welcome")
    assert client.get("/").status_code == 200
    assert user(engine, NEW).role is Role.ADMIN
    assert client.get(path).status_code == 404
    with change(engine, by="cli:root") as c, pytest.raises(Exception, match="administers this service already"):
        accounts.first(c)


def test_who_is_invited_makes_an_account(client: FlaskClient, engine: Engine, invitation: str) -> None:
    assert NEW.partition("@")[0] in client.get(invitation).text
    assert client.post(invitation, data=JOIN).status_code == 303
    made = user(engine, NEW)
    assert (made.name, made.role, made.verified_at is not None) == ("New Person", Role.USER, True)


def test_30_who_joins_cannot_choose_their_role(client: FlaskClient, engine: Engine, invitation: str) -> None:
    more = {"role": "admin", "is_admin": "1", "email": "root@people.example", "user_id": "1", "enabled": "0"}
    client.post(invitation, data={**JOIN, **more})
    assert user(engine, NEW).role is Role.USER


@pytest.mark.parametrize(
    "password",
    ["short", "123456789012", "passwordpassword", "qwertyuiop12", "new@people.example", "smtpy mx.our.example", ""],
)
def test_21_a_password_that_is_soon_guessed_is_refused(client: FlaskClient, invitation: str, password: str) -> None:
    answer = client.post(invitation, data={**JOIN, "password": password})
    assert answer.status_code == 422
    assert client.get(invitation).status_code == 200  # the link is as good as before


def test_21_a_password_is_never_cut_off(app: Flask, client: FlaskClient, invitation: str) -> None:
    password = "seven letters went by boat " * 5
    assert len(password) > 128
    assert client.post(invitation, data={**JOIN, "password": password}).status_code == 422
    long = password[:128]
    assert client.post(invitation, data={**JOIN, "password": long}).status_code == 303
    assert enter(app.test_client(), NEW, long[:127] + "x").status_code == 422
    assert enter(app.test_client(), NEW, long).status_code == 303


@pytest.mark.parametrize(
    "password", ["äöü über alle berge weg", "    spaces  all around   ", "seven letters 💌 by boat"]
)
def test_21_any_character_will_do(app: Flask, client: FlaskClient, invitation: str, password: str) -> None:
    assert client.post(invitation, data={**JOIN, "password": password}).status_code == 303
    assert enter(app.test_client(), NEW, password).status_code == 303


@pytest.mark.parametrize("name", ["a\r\nBcc: x@evil.example", "a\nb", "a\0b", "a\u2028b", "a\x1b[2J"])
def test_37_a_name_is_one_line(client: FlaskClient, invitation: str, name: str) -> None:
    assert client.post(invitation, data={**JOIN, "name": name}).status_code == 422


def test_signing_up_begins_with_a_letter(
    client: FlaskClient, engine: Engine, letters: Letters, open_house: None
) -> None:
    assert client.post("/auth/sign-up", data={"email": NEW}).status_code == 200
    path = letters.link_to(NEW)
    assert client.post(path, data=JOIN).status_code == 303
    assert user(engine, NEW).verified_at is not None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("new@bücher.example", "new@xn--bcher-kva.example"), ("Jürgen@people.example", "Jürgen@people.example")],
)
def test_every_address_can_sign_up(
    client: FlaskClient, engine: Engine, letters: Letters, open_house: None, typed: str, kept: str
) -> None:
    client.post("/auth/sign-up", data={"email": f" {typed} "})
    client.post(letters.link_to(kept), data=JOIN)
    assert user(engine, kept).email == kept


@pytest.mark.parametrize("typed", ["nobody", "a@b@c.example", "a b@people.example", "x" * 65 + "@people.example", ""])
def test_what_is_no_address_is_said_so(client: FlaskClient, letters: Letters, open_house: None, typed: str) -> None:
    answer = client.post("/auth/sign-up", data={"email": typed})
    assert (answer.status_code, 'class="error"' in answer.text) == (422, True)


@pytest.mark.parametrize(("mode", "status"), [(SignUp.CLOSED, 404), (SignUp.INVITATION, 200)])
def test_nobody_signs_up_where_they_may_not(client: FlaskClient, engine: Engine, mode: SignUp, status: int) -> None:
    with change(engine, by="test") as c:
        choices.set_sign_up(c, mode)
    assert client.get("/auth/sign-up").status_code == status
    client.post("/auth/sign-up", data={"email": NEW})
    with Session(engine) as session:
        assert session.query(OneTimeLink).count() == 0


@pytest.mark.parametrize("path", ["/auth/forgot", "/auth/sign-up"])
def test_22_who_asks_for_a_letter_learns_nothing(
    client: FlaskClient, engine: Engine, ann: str, letters: Letters, open_house: None, path: str
) -> None:
    client.get(path)
    answers: set[object] = set()
    for email in (NEW, ANN, NEW, ANN):
        with statements(engine, here=True) as seen:  # what differs is done beside, and not waited for
            answer = client.post(path, data={"email": email})
        words = without_token(answer.text).replace(email.partition("@")[0], "-")
        answers.add((answer.status_code, words, tuple(seen)))
    assert len(answers) == 1


@pytest.mark.parametrize("path", ["/auth/forgot", "/auth/sign-up"])
def test_who_cannot_be_written_to_now_is_told(client: FlaskClient, ann: str, open_house: None, path: str) -> None:
    answers = {client.post(path, data={"email": email}).status_code for email in (ANN, NEW)}
    assert answers == {503}


def test_25_a_forgotten_password(app: Flask, client: FlaskClient, ann: str, letters: Letters) -> None:
    enter(client)
    before = name_of(client)
    other = app.test_client()
    other.post("/auth/forgot", data={"email": " ANN@people.example "})
    path = letters.link_to(ANN)
    assert len(path.rpartition("/")[2]) == 43  # 256 bits in base64
    assert other.get(path).status_code == 200
    assert is_in(app, before)
    refused = other.post(path, data={"password": "password12"})
    assert (refused.status_code, 'class="error"' in refused.text) == (422, True)
    answer = other.post(path, data={"password": OTHER_PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/auth/sign-in")  # with it, and with a second factor
    assert not is_in(app, before)
    assert other.get(path).status_code == other.post(path, data={"password": PASSWORD}).status_code == 404
    assert enter(other, password=PASSWORD).status_code == 422
    assert enter(other, password=OTHER_PASSWORD).status_code == 303
    assert "password was changed" in str(letters.to(ANN).get_body(("plain",)))


def test_25_another_link_makes_the_one_before_worth_nothing(client: FlaskClient, ann: str, letters: Letters) -> None:
    paths = []
    for _ in range(2):
        client.post("/auth/forgot", data={"email": ANN})
        paths.append(letters.link_to(ANN))
    assert [client.get(path).status_code for path in paths] == [404, 200]


@pytest.mark.parametrize(
    ("purpose", "minutes"),
    [
        (Purpose.RESET, 30),
        (Purpose.VERIFY, 24 * 60),
        (Purpose.MAILBOX, 24 * 60),
        (Purpose.INVITE, 7 * 24 * 60),
        (Purpose.ADMIN, 24 * 60),
    ],
)
def test_25_links_end(engine: Engine, purpose: Purpose, minutes: int) -> None:
    with change(engine, by="test") as c:
        token = links.make(c, purpose)
        c.note("link.add", "", None, None)
        made = c.now
    with Session(engine) as session:
        assert links.find(session, token, purpose, made + timedelta(minutes=minutes, seconds=-1))
        with pytest.raises(links.NotFound):
            links.find(session, token, purpose, made + timedelta(minutes=minutes))
    with engine.begin() as connection:
        connection.execute(update(OneTimeLink).values(expires_at=datetime.now(UTC)))
    with change(engine, by="test") as c, pytest.raises(links.NotFound):
        links.use(c, token, purpose)


PAGES = {
    Purpose.RESET: "reset",
    Purpose.VERIFY: "verify",
    Purpose.INVITE: "invited",
    Purpose.ADMIN: "first",
}


@pytest.mark.parametrize("made", list(Purpose))
def test_33_a_link_is_good_for_one_thing(client: FlaskClient, engine: Engine, made: Purpose) -> None:
    with change(engine, by="test") as c:
        token = links.make(c, made, email=NEW)
        c.note("link.add", "", None, None)
    for purpose, page in PAGES.items():
        expected = 200 if purpose is made else 404
        assert client.get(f"/auth/{page}/{token}").status_code == expected
        if purpose is not made:
            assert client.post(f"/auth/{page}/{token}", data={**JOIN, "email": NEW}).status_code == 404


def test_33_a_link_dies_with_its_account(client: FlaskClient, engine: Engine, ann: str, letters: Letters) -> None:
    from smtpy.admin import members

    client.post("/auth/forgot", data={"email": ANN})
    path = letters.link_to(ANN)
    with change(engine, by="test") as c:
        members.off(c, ANN)
    assert client.post(path, data={"password": OTHER_PASSWORD}).status_code == 404


def test_45_links_never_name_the_host_that_was_asked(client: FlaskClient, ann: str, letters: Letters) -> None:
    other = {"Host": "localhost:9999", "X-Forwarded-Host": "evil.example"}
    client.post("/auth/forgot", data={"email": ANN}, headers=other)
    assert "http://localhost/auth/reset/" in letters.to(ANN).as_string()


def test_a_letter_is_as_rfc_5322_and_3834_have_it(client: FlaskClient, ann: str, letters: Letters) -> None:
    client.post("/auth/forgot", data={"email": ANN})
    message = letters.to(ANN)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"].addresses[0].addr_spec == "smtpy@mx.our.example"
    assert message["To"].addresses[0].addr_spec == ANN
    assert message["Message-ID"].endswith("@mx.our.example>")
    assert abs(message["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=1)
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert max(map(len, message.as_bytes().splitlines())) < 998


def test_28_five_letters_an_hour_to_one_address(limited: FlaskClient, letters: Letters) -> None:
    codes = [limited.post("/auth/forgot", data={"email": NEW}).status_code for _ in range(6)]
    assert codes == [200] * 5 + [429]

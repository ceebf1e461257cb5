"""API keys, and a member's data (WEB.md, section 4: statements 14, 16, 27, 30, 31, 33, 37, 43, 51)."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import aliases, api_keys, domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.admin.refusals import InTrash
from smtpy.store.accounts import ApiKey
from smtpy.store.schema import Alias, Audit, Domain, Mailbox, Role, User
from tests.web.accounts import ANN, PASSWORD, Letters, enter, is_in, name_of
from tests.web.conftest import SignIn
from tests.web.world import SECRET, World

FORM = {"name": "Password manager", "scopes": ["aliases:write", "domains:read"], "days": "30"}


@pytest.fixture
def house(engine: Engine, ann: str) -> None:
    """What Ann has, and Bob."""
    with change(engine, by="test", hostname="mx.our.example") as c:
        members.add(c, "bob@people.example")
        for who in ("ann", "bob"):
            mailboxes.add(c, f"{who}@inbox.example", owner=f"{who}@people.example", verified=True)
            domains.add(c, f"{who}.example", owner=f"{who}@people.example")
            aliases.add(c, f"shop@{who}.example", to=[f"{who}@inbox.example"], note=f"the shop of {who}")


def make_key(client: FlaskClient, **other: object) -> str:
    page = client.post("/settings/api-keys/new", data={**FORM, **other}).text
    found = re.search(r"smtpy[A-Za-z0-9]{46}", page)
    assert found is not None, page
    return found[0]


def test_27_a_key_is_shown_once_and_told(client: FlaskClient, engine: Engine, ann: str, letters: Letters) -> None:
    enter(client)
    key = make_key(client)
    assert key not in client.get("/settings/api-keys").text
    assert key[-4:] in client.get("/settings/api-keys").text
    assert "An API key was made" in str(letters.to(ANN).get_body(("plain",)))


def test_43_only_a_digest_of_a_key_is_kept(client: FlaskClient, engine: Engine, ann: str) -> None:
    enter(client)
    key = make_key(client)
    with engine.connect() as connection:
        for table in ("api_keys", "audit", "web_sessions"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()  # noqa: S608 - our own names
            assert key[5:45] not in str(rows)


@pytest.mark.parametrize(
    "form",
    [
        {"scopes": []},
        {"scopes": ["admin"]},
        {"scopes": ["aliases:write", "users:write"]},
        {"name": ""},
        {"name": "a\r\nb"},
        {"days": "0.5"},
        {"days": "99999"},
    ],
)
def test_31_a_key_may_do_what_there_is_to_do(
    client: FlaskClient, engine: Engine, ann: str, form: dict[str, object]
) -> None:
    enter(client)
    assert client.post("/settings/api-keys/new", data={**FORM, **form}).status_code == 422
    with Session(engine) as session:
        assert session.query(ApiKey).count() == 0


def test_20_a_key_opens_no_page_and_a_cookie_no_api(app: Flask, client: FlaskClient, ann: str) -> None:
    """An API comes with routes of its own, and with a test here that a session is nobody to it."""
    enter(client)
    key = make_key(client)
    for headers in ({"Authorization": f"Bearer {key}"}, {"Authentication": key}, {"X-Api-Key": key}):
        answer = app.test_client().get("/aliases", headers=headers)
        assert (answer.status_code, answer.location) == (303, "/auth/sign-in?next=/aliases")
    assert [str(rule) for rule in app.url_map.iter_rules() if re.match(r"/(api|rest)(/|$)", rule.rule)] == []


def test_a_revoked_key_opens_nothing(client: FlaskClient, engine: Engine, ann: str) -> None:
    enter(client)
    key = make_key(client)
    assert api_keys.verify(engine, key, datetime.now(UTC)) is not None
    uuid = re.search(r"api-keys/([0-9a-f-]{36})/revoke", client.get("/settings/api-keys").text)
    assert uuid is not None
    assert client.post(f"/settings/api-keys/{uuid[1]}/revoke").status_code == 303
    assert api_keys.verify(engine, key, datetime.now(UTC)) is None
    assert "Revoked" in client.get("/settings/api-keys").text


def exported(client: FlaskClient) -> dict[str, list[dict[str, object]]]:
    answer = client.post("/settings/data/export")
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


def test_all_that_is_theirs_is_taken_along_and_nothing_else(client: FlaskClient, engine: Engine, house: None) -> None:
    enter(client)
    key = make_key(client)
    data = exported(client)
    assert [row["address"] for row in data["aliases"]] == ["shop@ann.example"]
    assert [row["name"] for row in data["domains"]] == ["ann.example"]
    assert [row["address"] for row in data["mailboxes"]] == ["ann@inbox.example"]
    assert [row["email"] for row in data["account"]] == [ANN]
    assert [row["name"] for row in data["api_keys"]] == ["Password manager"]
    text = json.dumps(data)
    assert "bob" not in text
    assert key not in text
    assert "argon2" not in text
    with Session(engine) as session:
        assert session.query(Audit).filter_by(act="user.export").count() == 1


def test_43_no_secret_is_taken_along(world: World) -> None:
    data = exported(world.as_("owner"))
    assert data["messages"]
    assert data["passkeys"]
    assert SECRET not in json.dumps(data)


def test_51_two_exports_a_minute(app: Flask, limited: FlaskClient, ann: str) -> None:
    enter(limited)
    assert [limited.post("/settings/data/export").status_code for _ in range(3)] == [200, 200, 429]


def test_14_an_account_that_is_deleted_is_in_the_trash_with_all_it_has(
    app: Flask, client: FlaskClient, engine: Engine, house: None
) -> None:
    enter(client)
    key, name = make_key(client), name_of(client)
    assert client.post("/settings/data/delete", data={"email": "ann"}).status_code == 422
    answer = client.post("/settings/data/delete", data={"email": "ANN@people.example "})
    assert answer.location == "/auth/left"
    assert client.get("/auth/left").status_code == 200
    assert not is_in(app, name)
    assert enter(client).status_code == 422
    with Session(engine) as session:
        for table, column in ((User, User.email), (Alias, Alias.local), (Domain, Domain.name), (Mailbox, Mailbox.key)):
            kept = session.query(column).filter(table.deleted_at.is_(None)).all()
            assert len(kept) == 1, kept  # Bob's
        assert session.query(ApiKey).one().revoked_at is not None
    assert api_keys.verify(engine, key, datetime.now(UTC)) is None
    with change(engine, by="test", hostname="mx.our.example") as c, pytest.raises(InTrash):
        domains.add(c, "ann.example", owner="bob@people.example")
    with change(engine, by="test") as c:
        members.restore(c, ANN)
    assert enter(client, ANN, PASSWORD).status_code == 303


def test_the_last_administrator_stays(sign_in: SignIn, engine: Engine) -> None:
    browser = sign_in("root@people.example", role=Role.ADMIN)
    answer = browser.post("/settings/data/delete", data={"email": "root@people.example"})
    assert answer.status_code == 422
    assert "the only administrator" in answer.text

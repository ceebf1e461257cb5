"""The pages of an account take a bounded number of statements, however much there is."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from smtpy.admin import api_keys, members, sessions
from smtpy.admin.change import personal, reading
from smtpy.store.accounts import Passkey
from tests.queries import statements
from tests.web.accounts import ANN, enter

MOST = {"/settings": 6, "/settings/security": 10, "/settings/api-keys": 6, "/settings/data": 6}


@pytest.fixture
def much(engine: Engine, ann: str, client: FlaskClient) -> None:
    with personal(engine, by=f"web:{ANN}") as c:
        user = members.find(c.session, ANN)
        for number in range(15):
            row = Passkey(user_id=user.id, credential=bytes([number]), public=b"x", sign_count=0, name=str(number))
            c.session.add(row)
            api_keys.add(c, user.id, name=str(number), scopes=["aliases:read"], expires_at=None)
            c.note("user.confirm", f"user {ANN}", None, None)
    for _ in range(5):
        enter(client)
        client.delete_cookie("__Host-sid", domain="localhost")
    enter(client)


@pytest.mark.parametrize("path", MOST)
def test_a_page_asks_little(client: FlaskClient, engine: Engine, much: None, path: str) -> None:
    client.get(path)
    with statements(engine) as seen:
        assert client.get(path).status_code == 200
    assert len(seen) <= MOST[path], "\n".join(seen)


def test_signing_in_asks_little(client: FlaskClient, engine: Engine, much: None) -> None:
    with statements(engine) as seen:
        client.post("/auth/sign-out")
        enter(client)
    assert len(seen) <= 30, "\n".join(seen)
    with reading(engine) as session:
        assert sessions.of_member(session, members.find(session, ANN).id)

"""What tests of the pages of administrators share: an administrator, and counted questions to the database."""

from flask.testing import FlaskClient
from sqlalchemy import Engine

from smtpy.store.schema import Role
from tests.web.conftest import SignIn

ROOT = "root@people.example"


def admin(sign_in: SignIn, *, sudo: bool = True) -> FlaskClient:
    """The browser of an administrator who has just given a password."""
    return sign_in(ROOT, role=Role.ADMIN, sudo=sudo)


def acts(engine: Engine) -> list[tuple[str, str, str]]:
    """The audit trail: who, what, to which."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT actor, act, subject FROM audit ORDER BY id")]

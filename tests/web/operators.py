"""What tests of the pages of administrators share: an administrator, and counted questions to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from smtpy.store.schema import Role
from tests.web.conftest import SignIn

ROOT = "root@people.example"


def admin(sign_in: SignIn, *, sudo: bool = True) -> FlaskClient:
    """The browser of an administrator who has just given a password."""
    return sign_in(ROOT, role=Role.ADMIN, sudo=sudo)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are run within the block."""
    told: list[str] = []

    def note(*arguments: object) -> None:
        told.append(str(arguments[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", note)


def acts(engine: Engine) -> list[tuple[str, str, str]]:
    """The audit trail: who, what, to which."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT actor, act, subject FROM audit ORDER BY id")]

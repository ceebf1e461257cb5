"""The real application on a migrated database: `app`, `client`, and people who are signed in.

That is SQLite. With `--web-on postgresql` all tests here run on PostgreSQL; those that are ON_BOTH do so always: they
read every page and send every form.
"""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from smtpy.admin import members, sessions
from smtpy.admin.change import change
from smtpy.config import Settings, judge
from smtpy.store import migrate
from smtpy.store.engine import open_engine
from smtpy.store.schema import Role, User
from tests.postgres import Postgres
from web import create_app, limits
from web.sessions import COOKIE

ORIGIN = "http://localhost"
SignIn = Callable[..., FlaskClient]
ON_BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


class Compiled(BytecodeCache):
    """Templates as Jinja has compiled them, since each test has an application of its own, which would do it again."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if found := self.known.get(bucket.key):
            bucket.bytecode_from_string(found)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.known[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session", autouse=True)
def compiled() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "jinja_options", {"bytecode_cache": Compiled()})
        yield


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "smtpy.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Postgres) -> str:
    url = postgres_server.new_database(kept=True)
    _migrate(url)
    return make_url(url).database or ""


def _migrate(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """sqlite or postgresql."""
    return str(getattr(request, "param", request.config.getoption("web_on")))


@pytest.fixture
def settings(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Settings:
    """Settings of a test's own, with a database at the head of its migrations."""
    if database == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return settings_in(tmp_path, server.new_database(request.getfixturevalue("postgres_template")))
    shutil.copy(request.getfixturevalue("database_template"), tmp_path / "smtpy.db")
    return settings_in(tmp_path)


def settings_in(folder: Path, database_url: str = "") -> Settings:
    """Settings whose database, unless it is elsewhere, sockets and files lie in that folder."""
    secrets = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)
    names = {"hostname": "mx.our.example", "postmaster": "postmaster@inbox.example", "web_origin": ORIGIN}
    nobody = dict.fromkeys(("dns_servers", "check_resolvers"), "127.0.0.1:9") | {"dns_timeout_seconds": 0.1}
    where = {"state_dir": str(folder), "run_dir": str(folder / "run")}
    where |= {"database_url": database_url} if database_url else {}
    return judge({**secrets, **names, **nobody, **where})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    opened = open_engine(settings.database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def app(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application as gunicorn has it, without CSRF tokens and limits: test_csrf.py and test_limits.py have them."""
    monkeypatch.setattr(limits.limiter, "enabled", True)  # or this application would never count
    made = create_app(settings, engine)
    made.config.update(WTF_CSRF_ENABLED=False)
    monkeypatch.setattr(limits.limiter, "enabled", False)
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, engine: Engine) -> SignIn:
    """A browser in which somebody is signed in, who is added if need be: `sign_in("ann@people.example")`."""

    def browser(email: str = "ann@people.example", *, role: Role = Role.USER, sudo: bool = True) -> FlaskClient:
        with Session(engine) as session:
            known = session.query(User).filter_by(email=email).one_or_none()
        if known is None:
            with change(engine, by="test") as c:
                members.add(c, email, role=role)
        with Session(engine) as session:
            user = session.query(User).filter_by(email=email).one()
            now = datetime.now(UTC)
            visit = sessions.Visit(sessions.new_sid(), member=sessions.member_of(user))
            visit.authenticated_at = now if sudo else None
        sessions.save(engine, visit, client="", agent="test", now=now)
        made = app.test_client()
        made.set_cookie(COOKIE, visit.sid, domain="localhost", secure=True)
        return made

    return browser

"""A small world for tests of all routes, as a pytest plugin: `world.as_("owner")`, and one of each thing, the owner's.

Ann owns what there is, Bob is another member, Root an administrator. It is built once for each kind of database, and
copied for each test.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from smtpy.admin import aliases, automatics, domains, mailboxes, members, sessions
from smtpy.admin.change import change
from smtpy.config import Settings
from smtpy.store.accounts import Announcement, ApiKey, OneTimeLink, Passkey, Purpose
from smtpy.store.engine import open_engine
from smtpy.store.rows import Delivery, Entry, write
from smtpy.store.schema import AliasTag, Role, SigningKey, Tag, User
from smtpy.terms import vault_of
from tests.postgres import Postgres
from tests.web.routes import Route
from web import create_app, limits
from web.sessions import COOKIE

PEOPLE = {"owner": "ann@people.example", "other": "bob@people.example", "admin": "root@people.example"}
ANONYMOUS = "anonymous"
MOST = 2  # worlds of one test at the same time
SECRET = "CANARY"  # begins every secret of this world
Things = dict[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """`things` are the owner's: by what they are, their id in URLs."""

    app: Flask
    engine: Engine
    things: Things
    lose_database: Callable[[], None]  # away without a word

    def as_(self, who: str, *, sudo: bool = True) -> FlaskClient:
        """The browser of somebody; of nobody: `anonymous`."""
        client = self.app.test_client()
        if who != ANONYMOUS:
            client.set_cookie(COOKIE, sid(who, sudo=sudo), domain="localhost", secure=True)
        return client


def rightful(route: Route) -> str:
    """Who may call it, of those who may."""
    return "admin" if route.access == "admin_only" else "owner"


def sid(who: str, *, sudo: bool = True) -> str:
    """The name of their session."""
    return f"{SECRET}-sid-{who}-{'sudo' if sudo else 'stale'}"


@pytest.fixture(scope="session")
def world_template(database_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Things]:
    path = tmp_path_factory.mktemp("world") / "smtpy.db"
    path.write_bytes(database_template.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    things = populate(engine)
    engine.dispose()
    return path, things


@pytest.fixture(scope="session")
def world_in_postgres(postgres_server: Postgres, postgres_template: str) -> tuple[str, Things]:
    """The same as the name of a database."""
    url = postgres_server.new_database(postgres_template, kept=True)
    engine = open_engine(url)
    things = populate(engine)
    engine.dispose()
    return make_url(url).database or "", things


@pytest.fixture
def build_world(
    request: pytest.FixtureRequest, database: str, settings: Settings, engine: Engine
) -> Iterator[Callable[..., World]]:
    """`build_world(web_origin=...)`: the application as gunicorn has it, with CSRF and rate limits as they are."""
    opened = []

    def in_file(**other: Any) -> World:
        path, things = request.getfixturevalue("world_template")
        file = Path(engine.url.database or "")
        engine.dispose()
        for each in (f"{file}-wal", f"{file}-shm"):
            Path(each).unlink(missing_ok=True)
        shutil.copy(path, file)
        return World(create_app(settings.model_copy(update=other), engine), engine, things, file.unlink)

    def on_server(**other: Any) -> World:
        server: Postgres = request.getfixturevalue("postgres")
        template, things = request.getfixturevalue("world_in_postgres")
        url = server.new_database(template)
        another = open_engine(url)
        opened.append(another)
        if len(opened) > MOST:
            earliest = opened.pop(0)
            earliest.dispose()
            server.drop(earliest.url.render_as_string(hide_password=False))
        app = create_app(settings.model_copy(update={"database_url": url, **other}), another)
        return World(app, another, things, partial(server.drop, url))

    yield on_server if database == "postgresql" else in_file
    for each in opened:
        each.dispose()


@pytest.fixture
def world(build_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> World:
    """The same without CSRF tokens and limits, for tests of what lies behind them."""
    built = build_world()
    built.app.config.update(WTF_CSRF_ENABLED=False)
    monkeypatch.setattr(limits.limiter, "enabled", False)
    return built


def populate(engine: Engine) -> Things:
    """People and what they have. What has no act of its own yet is written as rows."""
    from tests.web.conftest import settings_in

    vault = vault_of(settings_in(Path("/nowhere")))
    with change(engine, by="test", vault=vault, hostname="mx.our.example") as c:
        for who, email in PEOPLE.items():
            members.add(c, email, name=who.title(), role=Role.ADMIN if who == "admin" else Role.USER)
        mailbox = mailboxes.add(c, "ann@inbox.example", owner=PEOPLE["owner"], verified=True)
        spare = mailboxes.add(c, "spare@inbox.example", owner=PEOPLE["owner"], verified=False)
        domain = domains.add(c, "ann.example", owner=PEOPLE["owner"])
        alias = aliases.add(c, "shop@ann.example", to=[mailbox.uuid], note="the shop")
        automatic = automatics.add(c, "ann.example", "x-.*", to=[mailbox.uuid])
        c.session.flush()
        rows = _rows(c.session)
        key = c.session.query(SigningKey).filter_by(domain_id=domain.id).first()
        c.session.add(AliasTag(alias_id=alias.id, tag_id=rows["tag"].id))
    message = _message(engine, alias.id)
    _visits(engine)
    assert key is not None
    uuids = {name: row.uuid for name, row in rows.items()}
    return uuids | {
        "alias": alias.uuid,
        "automatic": automatic.uuid,
        "domain": domain.uuid,
        "domain_name": domain.name,
        "mailbox": mailbox.uuid,
        "unverified_mailbox": spare.uuid,
        "message": message,
        "selector": key.selector,
        "signing_key": key.uuid,
        "session": _session_of(engine),
    }


def _rows(session: Session) -> dict[str, Any]:
    ann = session.query(User).filter_by(email=PEOPLE["owner"]).one()
    now = datetime.now(UTC)
    link = {"digest": "0" * 64, "purpose": Purpose.INVITE, "email": "new@people.example", "role": Role.USER}
    made: dict[str, Any] = {
        "user": ann,
        "tag": Tag(owner_id=ann.id, name="shops"),
        "passkey": Passkey(user_id=ann.id, credential=b"credential", public=b"public", sign_count=0, name="laptop"),
        "api_key": ApiKey(user_id=ann.id, digest="1" * 64, tail="abcd", name="Bitwarden", scopes=[]),
        "invitation": OneTimeLink(**link, created_by=PEOPLE["admin"], expires_at=now + timedelta(days=7)),
        "announcement": Announcement(text="Maintenance on Sunday", level="info", shown_from=now),
    }
    session.add_all(made.values())
    session.flush()
    return made


def _message(engine: Engine, alias_id: int) -> str:
    delivery = Delivery(
        "shop@ann.example", "shop@ann.example", alias_id, "forward", ("ann@inbox.example",), "exact alias"
    )
    entry = Entry(
        *(str(uuid4()), datetime.now(UTC), "front", "4F2x", None, "192.0.2.1", "shop@elsewhere.example"),
        *("<1@elsewhere.example>", 1000, "accept", "exact alias", 900, (delivery,)),
    )
    with engine.begin() as connection:
        write(connection, [entry])
    return entry.uuid


def _visits(engine: Engine) -> None:
    now = datetime.now(UTC)
    for who, email in PEOPLE.items():
        with Session(engine) as session:
            member = sessions.member_of(session.query(User).filter_by(email=email).one())
        for is_sudo in (True, False):
            visit = sessions.Visit(sid(who, sudo=is_sudo), member=member)
            visit.authenticated_at = now if is_sudo else None
            sessions.save(engine, visit, client="192.0.2.0", agent="Firefox", now=now)


def _session_of(engine: Engine) -> str:
    """The owner's other session, not the one that asks."""
    visit = sessions.open_visit(engine, sid("owner", sudo=False), datetime.now(UTC))
    assert visit is not None
    assert visit.uuid is not None
    return visit.uuid

"""Databases of both kinds, a name server on loopback, and settings that use them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from smtpy.admin import domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.config import Settings, judge
from smtpy.store.schema import Role
from smtpy.terms import vault_of
from tests.admin.conftest import engine, sqlite_template, template  # noqa: F401 - fixtures
from tests.dns import Zone
from tests.nameserver import Nameserver

ANN, INBOX, HOST = "ann@people.example", "ann@inbox.example", "mx.smtpy.example"

Settle = Callable[..., Settings]


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    """A name server whose zone the test may change."""
    with Nameserver(Zone({HOST: {"A": ["198.51.100.25"]}})) as server:
        yield server


@pytest.fixture
def settle(engine: Engine, nameserver: Nameserver, tmp_path: Path) -> Settle:  # noqa: F811
    """Makes settings of this database and name server; takes others."""

    def settled(**others: Any) -> Settings:
        values = {
            "hostname": HOST,
            "postmaster": "postmaster@inbox.example",
            "database_url": engine.url.render_as_string(hide_password=False),
            "state_dir": str(tmp_path),
            "run_dir": str(tmp_path),
            "secret_keys": ["k" * 32],
            "srs_secrets": ["s" * 32],
            "encryption_keys": ["e" * 32],
            "check_resolvers": [f"{nameserver.host}:{nameserver.port}"],
        }
        return judge(values | others)

    return settled


@pytest.fixture
def settings(settle: Settle) -> Settings:
    """The usual ones."""
    return settle()


@pytest.fixture
def house(engine: Engine, settings: Settings) -> Engine:  # noqa: F811
    """A database with our.example and a mailbox."""
    with change(engine, by="test", hostname=HOST, vault=vault_of(settings)) as c:
        members.add(c, ANN, name="", role=Role.ADMIN)
        mailboxes.add(c, INBOX, owner=ANN, verified=True)
        domains.add(c, "our.example", owner=ANN)
    return engine

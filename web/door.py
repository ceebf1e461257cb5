"""The one way from a request to rows: `reading()` and `change()` of `smtpy.admin`, as whoever is signed in.

A member sees and changes their own. `operating()` and `governing()` are for the pages of administrators, who see
everything; every such change bears their name in the audit trail, as all others do.
"""

import ipaddress
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, current_app, request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import change as admin_change
from smtpy.admin.change import Change
from smtpy.admin.scope import Viewer
from smtpy.admin.sessions import Member
from smtpy.config import Settings
from smtpy.store.directory import SqlDirectory
from smtpy.terms import vault_of
from smtpy.vault import Vault
from web import sessions

_NAME = "smtpy"


@dataclass(frozen=True, slots=True)
class House:
    """What the application works with."""

    settings: Settings
    engine: Engine
    vault: Vault


def open_(app: Flask, settings: Settings, engine: Engine) -> None:
    """Give the application what it works with."""
    app.extensions[_NAME] = House(settings, engine, vault_of(settings))


def house() -> House:
    """What the application that answers this request works with."""
    found: House = current_app.extensions[_NAME]
    return found


def settings() -> Settings:
    """The settings in force."""
    return house().settings


def engine() -> Engine:
    """The database."""
    return house().engine


def now() -> datetime:
    """An aware UTC time."""
    return datetime.now(UTC)


def member() -> Member:
    """Who is signed in; only where `web.auth` has seen to it that somebody is."""
    found = sessions.visit().member
    if found is None:
        raise RuntimeError("nobody is signed in here: the page lacks a decorator of web.auth")
    return found


def client() -> str:
    """The address of the browser, cut to its network (/24, /48): enough to recognise, too little to follow somebody."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)


def reading() -> AbstractContextManager[Session]:
    """A session that sees what the member may see."""
    return admin_change.reading(engine(), Viewer(member().id))


def change() -> AbstractContextManager[Change]:
    """An open change by the member, of what is theirs."""
    return _change(member().email, Viewer(member().id))


def operating() -> AbstractContextManager[Session]:
    """A session that sees everything: for administrators, and for what happens before anybody is signed in."""
    return admin_change.reading(engine())


def governing(by: str | None = None) -> AbstractContextManager[Change]:
    """An open change of anything; by the administrator who is signed in unless it is somebody else's act."""
    return _change(by or member().email, None)


def personal(by: str | None = None) -> AbstractContextManager[Change]:
    """An open change of how somebody signs in: by the member of what is theirs, or by who is about to come in."""
    here = house()
    viewer = Viewer(member().id) if by is None else None
    return admin_change.personal(
        here.engine,
        by=f"web:{by or member().email}",
        vault=here.vault,
        viewer=viewer,
        client=client() or None,
    )


def tending() -> AbstractContextManager[Change]:
    """An open change by the administrator of what the mail path never asks: audited, and no cache is emptied."""
    return personal(member().email)


def _change(by: str, viewer: Viewer | None) -> AbstractContextManager[Change]:
    here = house()
    return admin_change.change(
        here.engine,
        by=f"web:{by}",
        hostname=here.settings.hostname,
        vault=here.vault,
        viewer=viewer,
        client=client() or None,
    )


def directory() -> SqlDirectory:
    """What the mail path would be told, asked anew."""
    return SqlDirectory(engine(), settings().srs_max_age_days)


def hosts_of(settings: Settings) -> list[str]:
    """The host names by which the pages may be asked for; what links in mail name is never the asker's choice."""
    return [urlsplit(settings.web_origin).hostname or "", "localhost", "127.0.0.1", "[::1]"]

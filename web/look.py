"""What templates need to show things: times in words, sizes, addresses, names of static files with their version."""

import hashlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel import dates, numbers
from flask import Flask, url_for
from markupsafe import Markup, escape

from smtpy.admin.read import TURNING
from web import door, sessions
from web.i18n import locale

STATIC = Path(__file__).parent / "static"


def init_app(app: Flask) -> None:
    """Filters and globals."""
    app.jinja_env.finalize = steady
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(ago=ago, iso=iso, number=number, octets=octets, address=address, clock=clock)
    app.jinja_env.globals.update(static=static, now=door.now, settings=door.settings, visit=sessions.visit)


def steady(value: Any) -> Any:
    """What any template shows: what others have written, years ago or in a log, turns nothing on the page round."""
    if not isinstance(value, str) or value.isascii() or not TURNING.search(value):
        return value
    shown = TURNING.sub("\ufffd", value)
    return Markup(shown) if isinstance(value, Markup) else shown  # noqa: S704 - it was so before


def ago(value: datetime) -> str:
    """How long ago, or in how long, in words."""
    return dates.format_timedelta(value - datetime.now(UTC), add_direction=True, locale=locale())


def clock(value: datetime) -> str:
    """The time of day, UTC, to the second."""
    return value.astimezone(UTC).strftime("%H:%M:%S")


def iso(value: datetime) -> str:
    """For machines, and for people who hover."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """With the reader's separators."""
    return numbers.format_decimal(value, locale=locale())


def octets(value: int) -> str:
    """A size for people."""
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if value >= size:
            return f"{numbers.format_decimal(round(value / size, 1), locale=locale())} {unit}"
    return f"{value} B"


def address(value: str) -> Markup:
    """An address that may be broken behind its local part."""
    local, at, domain = value.rpartition("@")
    return Markup("{}<wbr>{}{}").format(local, at, domain) if at else escape(value)


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def static(name: str) -> str:
    """The URL of a static file; another content has another URL, so browsers may keep it for good."""
    return url_for("static", filename=name, v=_version(name))


def fields_of(view: Any) -> dict[str, Any]:
    """A view as a dictionary."""
    return {name: getattr(view, name) for name in view.__slots__}

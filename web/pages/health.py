"""For orchestrators: is the process alive (`/livez`), and can it work (`/readyz`)? Plain text, no session."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from smtpy.doctor.readiness import lacking
from web import door
from web.auth import public

pages = Blueprint("health", __name__)

TEXT = {"Content-Type": "text/plain; charset=utf-8"}


@pages.get("/livez")
@public
def livez() -> ResponseReturnValue:
    """It answers."""
    return "ok\n", 200, TEXT


@pages.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """503 if no page can work. A part that is missing is a line, whether pages need it or not."""
    lacks = lacking(door.engine(), door.settings())
    lines = [f"{lack.part}: {lack.why}" for lack in lacks] or ["ok"]
    return "\n".join([*lines, ""]), 503 if any(lack.fatal for lack in lacks) else 200, TEXT

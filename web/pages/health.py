"""For orchestrators: is the process alive (`/livez`), and can it work (`/readyz`)? Plain text, no session."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from smtpy.directory.questions import Unavailable
from smtpy.store import migrate
from web import door
from web.auth import public

pages = Blueprint("health", __name__)


@pages.get("/livez")
@public
def livez() -> ResponseReturnValue:
    """It answers."""
    return "ok\n", 200, {"Content-Type": "text/plain; charset=utf-8"}


@pages.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """The database answers, and is what this version needs."""
    try:
        ready = migrate.current(door.engine()) == migrate.head()
    except Unavailable:
        ready = False
    return "ok\n" if ready else "database\n", 200 if ready else 503, {"Content-Type": "text/plain; charset=utf-8"}

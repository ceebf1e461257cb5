"""Putting an announcement away."""

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue

from smtpy.admin import announcements
from web import door
from web.auth import signed_in, way_back

pages = Blueprint("announcements", __name__)


@pages.post("/announcements/<uuid:announcement>/dismiss")
@signed_in
def dismiss(announcement: str) -> ResponseReturnValue:
    """Show it to this member no more."""
    announcements.dismiss(door.engine(), str(announcement), door.member().id)
    return redirect(way_back(), 303)

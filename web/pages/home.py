"""The first page: what happens to a member's mail, at a glance."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from web.auth import signed_in

pages = Blueprint("home", __name__)


@pages.get("/")
@signed_in
def dashboard() -> ResponseReturnValue:
    """The dashboard."""
    return render_template("home/dashboard.html")

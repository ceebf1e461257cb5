"""What other programs look for at fixed places: robots.txt, security.txt (RFC 9116), where to change a password."""

from datetime import timedelta

from flask import Blueprint, current_app, redirect, url_for
from flask.typing import ResponseReturnValue

from web import door
from web.auth import public

pages = Blueprint("wellknown", __name__)

TEXT = {"Content-Type": "text/plain; charset=utf-8"}
GOOD_FOR = timedelta(days=180)  # RFC 9116 section 2.5.5: less than a year


@pages.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Nothing here is for search engines."""
    return "User-agent: *\nDisallow: /\n", 200, TEXT


@pages.get("/.well-known/security.txt")
@public
def security() -> ResponseReturnValue:
    """Whom to tell of a hole."""
    settings = door.settings()
    lines = (
        f"Contact: mailto:{settings.postmaster}",
        f"Expires: {door.now() + GOOD_FOR:%Y-%m-%dT00:00:00Z}",
        "Preferred-Languages: en",
        f"Canonical: {settings.web_origin}/.well-known/security.txt",
    )
    return "\n".join([*lines, ""]), 200, TEXT


@pages.get("/.well-known/change-password")
@public
def change_password() -> ResponseReturnValue:
    """Where password managers send people (W3C, A Well-Known URL for Changing Passwords)."""
    there = next((each for each in ("settings.security", "settings.profile") if each in current_app.view_functions), "")
    return redirect(url_for(there or "home.dashboard"), 302)

"""Signing in and out, and everything that leads to it: second factors, passkeys, links that were sent."""

from flask import Blueprint

pages = Blueprint("signing", __name__, url_prefix="/auth")

from web.pages.signing import doors, links  # noqa: E402, F401 - they hang their views on `pages`

"""What members choose for themselves: profile, how they sign in, keys of programs, their data."""

from flask import Blueprint

pages = Blueprint("settings", __name__, url_prefix="/settings")

from web.pages.settings import data, factors, keys, profile, security  # noqa: E402, F401 - they hang their views on `pages`

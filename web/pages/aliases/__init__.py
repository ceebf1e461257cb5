"""A member's aliases: the list and what is done from it, a new one, and all about one.

The modules hang their views on `pages`: `lists`, `acts` on one or many with their undo, `making`, `one`.
"""

from flask import Blueprint

pages = Blueprint("aliases", __name__, url_prefix="/aliases")

from web.pages.aliases import acts, lists, making, one  # noqa: E402, F401 - they hang their views on `pages`

"""A form that comes too late: its session has ended, or it is from before they signed in. What was typed is not lost.

The answer has it in hidden fields, and in a session of theirs a token that is good; nothing is done before its reader
says so. Only what the browser says comes from a page of ours is given back, so that no other site puts words before
somebody; never what is secret, and no files.
"""

from http import HTTPStatus

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from web import sessions
from web.auth import ACCESS, safe_next, way_back
from web.i18n import _

SECRET = {"password", "code", "credential"}  # names of fields
MAX_KEPT = 100_000  # characters


def page() -> ResponseReturnValue:
    """Says what happened, and has what was typed."""
    fields, stranger = _kept(), sessions.visit().member is None
    if not _is_ours() or not (fields or stranger):
        title, words = _("This form has expired"), _("Go back, load the page again, and send it once more.")
        return render_template("error.html", status=400, title=title, words=words), HTTPStatus.BAD_REQUEST
    where = {"action": safe_next(request.full_path.rstrip("?")), "back": way_back()}
    return render_template("late.html", fields=fields, stranger=stranger, **where), HTTPStatus.BAD_REQUEST


def _is_ours() -> bool:
    """Whether it comes from one of our pages that only members see."""
    view = current_app.view_functions.get(request.endpoint or "")
    return request.headers.get("Sec-Fetch-Site") == "same-origin" and getattr(view, ACCESS, "public") != "public"


def _kept() -> list[tuple[str, str]]:
    fields = [each for each in request.form.items(multi=True) if each[0] != "csrf_token"]
    secret = any(name in SECRET for name, _value in fields) or any(each.filename for each in request.files.values())
    return [] if secret or sum(len(value) for _name, value in fields) > MAX_KEPT else fields

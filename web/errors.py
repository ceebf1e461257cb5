"""Refusals and outages as pages: one table for the status, the words come with them. No answer shows a traceback."""

import logging
import secrets

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from smtpy.admin.outages import Away, Closed, NotReady, Outage, named
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, Invalid, NotFound, Refusal
from web import late, sessions
from web.i18n import _
from web.told import told

STATUS: dict[type[Exception], int] = {
    NotFound: 404,
    Invalid: 422,
    AlreadyThere: 409,
    InTrash: 409,
    InUse: 409,
    Away: 503,
    NotReady: 503,
    Closed: 503,
}
log = logging.getLogger("smtpy.web")


def init_app(app: Flask) -> None:
    """Have every error answered by a page."""
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(Outage, out)
    app.register_error_handler(CSRFError, unbelieved)
    app.register_error_handler(HTTPException, stopped)
    app.register_error_handler(Exception, failed)


def page(status: int, title: str, words: str) -> ResponseReturnValue:
    """An error page."""
    return render_template("error.html", status=status, title=title, words=words), status


def refused(refusal: Refusal) -> ResponseReturnValue:
    """What does not exist is told in the same words, whether it is somebody else's or nobody's."""
    if isinstance(refusal, NotFound):
        return page(404, _("Not found"), _("There is nothing here, or it is not yours."))
    return page(STATUS[type(refusal)], _("That cannot be done"), told(refusal.message))


def out(outage: Outage) -> ResponseReturnValue:
    """The database is away: mail goes on, and so will this."""
    log.warning("%s %s: %s", request.method, request.url_rule, outage)
    sessions.current().outage = outage  # nothing of this answer asks again, and waits again
    answer = make_response(page(503, _("Not now"), _("The database does not answer. Mail goes on; try again soon.")))
    answer.headers["Retry-After"] = "10"
    return answer


def unbelieved(error: CSRFError) -> ResponseReturnValue:
    """A form that does not come from a page of ours, or from one of another session: web/late.py."""
    return late.page()


def stopped(error: HTTPException) -> ResponseReturnValue:
    """404, 405, 413, 429 and the like; and what came after the view, as an outage while the session was kept."""
    outage = getattr(error, "original_exception", None)
    if isinstance(outage, Outage):
        return out(outage)
    titles = {
        400: (_("Not like this"), _("This page does not take that kind of request.")),
        404: (_("Not found"), _("There is nothing here, or it is not yours.")),
        405: (_("Not like this"), _("This page does not take that kind of request.")),
        413: (_("Too large"), _("That is more than is taken at once.")),
        429: (_("Slow down"), _("Too many tries. Wait a little, then go on.")),
    }
    if isinstance(error, SecurityError):  # asked for by a name that is not ours: no page, whose links would bear it
        return "Bad Request\n", 400, {"Content-Type": "text/plain; charset=utf-8"}
    if isinstance(error.response, Response) or (error.code or 500) < 400:
        return error.get_response()
    title, words = titles.get(error.code or 500, (_("That cannot be done"), _("The server could not do this.")))
    answer = make_response(page(error.code or 500, title, words))
    for name, value in error.get_headers():
        if name in ("Retry-After", "Allow"):
            answer.headers[name] = value
    return answer


def failed(error: Exception) -> ResponseReturnValue:
    """The edge of the process: what the database has against answering is an outage, the rest a defect of ours."""
    try:
        with named():
            raise error
    except Outage as outage:
        return out(outage)
    except Exception:
        number = secrets.token_hex(4)
        # Not the path: links that sign in are paths.
        log.exception("defect=%s: %s %s failed", number, request.method, request.url_rule)
    words = _("The fault is ours, and it is in the log as %(number)s. Nothing was changed.", number=number)
    return page(500, _("That went wrong"), words)

"""The session cookie: `__Host-sid` holds a name that says nothing; what belongs to it is in the database.

Flask's `session` is the `data` of smtpy.admin.sessions.Visit. Nothing is written before a page keeps something, so that
robots leave no rows; and a session that is renewed gets another name, the old one ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Request, Response, g, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from smtpy.admin import sessions
from smtpy.admin.outages import Outage, named
from smtpy.admin.sessions import Member, Visit
from web import door

COOKIE = "__Host-sid"
MAX_COOKIE = 64
# The same to everybody, and there while the database is away; Flask opens sessions before it knows the view.
SESSIONLESS = (
    *("/static/", "/livez", "/readyz", "/offline", "/manifest.webmanifest", "/sw.js", "/robots.txt"),
    "/.well-known/security.txt",
)


class WebSession(CallbackDict[str, Any], SessionMixin):
    """Flask's session on a visit. `old` is the name it had before it was renewed, `entered`: because of a sign-in.

    `outage`: the database was away.
    """

    def __init__(self, visit: Visit, *, is_new: bool) -> None:
        super().__init__(visit.data, self._touched)
        self.visit = visit
        self.new = is_new
        self.modified = False
        self.accessed = True
        self.old = ""
        self.entered = False
        self.outage: Outage | None = None

    def _touched(self, _: object) -> None:
        self.modified = True


class Sessions(SessionInterface):
    """Opens a session for each request, and keeps it at its end if it has changed."""

    def open_session(self, app: Flask, request: Request) -> WebSession:
        sid = request.cookies.get(COOKIE, "")
        known, away = None, None
        if sid and len(sid) <= MAX_COOKIE and not request.path.startswith(SESSIONLESS):
            try:
                with named():
                    known = sessions.open_visit(_engine(app), sid, datetime.now(UTC))
            except Outage as outage:  # nobody listens yet: it is told by `init_app`'s part
                away = outage
        opened = WebSession(known or Visit(sessions.new_sid()), is_new=known is None)
        opened.outage = away
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, WebSession)  # noqa: S101 - open_session makes no other
        if request.path.startswith(SESSIONLESS):
            return
        response.vary.add("Cookie")
        if session.outage is None:
            with _told(session), named():
                self._keep(app, session, response)

    def _keep(self, app: Flask, session: WebSession, response: Response) -> None:
        was_there = bool(session.old) and sessions.close(_engine(app), session.old)
        if session.get("ended"):
            response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax")
            return
        if not session.modified or (session.new and not session and session.visit.member is None):
            return
        if session.old and not (was_there or session.entered):
            return  # it was ended while they confirmed that it is them
        visit = session.visit
        visit.data = dict(session)
        told: dict[str, Any] = {"client": door.client(), "agent": request.headers.get("User-Agent", "")}
        known = not (session.new or session.old)
        kept = sessions.save(_engine(app), visit, now=datetime.now(UTC), known=known, **told)
        if kept and not known:
            response.set_cookie(COOKIE, visit.sid, secure=True, httponly=True, samesite="Lax", path="/")


@contextmanager
def _told(session: WebSession) -> Iterator[None]:
    """Once it is known that the session cannot be kept, the page that says so does not try again."""
    try:
        yield
    except Outage as outage:
        session.outage = outage
        raise


def init_app(app: Flask) -> None:
    """Sessions of ours; where one cannot be read, the answer is that, and not a page for strangers."""
    app.session_interface = Sessions()

    @app.before_request
    def refuse() -> None:
        if (outage := current().outage) is not None:
            raise outage


def _engine(app: Flask) -> Any:
    return app.extensions["smtpy"].engine


def current() -> WebSession:
    """The session of this request."""
    from flask import session  # the proxy

    found = session._get_current_object()  # type: ignore[attr-defined]  # werkzeug's own name
    assert isinstance(found, WebSession)  # noqa: S101 - what open_session gave
    return found


def visit() -> Visit:
    """Who came, as far as is known."""
    return current().visit


def enter(member: Member, now: datetime) -> None:
    """Sign in: another name for the session, and nothing of what it held before."""
    session = current()
    session.clear()
    _renew(session)
    session.entered = True
    session.visit.member, session.visit.authenticated_at, session.visit.created_at = member, now, now
    g.pop("_login_user", None)


def step_up(now: datetime) -> None:
    """They have shown again who they are: another name, and what is dangerous is open for a while."""
    session = current()
    session.visit.authenticated_at = now
    _renew(session)


def leave() -> None:
    """Sign out: the session ends, here and in the database."""
    session = current()
    session.clear()
    session.old = session.visit.sid
    session["ended"] = True
    session.visit.member = None
    g.pop("_login_user", None)


def _renew(session: WebSession) -> None:
    session.old = "" if session.new else session.visit.sid
    session.visit.sid = sessions.new_sid()
    session.modified = True

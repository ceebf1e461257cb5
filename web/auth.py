"""Who may call which page. Each view bears exactly one of `public`, `signed_in`, `sudo` and `admin_only`.

Flask-Login knows the member of the session; sessions themselves are ours (web.sessions). To somebody who may not see it
an administrator's page does not exist: 404.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin

from smtpy.admin.sessions import Member
from web import door, sessions

ACCESS = "access"  # the attribute of a view that says which of these it bears

View = TypeVar("View", bound=Callable[..., Any])


class User(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """What Flask-Login and templates (`current_user`) see."""

    def __init__(self, member: Member) -> None:
        self.member = member

    def get_id(self) -> str:
        return self.member.uuid

    def __getattr__(self, name: str) -> Any:
        return getattr(self.member, name)


def init_app(app: Flask) -> None:
    """Have Flask-Login ask our session."""
    manager = LoginManager()
    manager.session_protection = None  # the session is the database's, not the cookie's
    manager.init_app(app)

    @manager.request_loader  # type: ignore[untyped-decorator]
    def load(_: Any) -> User | None:
        found = sessions.visit().member
        return User(found) if found else None


def _marked(view: View, access: str) -> View:
    setattr(view, ACCESS, access)
    return view


def public(view: View) -> View:
    """Anybody may."""
    return _marked(view, "public")


def signed_in(view: View) -> View:
    """Whoever is signed in; others are asked to."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        if sessions.visit().member is None:
            return ask_to_sign_in()
        answer: ResponseReturnValue = view(*arguments, **named)
        return answer

    return _marked(cast("View", guarded), "signed_in")


def sudo(view: View) -> View:
    """Whoever has shown within the last minutes who they are; others are asked again."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        if not sessions.visit().is_sudo(door.now()):
            return redirect(url_for("signing.confirm", next=way_back()), 303)
        answer: ResponseReturnValue = view(*arguments, **named)
        return answer

    return _marked(cast("View", signed_in(guarded)), "sudo")


def admin_only(view: View) -> View:
    """Administrators; for everybody else it is not there. What they change takes `sudo` on top."""

    @wraps(view)
    def guarded(*arguments: Any, **named: Any) -> ResponseReturnValue:
        if not door.member().is_admin:
            abort(404)
        if request.method != "GET" and not sessions.visit().is_sudo(door.now()):
            return redirect(url_for("signing.confirm", next=way_back()), 303)
        answer: ResponseReturnValue = view(*arguments, **named)
        return answer

    return _marked(cast("View", signed_in(guarded)), "admin_only")


def ask_to_sign_in() -> ResponseReturnValue:
    """To the sign-in page, and back here afterwards."""
    return redirect(url_for("signing.sign_in", next=way_back()), 303)


def way_back() -> str:
    """The page to come back to: this one, or where a form was that cannot be sent again."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    return safe_next(request.form.get("next", "") or (request.referrer or "").removeprefix(door.settings().web_origin))


def safe_next(target: str) -> str:
    """A path on this site, or "/": a link never leads elsewhere (`//evil`, `/\\evil`, `https:evil`)."""
    plain = target.isprintable() and target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and "\\" not in target else "/"

"""Rate limits (Flask-Limiter), counted in memory or in Redis (`limits_url`). An answer that is over says Retry-After.

While Redis is away each process counts for itself: people get in, and guessing stays slow.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar, cast

from flask import Flask, Response, request, session
from flask_limiter import Limiter

from smtpy.mail.address import BadAddress, parse
from web import door, sessions

View = TypeVar("View", bound=Callable[..., Any])


def whose() -> str:
    """Limits count by member, and by network before anybody is signed in."""
    member = sessions.visit().member
    return f"member:{member.id}" if member else f"client:{door.client()}"


limiter = Limiter(
    whose,
    default_limits=["600/minute"],
    headers_enabled=True,
    in_memory_fallback_enabled=True,
    swallow_errors=False,
)


TRIES = "sign-in"  # one count for all the ways in


def _address() -> str:
    return f"address:{request.remote_addr}"


def _network() -> str:
    return f"network:{door.client()}"


def _account() -> str:
    """Counted by what was asked for, be there such an account or not; as a digest, for a Redis that others read."""
    member = sessions.visit().member
    name = member.email if member else session.get("half", {}).get("email") or request.form.get("email", "")
    return f"account:{hashlib.sha256(_key(name.strip()).encode()).hexdigest()}"


def _key(name: str) -> str:
    """One for all the ways to write an address: `"ann"@x.example` would be another try at ann@x.example."""
    try:
        return parse(name).key
    except BadAddress:
        return name.casefold()


def _is_failure(answer: Response) -> bool:
    return answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def slowed(view: View) -> View:
    """Slow down those who guess: 10 tries a minute from an address, 100 an hour from its network."""
    for most, key in (("10/minute", _address), ("100/hour", _network)):
        view = cast("View", limiter.shared_limit(most, TRIES, key_func=key, methods=["POST"])(view))
    return view


def guarded(view: View) -> View:
    """The same, and of tries that fail 5 in a quarter of an hour on one account. Nobody is locked out for good."""
    narrow = limiter.shared_limit("5/15minutes", TRIES, key_func=_account, methods=["POST"], deduct_when=_is_failure)
    return slowed(cast("View", narrow(view)))


def asking(view: View) -> View:
    """Slow down those who have letters sent: as above, and 5 an hour to one address, be it known here or not."""
    narrow = limiter.shared_limit("5/hour", "letters", key_func=_account, methods=["POST"])
    return slowed(cast("View", narrow(view)))


def making(view: View) -> View:
    """30 new aliases an hour for each member: a machine that makes them is to use the API."""
    return cast("View", limiter.limit("30/hour", methods=["POST"])(view))


def searching(view: View) -> View:
    """60 searches a minute; a page without a search does not count."""
    return cast("View", limiter.limit("60/minute", exempt_when=lambda: not request.args.get("q"))(view))


def exporting(view: View) -> View:
    """2 exports a minute, of a view that does other things, too."""
    return cast("View", limiter.limit("2/minute", exempt_when=lambda: request.form.get("act") != "export")(view))


def init_app(app: Flask) -> None:
    """Count where the settings say."""
    app.config["RATELIMIT_STORAGE_URI"] = app.extensions["smtpy"].settings.limits_url
    limiter.init_app(app)

    @limiter.request_filter
    def is_free() -> bool:
        return request.endpoint in ("static", "health.livez", "health.readyz")

"""The two halves of a passkey ceremony: the challenge that waits in the session, once, and whose passkeys they are."""

import base64
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Response, session

from smtpy.admin import passkeys
from smtpy.admin.passkeys import Site
from web import door

VALID = timedelta(minutes=10)


def site() -> Site:
    """Us, as browsers know us. From the settings: who asks has no say in it."""
    origin = door.settings().web_origin.rstrip("/")
    return Site(urlsplit(origin).hostname or "", origin, f"SMTPy {door.settings().hostname}")


def begun(what: str, options: str, challenge: bytes) -> Response:
    """Keep the challenge, and tell the browser."""
    session[f"passkey {what}"] = {"challenge": base64.b64encode(challenge).decode(), "at": door.now().isoformat()}
    return Response(options, mimetype="application/json")


def challenge(what: str) -> bytes:
    """The challenge that was kept; it is gone afterwards. Raises Invalid."""
    kept = session.pop(f"passkey {what}", None)
    if kept is None or door.now() - datetime.fromisoformat(kept["at"]) > VALID:
        raise passkeys.REFUSED
    return base64.b64decode(kept["challenge"])

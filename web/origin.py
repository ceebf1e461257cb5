"""Writes come from pages of ours: what a browser says of where a request was made, beside the token in the form.

A browser that tells (`Sec-Fetch-Site`, `Origin`) and names another site is refused before anything is looked at. One
that tells nothing, and what is no browser, still has to have the token. Subdomains are other sites to us: whoever runs
one is not whoever runs this.
"""

from flask import Flask, request
from werkzeug.exceptions import Forbidden

from web import door

READS = ("GET", "HEAD", "OPTIONS")
OURS = ("same-origin", "none")  # none: a person did it, by a bookmark or the address bar


def init_app(app: Flask) -> None:
    """Before any other part looks at a request that may change something."""

    @app.before_request
    def refuse() -> None:
        if request.method not in READS and not is_ours():
            raise Forbidden


def is_ours() -> bool:
    """Whether what the browser says speaks for one of our pages."""
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "none") not in OURS:
        return False
    return origin is None or origin in (door.settings().web_origin, request.host_url.rstrip("/"))

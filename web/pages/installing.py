"""What makes a web page an application on a phone or a desktop: its manifest, its service worker, a page without net.

The worker keeps static files and the offline page, never anything of a member's.
"""

import hashlib

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask.typing import ResponseReturnValue

from web.auth import public
from web.i18n import _, language
from web.look import static

pages = Blueprint("installing", __name__)

PAPER = "#fbfaf8"
KEPT = ("css/smtpy.css", "js/smtpy.js", "js/live.js", "js/keys.js", "icons.svg", "icon.svg")  # of the offline page
PICTURES = (
    ("icon-192.png", "192x192"),
    ("icon-512.png", "512x512"),
    ("icon.svg", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)


@pages.get("/manifest.webmanifest")
@public
def manifest() -> ResponseReturnValue:
    """Its name, its pictures, and what it does from the home screen (W3C Web Application Manifest)."""
    answer = jsonify(
        id="/",
        name="SMTPy",
        short_name="SMTPy",
        description=_("E-mail aliases on your own domains"),
        lang=language(),
        dir="ltr",
        start_url="/",
        scope="/",
        display="standalone",
        background_color=PAPER,
        theme_color=PAPER,
        icons=[_picture(*each) for each in PICTURES],
        shortcuts=[{"name": _("New alias"), "url": "/aliases/new", "icons": [_picture("icon-192.png", "192x192")]}],
        share_target={
            "action": "/aliases/new",
            "method": "GET",
            "enctype": "application/x-www-form-urlencoded",
            "params": {"title": "title", "text": "text", "url": "url"},
        },
    )
    answer.mimetype = "application/manifest+json"
    return answer


def _picture(name: str, sizes: str, purpose: str = "any") -> dict[str, str]:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return {"src": static(name), "sizes": sizes, "type": kind, "purpose": purpose}


@pages.get("/sw.js")
@public
def worker() -> ResponseReturnValue:
    """The service worker; another set of static files makes another one, which forgets the old set."""
    kept = [static(name) for name in KEPT]
    version = hashlib.sha256(" ".join(kept).encode()).hexdigest()[:10]
    words = render_template("installing/sw.js", kept=kept, offline=url_for("installing.offline"), version=version)
    return Response(words, mimetype="text/javascript", headers={"Cache-Control": "no-cache"})


@pages.get("/offline")
@public
def offline() -> ResponseReturnValue:
    """What the worker shows while there is no net."""
    return render_template("installing/offline.html")

"""What every answer says of itself, errors and static files included: what a browser may do with it, who may see it.

The policies are those of the Mozilla Observatory's best grade; no page has inline script, style or handlers.
"""

from flask import Flask, Response, request

from web import door

PAGES = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "manifest-src 'self'",
        "worker-src 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": PAGES,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # Flask-WTF wants a Referer of our own on https
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [f"{each}=()" for each in ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")]
        + [
            f"{each}=(self)"
            for each in ("publickey-credentials-create", "publickey-credentials-get", "clipboard-write")
        ]
    ),
}
RETRIED = (429, 503)
HSTS = "max-age=63072000; includeSubDomains"


def init_app(app: Flask) -> None:
    """Have every answer bear them."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if response.status_code not in RETRIED:  # Flask-Limiter says it always
            response.headers.pop("Retry-After", None)
        if door.settings().web_origin.startswith("https://"):
            response.headers.setdefault("Strict-Transport-Security", HSTS)
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

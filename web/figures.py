"""How the pages do, in numbers, for `smtpy metrics`: requests by endpoint and status, their time, sign-ins refused.

Each of gunicorn's processes counts for itself and tells it as those of the mail path do (smtpy.pulse). No number is
about anybody: an endpoint is the name of a view, and `none` is whatever was asked for that is not there.
"""

from bisect import bisect_left
from collections.abc import Iterable
from time import perf_counter
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, request

from smtpy.metrics.table import ANSWERING
from smtpy.pulse import Numbers, Pulse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WAYS = ("password", "code", "passkey")  # to show who one is
QUICK = ("static", "health.livez", "health.readyz")  # asked for by machines; they would hide how long people wait
_NAME, _BEGUN = "smtpy.figures", "smtpy.begun"


class Figures(Numbers):
    """What is counted of answers."""

    def __init__(self) -> None:
        super().__init__(*(f"refused {way}" for way in WAYS), "answering seconds")

    def answered(self, endpoint: str, status: int, seconds: float | None) -> None:
        """One more; without `seconds` nobody waited for it."""
        self.add(f"requests {endpoint} {status}")
        if seconds is not None:
            self.add(f"answering {bisect_left(ANSWERING.edges, seconds)}")
            self.add("answering seconds", seconds)


def init_app(app: Flask) -> None:
    """Count every answer. To be called before other parts: the last to see an answer is the first that was asked to."""
    figures = app.extensions[_NAME] = Figures()
    serve = app.wsgi_app

    def begin(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ[_BEGUN] = perf_counter()  # before the session is opened, which may wait for the database
        return serve(environ, start_response)

    app.wsgi_app = begin  # type: ignore[method-assign]  # Flask's own way

    @app.after_request
    def end(answer: Response) -> Response:
        waited = None if request.endpoint in QUICK else perf_counter() - request.environ[_BEGUN]
        figures.answered(request.endpoint or "none", answer.status_code, waited)
        return answer


def refused(way: str) -> None:
    """Somebody has not shown by that way who they are."""
    current_app.extensions[_NAME].add(f"refused {way}")


def pulse(app: Flask) -> Pulse:
    """What tells of this process, which is to be forked no more."""
    return Pulse(app.extensions["smtpy"].settings.run_dir, "web", app.extensions[_NAME].told)

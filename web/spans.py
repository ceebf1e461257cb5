"""A span for each request, if smtpy.spans tells anybody: called by its view, with method and status. No URL."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from smtpy import spans

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def init_app(app: Flask) -> None:
    """To be called before other parts: the last to see an answer is the first that was asked to."""
    if not spans.is_on():
        return
    serve = app.wsgi_app

    def spanned(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with spans.span("web"):
            return serve(environ, start_response)

    app.wsgi_app = spanned  # type: ignore[method-assign]  # Flask's own way

    @app.after_request
    def end(answer: Response) -> Response:
        spans.rename(f"web {request.endpoint or 'none'}")
        spans.note(method=request.method if request.url_rule else "", status=answer.status_code)
        return answer

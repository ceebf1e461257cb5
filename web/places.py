"""What stands in a URL behind the question mark: where a list goes on; and no NUL, for PostgreSQL holds none.

What is no place is the start of the list.
"""

from flask import Flask, abort, request

MAX_DIGITS = 19  # fewer than what a BIGINT has


def init_app(app: Flask) -> None:
    """Refuse before anything is looked for."""

    @app.before_request
    def refuse() -> None:
        if b"%00" in request.query_string:
            abort(400)


def place(name: str) -> int:
    """A row's number in the URL; 0 if it is none."""
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < MAX_DIGITS else 0

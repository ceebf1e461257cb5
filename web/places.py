"""Where a list goes on: the number of a row in the URL. Whatever else stands there is the list from its start."""

from flask import request

MAX_DIGITS = 19  # fewer than what a BIGINT has


def place(name: str) -> int:
    """A row's number in the URL; 0 if it is none."""
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) < MAX_DIGITS else 0

"""What a page says once, after something was done: words in a toast, and a way to undo it."""

from typing import Literal

from flask import flash

Kind = Literal["good", "bad", "warn"]


def tell(words: str, kind: Kind = "good", *, undo: str = "", **fields: str) -> None:
    """Say it on the next page. `undo`: a URL that takes a POST with these fields, and undoes it."""
    flash({"words": words, "undo": undo, "fields": fields}, kind)  # type: ignore[arg-type]  # whatever JSON can hold

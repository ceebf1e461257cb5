"""A list of everything there is of a kind, as operators look through it: by a text and a state, page after page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from web import door
from web.places import place

PAGE = 50
MAX_ABOUT = 320  # characters that are looked for

Read = Callable[..., Sequence[Any]]  # session, about, state, after, limit -> rows


def listed(
    endpoint: str, read: Read, states: Mapping[str, str], *, about: str, number: Callable[[Any], int]
) -> ResponseReturnValue:
    """The page of that endpoint; `about` says what the text is looked for in, `number` by what a page goes on.

    The first of the states is what is shown unless another is chosen.
    """
    text, state = request.args.get("about", "").strip()[:MAX_ABOUT], request.args.get("state", "")
    state = state if state in states else next(iter(states))
    after = place("after")
    with door.operating() as session:
        rows = read(session, about=text, state=state, after=after, limit=PAGE)
    given: dict[str, Any] = {name: value for name, value in (("about", text), ("state", state)) if value}
    return render_template(
        f"{endpoint.replace('.', '/')}.html",
        rows=rows,
        about=text,
        asked=about,
        state=state,
        states=states,
        newer=url_for(endpoint, **given) if after else None,
        older=url_for(endpoint, **given, after=number(rows[-1])) if len(rows) == PAGE else None,
    )

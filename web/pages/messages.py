"""The log: a member's messages, and all that is known of one, step by step with the why.

Each page is also its own live part: asked with `X-Part` it answers with just what changes (web/static/js/live.js).
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from smtpy.admin import domains, messages
from smtpy.admin.ends import State
from web import door
from web.auth import signed_in
from web.i18n import _
from web.limits import searching
from web.places import place
from web.tracing import STATES

pages = Blueprint("messages", __name__, url_prefix="/log")

MAX_ABOUT = 1000  # characters that are looked for
SHOWN = (State.DELIVERED, State.DEFERRED, State.HELD, State.REFUSED, State.BOUNCED, State.RETURNED, State.DROPPED)


def answer(whole: str, part: str, **values: Any) -> ResponseReturnValue:
    """The page, or just its live part."""
    return render_template(part if "X-Part" in request.headers else whole, **values)


@pages.get("")
@signed_in
@searching
def listing() -> ResponseReturnValue:
    """Messages, newest first."""
    asked = request.args
    before = place("before") or None
    state = State(asked["state"]) if asked.get("state") in list(State) else None
    text = asked.get("q", "").replace("\0", "").strip()[:MAX_ABOUT]
    with door.reading() as session:
        own = domains.page(session)
        domain = asked.get("domain") if asked.get("domain") in {each.uuid for each in own} else None
        page = messages.page(session, about=text or None, domain=domain, state=state, before=before)
    chips = [(_("All"), _with(state=""), state is None)]
    chips += [(_(STATES[each][0]), _with(state=str(each)), each is state) for each in SHOWN]
    return answer(
        "messages/listing.html",
        "messages/_list.html",
        page=page,
        text=text,
        state=state,
        domain=domain,
        domains=own,
        days=door.settings().journal_days,
        chips=chips,
        filtered=bool(text or state or domain),
        first=_with() if before else None,
        older=_with(before=str(page.before)) if page.before else None,
    )


def _with(**changed: str) -> str:
    """This list with another filter, from its first page."""
    kept: dict[str, Any] = {name: value for name, value in request.args.items() if name not in ("before", *changed)}
    kept |= {name: value for name, value in changed.items() if value}
    return url_for("messages.listing", **kept)


@pages.get("/<uuid:message>")
@signed_in
def detail(message: UUID) -> ResponseReturnValue:
    """All that is known of one message."""
    with door.reading() as session:
        found = messages.timeline(session, str(message))
    return answer("messages/detail.html", "messages/_timeline.html", message=found)

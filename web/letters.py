"""Sending what smtpy.notices writes: in the reader's language, with links that the settings make, never the asker.

Where a page depends on a letter it waits, and says when it did not leave. What only tells, and what must not betray by
its time whether there is an account, leaves beside the request.
"""

import logging
from collections.abc import Callable
from typing import Any

from flask import copy_current_request_context, url_for

from smtpy.admin.sessions import Member
from smtpy.notices import letters
from smtpy.notices.letters import Letter
from smtpy.notices.message import composed
from smtpy.notices.post import Post, Undelivered
from web import beside, door
from web.i18n import _, language, speak

log = logging.getLogger("smtpy.web")


def link(endpoint: str, **values: Any) -> str:
    """A page of ours, as letters name it."""
    return door.settings().web_origin.rstrip("/") + url_for(endpoint, **values)


def post() -> Post:
    """The server that takes our letters."""
    settings = door.settings()
    return Post(settings.notice_server, settings.notice_sender, settings.hostname)


def send(letter: Letter, to: str) -> bool:
    """Send it now; whether it left."""
    try:
        post().send(_message(letter, to), to)
    except Undelivered as why:
        log.warning("letter not sent: %s", why)
        return False
    return True


def send_beside(letter: Letter, to: str) -> None:
    """Send it while the page goes on."""
    server, message = post(), _message(letter, to)
    beside.start(lambda: server.send(message, to))


def find_out_and_send(work: Callable[[], tuple[Letter, str] | None]) -> None:
    """Find out what to write to whom, and send it, while the page goes on; `work` has the request."""
    server = post()

    @copy_current_request_context
    def whole() -> None:
        found = work()
        if found:
            letter, to = found
            server.send(_message(letter, to), to)

    beside.start(whole)


def _message(letter: Letter, to: str) -> Any:
    settings = door.settings()
    return composed(
        letter, sender=settings.notice_sender, to=to, host=settings.hostname, language=language(), now=door.now()
    )


def tell_changed(member: Member, what: str, *, to: str = "") -> None:
    """Tell a member that their way of signing in has changed; `what` is a key of letters.CHANGES."""
    before = speak(member.language)
    send_beside(letters.changed(_, link("settings.security"), what), to or member.email)
    speak(before)

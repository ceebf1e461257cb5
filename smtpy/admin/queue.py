"""Postfix's queue, for operators: read through whoever may ask Postfix, changed through the one door.

A desk does what is asked: Postfix itself for root at a terminal, the queue helper for everybody else. The audit row is
written first, so that nothing is done to mail while nothing can be noted, and goes away again when it was not done.
"""

from typing import Protocol, assert_never

from smtpy.admin.change import Change
from smtpy.admin.outages import Away
from smtpy.admin.refusals import Invalid, NotFound
from smtpy.admin.scope import viewer_of
from smtpy.queue.client import NoHelper
from smtpy.queue.protocol import Act, Answer, Done, Letter, Listing, Refused, Request

MAX_NAMED = 20  # recipients in an audit row


class Desk(Protocol):
    """Who does what is asked."""

    def ask(self, request: Request) -> Answer:
        """Raises NoHelper."""


def page(desk: Desk, request: Request) -> Listing:
    """A page of the queue, oldest first, and counts of the whole. Raises Away."""
    answer = _asked(desk, request)
    assert isinstance(answer, Listing)  # noqa: S101 - what the protocol says
    return answer


def show(desk: Desk, name: str) -> Letter:
    """Envelope and header of a message. Raises Invalid, NotFound, Away."""
    answer = _asked(desk, Request(Act.SHOW, name))
    assert isinstance(answer, Letter)  # noqa: S101 - what the protocol says
    return answer


def act(c: Change, desk: Desk, what: Act, name: str = "") -> None:
    """Hold, release, delete or retry a message; flush takes none. Raises Invalid, NotFound, Away."""
    if viewer_of(c.session) is not None:
        raise NotFound("message", "The queue is for operators.")
    before = _told(show(desk, name)) if what is Act.DELETE else None
    c.note(f"queue.{what}", f"message {name}" if name else "the queue", before, None)
    c.session.flush()
    _asked(desk, Request(what, name, by=c.actor[:320]))


def _told(letter: Letter) -> dict[str, object]:
    """What is kept of a message that will be no more."""
    recipients = [value for name, value in letter.envelope if name == "recipient"]
    senders = [value for name, value in letter.envelope if name == "sender"]
    return {"sender": "".join(senders[:1]), "recipients": recipients[:MAX_NAMED], "queue": letter.queue}


def _asked(desk: Desk, request: Request) -> Answer:
    try:
        answer = desk.ask(request)
    except NoHelper as missing:
        raise Away(str(missing)) from None
    match answer:
        case Refused(why="gone"):
            raise NotFound("message", answer.words)
        case Refused(why="malformed"):
            raise Invalid("message", f"{request.id}: {answer.words}" if request.id else answer.words)
        case Refused():
            raise Away(answer.words)
        case Listing() | Letter() | Done():
            return answer
        case never:
            assert_never(never)

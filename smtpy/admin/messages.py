"""Messages and what became of them, for whoever may see them: a page, one timeline, what is new.

A member sees a message if one of its recipients is theirs, and of its recipients only those.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains
from smtpy.admin.ends import SIGNS, State
from smtpy.admin.refusals import NotFound
from smtpy.admin.scope import viewer_of
from smtpy.admin.timeline import Timeline, assemble, unknown
from smtpy.store.events import MailEvent
from smtpy.store.meant import Wanted, bearing, heads
from smtpy.store.records import JournalRow
from smtpy.store.timeline import happened, known, linked_to

PAGE = 50
GLANCE = 500  # messages of one glance for those in one state
GLANCED_AT = 6000  # messages glanced at for a page
LOOKED_THROUGH = 500  # messages of which everything is read for a page
MAX_NEWS = 200  # messages of one look for news

NO_MESSAGE = NotFound("message", "There is no such message. It may have been forgotten by now.")


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages, newest first. `before` leads to the page that follows; None: this is the last."""

    messages: tuple[Timeline, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """How far journal and log were read."""

    journal_id: int = 0
    event_id: int = 0


def page(  # noqa: PLR0913 - what a list is filtered by
    session: Session,
    *,
    about: str | None = None,
    alias: str | None = None,
    domain: str | None = None,
    state: State | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> MessagePage:
    """Messages, newest first: about a Message-ID, queue id, address or UUID; of an alias; of a domain; in a state.

    `before` is that of the page before. With `state` a page may be short, or empty, and not the last, where next to
    none are in it: so many were looked through. Raises NotFound for an alias or domain that is not the viewer's.
    """
    alias_id = aliases.find(session, alias).id if alias is not None else None
    name = domains.find(session, domain).name if domain is not None else None
    wanted = Wanted(about, alias_id, name, before, _owner(session))
    if state is not None:
        return _in_state(session, wanted, state, limit)
    numbers = heads(session, wanted, limit + 1)
    found = _timelines(session, numbers[:limit])
    return MessagePage(tuple(found), numbers[limit - 1] if len(numbers) > limit else None)


def _in_state(session: Session, wanted: Wanted, state: State, limit: int) -> MessagePage:
    """Many are glanced at by what they have left, and of few everything is read."""
    sign = SIGNS.get(state)
    size = GLANCE if sign else limit
    found: list[Timeline] = []
    glanced, looked, more = 0, 0, True
    while more and glanced < GLANCED_AT and looked < LOOKED_THROUGH:
        likely: list[int] = []
        while more and glanced < GLANCED_AT and len(likely) < limit:
            numbers = heads(session, wanted, size)
            more = len(numbers) == size
            likely += bearing(session, numbers, sign) if sign else numbers
            glanced += size
            wanted = replace(wanted, before=min(numbers, default=0))
        for start in range(0, len(likely), limit):
            for each in _timelines(session, likely[start : start + limit]):
                if each.state is state:
                    found.append(each)
                if len(found) == limit:
                    return MessagePage(tuple(found), each.id if more or each.id != likely[-1] else None)
        looked += len(likely)
    return MessagePage(tuple(found), wanted.before if more else None)


def timeline(session: Session, uuid: str) -> Timeline:
    """One message, by the uuid of any of its passes. Raises NotFound."""
    try:
        text = str(UUID(uuid))
    except ValueError:
        raise NO_MESSAGE from None
    row = session.execute(select(JournalRow.id, JournalRow.parent).where(JournalRow.uuid == text)).first()
    if row is None:
        raise NO_MESSAGE
    first = session.scalar(select(JournalRow.id).where(JournalRow.uuid == row.parent)) if row.parent else None
    found = _timelines(session, [first or row.id])
    if not found:
        raise NO_MESSAGE
    return found[0]


def of_file(session: Session, queue_id: str) -> Timeline:
    """What the log alone knows of a queue file, such as a report; for operators. Raises NotFound."""
    found = unknown(queue_id, happened(session, queue_id)) if viewer_of(session) is None else None
    if found is None:
        raise NO_MESSAGE
    return found


def newest(session: Session) -> Mark:
    """The mark from which on `since` tells what is new."""
    return Mark(
        session.scalar(select(func.max(JournalRow.id))) or 0, session.scalar(select(func.max(MailEvent.id))) or 0
    )


def since(session: Session, mark: Mark) -> tuple[tuple[Timeline, ...], Mark]:
    """The messages that came, or of which something new is known, oldest first; and the mark for the next look.

    At most MAX_NEWS of them; the mark says how far that went.
    """
    news = select(JournalRow.id, JournalRow.parent).where(JournalRow.id > mark.journal_id)
    rows = session.execute(news.order_by(JournalRow.id).limit(MAX_NEWS)).all()
    events = select(MailEvent.id, MailEvent.queue_id).where(MailEvent.id > mark.event_id)
    told = session.execute(events.order_by(MailEvent.id).limit(MAX_NEWS)).all()
    files = {row.queue_id for row in told}
    files |= {each for row in linked_to(session, files, 2) for each in (row.queue_id, row.other_id) if each}
    touched = select(JournalRow.id, JournalRow.parent).where(JournalRow.queue_id.in_(files)) if files else None
    found = [*rows, *(session.execute(touched).all() if touched is not None else ())]
    numbers = {row.id for row in found if row.parent is None}
    parents = {row.parent for row in found if row.parent}
    if parents:
        numbers |= set(session.scalars(select(JournalRow.id).where(JournalRow.uuid.in_(parents))))
    ahead = Mark(
        max((row.id for row in rows), default=mark.journal_id), max((row.id for row in told), default=mark.event_id)
    )
    return tuple(_timelines(session, sorted(numbers))), ahead


def _owner(session: Session) -> int | None:
    viewer = viewer_of(session)
    return viewer.user_id if viewer else None


def _timelines(session: Session, numbers: Sequence[int]) -> list[Timeline]:
    """Those of them that the viewer may see."""
    owner = _owner(session)
    return [
        assemble(each.entry, each.seconds, each.happenings, whole=each.whole)
        for each in known(session, numbers, owner)
        if owner is None or each.entry.recipients
    ]

"""Announcements: what an administrator tells everybody who is signed in, for a while, until each has put it away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Engine, or_, select
from sqlalchemy.orm import Session

from smtpy.admin import read
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, as_uuid
from smtpy.admin.refusals import Invalid, NotFound
from smtpy.admin.scope import viewer_of
from smtpy.store.accounts import Announcement, Dismissal

SHOWN = 3  # at once


class Level(StrEnum):
    """How it looks."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class AnnouncementView:
    """An announcement. `shown_until` None: until it is taken back."""

    id: int
    uuid: str
    text: str
    level: str
    shown_from: datetime
    shown_until: datetime | None
    created_at: datetime


def add(
    c: Change, text: str, *, level: Level = Level.INFO, shown_from: datetime | None = None,
    shown_until: datetime | None = None,
) -> AnnouncementView:  # fmt: skip
    """A new one; without `shown_from` from now on. Raises Invalid."""
    words = read.announcement(text)
    start = shown_from or c.now
    if shown_until is not None and shown_until <= max(start, c.now):
        raise Invalid("shown_until", "This is over before anybody has seen it. Choose a later time.")
    row = Announcement(text=words, level=level.value, shown_from=start, shown_until=shown_until)
    c.session.add(row)
    c.session.flush()
    return c.record("announcement.add", f"announcement {row.uuid}", None, _view(row))


def end(c: Change, uuid: str) -> AnnouncementView:
    """Show it no more; one that has not begun is gone. Raises NotFound."""
    row = _find(c.session, uuid)
    before = _view(row)
    if row.shown_from > c.now:
        c.session.delete(row)
        c.removed("announcement.delete", f"announcement {row.uuid}", before)
        return before
    if row.shown_until is None or row.shown_until > c.now:
        row.shown_until = c.now
    c.session.flush()
    return c.record("announcement.end", f"announcement {row.uuid}", before, _view(row))


def page(session: Session, *, before: int | None = None, limit: int = PAGE) -> tuple[AnnouncementView, ...]:
    """All, newest first; `before`: the id of the last one that was seen. For operators."""
    if viewer_of(session) is not None:
        raise NotFound("announcement", "The list of announcements is for operators.")
    chosen = select(Announcement).order_by(Announcement.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(Announcement.id < before)
    return tuple(map(_view, session.scalars(chosen)))


def going(session: Session, now: datetime) -> tuple[AnnouncementView, ...]:
    """What is not over, newest first: shown now, or later."""
    lasts = or_(Announcement.shown_until.is_(None), Announcement.shown_until > now)
    return tuple(map(_view, session.scalars(select(Announcement).where(lasts).order_by(Announcement.id.desc()))))


def unread(
    session: Session, user_id: int, there: Sequence[AnnouncementView], now: datetime
) -> tuple[AnnouncementView, ...]:
    """Of what is going: what is to be shown to a user now."""
    shown = [each for each in there if each.shown_from <= now and not (each.shown_until and each.shown_until <= now)]
    if not shown:
        return ()
    theirs = (Dismissal.user_id == user_id, Dismissal.announcement_id.in_([each.id for each in shown]))
    read_by = set(session.scalars(select(Dismissal.announcement_id).where(*theirs)))
    return tuple(each for each in shown if each.id not in read_by)[:SHOWN]


def dismiss(engine: Engine, uuid: str, user_id: int) -> None:
    """A user has read it; no act of administration, so nobody audits it. Idempotent. Raises NotFound."""
    with Session(engine) as session:
        key = {"announcement_id": _find(session, uuid).id, "user_id": user_id}
        session.merge(Dismissal(**key))
        session.commit()


def _find(session: Session, uuid: str) -> Announcement:
    row = session.scalar(select(Announcement).where(Announcement.uuid == (as_uuid(uuid) or "")))
    if row is None:
        raise NotFound("announcement", f"There is no announcement {uuid}.")
    return row


def _view(row: Announcement) -> AnnouncementView:
    return AnnouncementView(*(row.id, row.uuid, row.text, row.level, row.shown_from, row.shown_until, row.created_at))

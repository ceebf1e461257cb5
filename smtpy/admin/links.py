"""One-time links: 256 random bits that one person may do one thing with, once, for a while.

Only their SHA-256 is kept. What a link is for is part of it: one for a new password accepts no invitation. Using one is
a single UPDATE, so that of two who do it at once one is refused. Whatever is wrong with a link is said in one sentence.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, select, update
from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.admin.refusals import NotFound
from smtpy.admin.sessions import digest
from smtpy.store.accounts import OneTimeLink, Purpose
from smtpy.store.schema import Role

VALID = {
    Purpose.ADMIN: timedelta(hours=24),
    Purpose.INVITE: timedelta(days=7),
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.MAILBOX: timedelta(hours=24),
}
__all__ = ["GONE", "VALID", "Link", "Purpose", "find", "make", "purge", "use", "view"]
MAX_TOKEN = 64  # characters; ours have 43
GONE = NotFound("link", "This link was used already, has expired, or never was. Ask for another one.")


@dataclass(frozen=True, slots=True)
class Link:
    """What a link is good for, and for whom."""

    uuid: str
    purpose: Purpose
    user_id: int | None
    mailbox_id: int | None
    email: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime


def make(
    c: Change,
    purpose: Purpose,
    *,
    user_id: int | None = None,
    mailbox_id: int | None = None,
    email: str = "",
    role: Role = Role.USER,
) -> str:
    """The token of a new link, which is told this once. Those made before for the same are worth nothing any more.

    Whom it was made for is audited by who calls this.
    """
    same = (
        OneTimeLink.purpose == purpose,
        OneTimeLink.user_id.is_not_distinct_from(user_id),
        OneTimeLink.mailbox_id.is_not_distinct_from(mailbox_id),
        OneTimeLink.used_at.is_(None),
    )
    apart = () if user_id or mailbox_id else (OneTimeLink.email == email,)
    c.session.execute(delete(OneTimeLink).where(*same, *apart))
    token = secrets.token_urlsafe(32)
    row = OneTimeLink(digest=digest(token), purpose=purpose, user_id=user_id, mailbox_id=mailbox_id)
    row.email, row.role, row.created_by = email, role, c.actor
    row.created_at, row.expires_at = c.now, c.now + VALID[purpose]
    c.session.add(row)
    c.session.flush()
    return token


def find(session: Session, token: str, purpose: Purpose, now: datetime) -> Link:
    """What the link would do, without using it. Raises NotFound."""
    row = session.scalar(select(OneTimeLink).where(*_good(token, purpose, now)))
    if row is None:
        raise GONE
    return view(row)


def use(c: Change, token: str, purpose: Purpose) -> Link:
    """Use it up. Raises NotFound. What comes of it has to happen in the same change."""
    good = _good(token, purpose, c.now)
    row = c.session.scalar(update(OneTimeLink).where(*good).values(used_at=c.now).returning(OneTimeLink))
    if row is None:
        raise GONE
    return view(row)


def _good(token: str, purpose: Purpose, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        OneTimeLink.digest == digest(token[:MAX_TOKEN]),
        OneTimeLink.purpose == purpose,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.expires_at > now,
    )


def view(row: OneTimeLink) -> Link:
    """A link as others see one."""
    return Link(
        *(row.uuid, row.purpose, row.user_id, row.mailbox_id, row.email, row.role),
        *(row.created_by, row.created_at, row.expires_at),
    )


def purge(engine: Engine, now: datetime) -> int:
    """Take away links that have expired, used or not; how many. What they did stands in the audit trail."""
    with engine.begin() as connection:
        gone = connection.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < now).returning(OneTimeLink.id))
        return len(gone.all())

"""Sessions of browsers, signed in or not: 256 random bits in a cookie, their SHA-256 here, and with it what pages keep.

A session that is not used for a while ends (idle), and one that has lasted long enough does, too (absolute), whatever
its cookie says. Signing in, a new password and any other step up give it another name, so that a name that was planted
before is worth nothing after. These are no administrative acts: they move no epoch, and only their end by another hand
is audited.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from smtpy.admin.change import Change
from smtpy.admin.refusals import NotFound
from smtpy.admin.scope import owned
from smtpy.store.accounts import WebSession
from smtpy.store.schema import Role, User

IDLE = {Role.USER: timedelta(hours=12), Role.ADMIN: timedelta(minutes=30)}
ABSOLUTE = {Role.USER: timedelta(days=14), Role.ADMIN: timedelta(hours=12)}
STRANGERS = timedelta(hours=1)  # for whoever has not signed in, idle or not
SUDO = timedelta(minutes=10)  # for which a password just given opens what is dangerous
TOUCH = timedelta(minutes=1)  # between two notes that somebody is still there
MAX_AGENT = 300  # characters


@dataclass(frozen=True, slots=True)
class Member:
    """Who is signed in. `has_totp`: a password alone does not sign in; `welcome`: how far their first hour is."""

    id: int
    uuid: str
    email: str
    name: str
    is_admin: bool
    language: str
    theme: str
    welcome: str
    has_password: bool
    has_totp: bool
    verified: bool


@dataclass(slots=True)
class Visit:
    """A session as a request has it. `sid` is what the cookie holds."""

    sid: str
    uuid: str | None = None
    member: Member | None = None
    created_at: datetime | None = None
    authenticated_at: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def is_sudo(self, now: datetime) -> bool:
        """Whether they have shown a moment ago who they are."""
        return self.authenticated_at is not None and now - self.authenticated_at <= SUDO


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session in its owner's list."""

    uuid: str
    client: str
    agent: str
    created_at: datetime
    seen_at: datetime


def new_sid() -> str:
    """256 random bits, as a cookie takes them."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret that is only compared."""
    return hashlib.sha256(secret.encode()).hexdigest()


def open_visit(engine: Engine, sid: str, now: datetime) -> Visit | None:
    """The session of that name; None: there is none, it has ended, or its user may not come in any more."""
    chosen = select(WebSession, User).outerjoin(User, User.id == WebSession.user_id)
    with Session(engine.execution_options(isolation_level="AUTOCOMMIT")) as session:
        found = session.execute(chosen.where(WebSession.digest == digest(sid))).first()
        if found is None or _ended(*found, now):
            return None
        row, user = found
        if now - row.seen_at >= TOUCH:
            session.execute(update(WebSession).where(WebSession.digest == row.digest).values(seen_at=now))
        return Visit(
            sid, row.uuid, member_of(user) if user else None, row.created_at, row.authenticated_at, dict(row.data)
        )


def _ended(row: WebSession, user: User | None, now: datetime) -> bool:
    if row.user_id is None:
        return now - row.created_at > STRANGERS
    if user is None or not user.enabled or user.deleted_at is not None:
        return True
    return now - row.seen_at > IDLE[user.role] or now - row.created_at > ABSOLUTE[user.role]


def member_of(user: User) -> Member:
    """What pages know of a user."""
    return Member(
        *(user.id, user.uuid, user.email, user.name, user.role is Role.ADMIN, user.language, user.theme.value),
        *(user.welcome, user.password is not None, user.totp is not None, user.verified_at is not None),
    )


def save(engine: Engine, visit: Visit, *, client: str, agent: str, now: datetime, known: bool = False) -> bool:
    """Keep what pages have put into the session; `known`: there is such a session, unless it was ended meanwhile.

    What was ended stays so, whatever was under way: then nothing is kept, and the answer is False.
    """
    values = {
        "user_id": visit.member and visit.member.id,
        "authenticated_at": visit.authenticated_at,
        "data": visit.data,
        "seen_at": now,
    }
    with Session(engine) as session:
        there = update(WebSession).where(WebSession.digest == digest(visit.sid)).values(**values)
        kept = session.execute(there.returning(WebSession.digest)).first() is not None
        if not kept and not known:
            row = WebSession(digest=digest(visit.sid), created_at=now, client=client, agent=agent[:MAX_AGENT], **values)
            session.add(row)
        session.commit()
    return kept or not known


def close(engine: Engine, sid: str) -> bool:
    """End a session; whether there was one still. Idempotent."""
    with engine.begin() as connection:
        gone = connection.execute(delete(WebSession).where(WebSession.digest == digest(sid)).returning(WebSession.uuid))
        return gone.first() is not None


def of_member(session: Session, user_id: int) -> tuple[SessionView, ...]:
    """Where a user is signed in, the latest first."""
    chosen = select(WebSession).where(WebSession.user_id == user_id).order_by(WebSession.seen_at.desc())
    return tuple(
        SessionView(row.uuid, row.client, row.agent, row.created_at, row.seen_at) for row in session.scalars(chosen)
    )


def revoke(c: Change, uuid: str) -> None:
    """End one of the viewer's sessions. Raises NotFound."""
    gone = delete(WebSession).where(WebSession.uuid == uuid, owned(c.session, WebSession.user_id))
    if not c.session.execute(gone.returning(WebSession.uuid)).first():
        raise NotFound("session", "There is no such session. It may have ended by itself.")
    c.note("session.revoke", f"session {uuid}", None, None)


def revoke_all(c: Change, user_id: int, *, but: str = "") -> None:
    """End all sessions of a user but the one with that name (the cookie's)."""
    gone = delete(WebSession).where(WebSession.user_id == user_id, WebSession.digest != digest(but))
    ended = c.session.execute(gone.returning(WebSession.uuid)).all()
    if ended:
        c.note("session.revoke", f"{len(ended)} sessions of user {user_id}", None, None)


def purge(engine: Engine, now: datetime) -> int:
    """Take away those that have ended for everybody; how many."""
    longest = max(ABSOLUTE.values())
    strangers = WebSession.user_id.is_(None) & (WebSession.created_at < now - STRANGERS)
    with engine.begin() as connection:
        gone = connection.execute(
            delete(WebSession)
            .where(strangers | (WebSession.created_at < now - longest) | (WebSession.seen_at < now - IDLE[Role.USER]))
            .returning(WebSession.digest)
        )
        return len(gone.all())

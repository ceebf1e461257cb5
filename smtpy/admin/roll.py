"""The roll: users as operators see them, with what they own and when they were last here; and what operators decide.

The last administrator who can sign in stays one: else nobody could let anybody in again but at a terminal.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from smtpy.admin import members, sessions
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE
from smtpy.admin.members import USERS, UserView
from smtpy.admin.refusals import InUse, NotFound
from smtpy.admin.scope import viewer_of
from smtpy.admin.trash import NAMELESS
from smtpy.store.schema import Alias, Domain, Mailbox, Role, User

State = Literal["", "on", "off", "admin", "trash"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A user and what is theirs, the trash left out. `passkeys` and the like are their own business."""

    user: UserView
    signed_in_at: datetime | None
    verified_at: datetime | None
    domains: int
    mailboxes: int
    aliases: int


def _owned_by(table: type[Domain] | type[Mailbox] | type[Alias]) -> Any:
    counted = select(func.count()).where(table.owner_id == User.id, table.deleted_at.is_(None))
    return counted.correlate(User).scalar_subquery()


def _entries() -> Any:
    return select(User, _owned_by(Domain), _owned_by(Mailbox), _owned_by(Alias))


STATES: dict[str, ColumnElement[bool]] = {
    "": User.deleted_at.is_(None),
    "on": User.deleted_at.is_(None) & User.enabled,
    "off": User.deleted_at.is_(None) & ~User.enabled,
    "admin": User.deleted_at.is_(None) & (User.role == Role.ADMIN),
    "trash": User.deleted_at.is_not(None) & ~NAMELESS,
}


def page(
    session: Session, *, about: str = "", state: State = "", after: int = 0, limit: int = PAGE
) -> tuple[Entry, ...]:
    """Users with an id above `after`, by id. `about` is looked for in address and name."""
    _for_operators(session)
    chosen = _entries().where(User.id > after, STATES[state]).order_by(User.id).limit(limit)
    if about:
        words = about.casefold()
        chosen = chosen.where(
            User.key.contains(words, autoescape=True) | func.lower(User.name).contains(words, autoescape=True)
        )
    return tuple(_entry(session, *row) for row in session.execute(chosen))


def show(session: Session, name: str) -> Entry:
    """One user, by e-mail address or UUID, in the trash or not. Raises NotFound."""
    _for_operators(session)
    row = members.find(session, name)
    return _entry(session, *session.execute(_entries().where(User.id == row.id)).one())


def appoint(c: Change, name: str, wanted: Role) -> UserView:
    """Another role for a user. Raises NotFound, InTrash, InUse."""
    row = USERS.living(c.session, name)
    if wanted is not Role.ADMIN:
        keep_one(c, row)
    before = members.view(c.session, row)
    row.role = wanted
    return USERS.edited(c, row, before, "role")


def role(name: str) -> Role:
    """The role of that name; forms have made sure that there is one."""
    return Role(name)


def appoint_admin(c: Change, name: str) -> UserView:
    """Make somebody an administrator. Raises NotFound, InTrash."""
    return appoint(c, name, Role.ADMIN)


def appoint_user(c: Change, name: str) -> UserView:
    """Make somebody a user like others. Raises NotFound, InTrash, InUse."""
    return appoint(c, name, Role.USER)


def off(c: Change, name: str) -> UserView:
    """Switch off, unless nobody were left to administer. Raises NotFound, InTrash, InUse."""
    keep_one(c, USERS.living(c.session, name))
    return members.off(c, name)


def delete(c: Change, name: str) -> UserView:
    """Put into the trash, unless nobody were left to administer. Raises NotFound, InUse."""
    keep_one(c, members.find(c.session, name))
    return members.delete(c, name)


def sign_out(c: Change, name: str) -> None:
    """End all sessions of a user. Raises NotFound."""
    sessions.revoke_all(c, members.find(c.session, name).id)


def keep_one(c: Change, row: User) -> None:
    """Raises InUse for the only administrator who can sign in."""
    if row.role is not Role.ADMIN or not row.enabled or row.deleted_at is not None:
        return
    others = select(User.id).where(STATES["on"], User.role == Role.ADMIN, User.id != row.id).limit(1)
    if c.session.scalar(others) is None:
        raise InUse("user", f"{row.email} is the only administrator who can sign in. Make somebody else one first.")


def _for_operators(session: Session) -> None:
    if viewer_of(session) is not None:
        raise NotFound("user", "The roll is for operators.")


def _entry(session: Session, row: User, domains: int, mailboxes: int, aliases: int) -> Entry:
    return Entry(members.view(session, row), row.signed_in_at, row.verified_at, domains, mailboxes, aliases)

"""Users: the people who own domains, mailboxes and aliases."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from smtpy.admin import read, sessions
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, Kind, as_uuid
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, NotFound
from smtpy.admin.scope import owned
from smtpy.admin.trash import NAMELESS
from smtpy.store.schema import Alias, Domain, Mailbox, Role, User


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as people see one."""

    id: int
    uuid: str
    email: str
    name: str
    role: str
    enabled: bool
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


def find(session: Session, name: str) -> User:
    """By e-mail address or UUID. Raises NotFound."""
    uuid = as_uuid(name)
    key = "" if uuid else read.address("email", name).key
    match = User.uuid == uuid if uuid else User.key == key
    row = session.scalar(select(User).where(match, ~NAMELESS, owned(session, User.id)))
    if row is None:
        raise NotFound("user", f"There is no user {name}. Add it first.")
    return row


def view(_session: Session, row: User) -> UserView:
    """What is shown of a user."""
    return UserView(
        *(row.id, row.uuid, row.email, row.name, row.role.value),
        *(row.enabled, row.created_at, row.updated_at, row.deleted_at),
    )


def _may_delete(c: Change, row: User) -> None:
    for noun, table in (("domain", Domain), ("mailbox", Mailbox), ("alias", Alias)):
        if c.session.scalar(select(table.id).where(table.owner_id == row.id, table.deleted_at.is_(None)).limit(1)):
            raise InUse("user", f"{row.email} still owns a {noun}. Delete what they own first, or switch the user off.")


def refuse_trashed(c: Change, owner_id: int) -> None:
    """Raises InTrash when the owner of something is in the trash."""
    email = c.session.scalar(select(User.email).where(User.id == owner_id, User.deleted_at.is_not(None)))
    if email is not None:
        raise InTrash("user", f"Its owner {email} is in the trash. Restore the user first.")


USERS = Kind("user", find, view, lambda user: user.email, _may_delete)
show, on, restore = USERS.show, USERS.on, USERS.restore


def off(c: Change, name: str) -> UserView:
    """Switch off: no sign-in, and their sessions end for good; their mail goes on. Raises NotFound, InTrash."""
    changed = USERS.off(c, name)
    sessions.revoke_all(c, changed.id)
    return changed


def delete(c: Change, name: str) -> UserView:
    """Put into the trash; their sessions end for good. Raises NotFound, InUse."""
    changed = USERS.delete(c, name)
    sessions.revoke_all(c, changed.id)
    return changed


def add(c: Change, email: str, *, name: str = "", role: Role = Role.USER) -> UserView:
    """A new user. Raises Invalid, AlreadyThere, InTrash."""
    address, name = read.address("email", email), read.name(name)
    there = c.session.scalar(select(User).where(User.key == address.key))
    if there is not None:
        if there.deleted_at is not None:
            raise InTrash("email", f"User {address} is in the trash. Restore it.")
        raise AlreadyThere("email", f"User {address} is there already. Choose another address.")
    row = User(email=str(address), key=address.key, name=name, role=role, created_at=c.now)  # the audit row's time
    return USERS.added(c, row)


def page(session: Session, *, trash: bool = False, after: int = 0, limit: int = PAGE) -> tuple[UserView, ...]:
    """Users with an id above `after`, by id."""
    chosen = select(User).where(User.id > after, owned(session, User.id)).order_by(User.id).limit(limit)
    chosen = chosen.where(~NAMELESS if trash else User.deleted_at.is_(None))
    return tuple(view(session, row) for row in session.scalars(chosen))

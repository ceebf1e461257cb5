"""How accounts come to be and change hands: the first administrator, invitations, signing up, forgotten passwords.

Each begins with a one-time link (smtpy.admin.links) and ends where it is used; there is no password but the one its
owner chose. Who uses a link that was sent to an address has shown that the address is theirs.
"""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from smtpy.admin import links, members, read, sessions, signing_in
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, as_uuid
from smtpy.admin.links import Link
from smtpy.admin.refusals import AlreadyThere, InUse, NotFound
from smtpy.admin.sessions import Member, member_of
from smtpy.mail.address import BadAddress, parse
from smtpy.store.accounts import OneTimeLink, Passkey, Purpose
from smtpy.store.schema import Role, User

_WAITING = (OneTimeLink.purpose == Purpose.INVITE, OneTimeLink.used_at.is_(None))


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody says of themselves; `email` only where their link is for no address yet."""

    name: str
    password: str
    email: str = ""


def first(c: Change) -> str:
    """The token by which somebody becomes the first administrator. Raises InUse once there is one who can sign in."""
    _refuse_another(c)
    token = links.make(c, Purpose.ADMIN, role=Role.ADMIN)
    c.note("link.add", "link for the first administrator", None, None)
    return token


def _refuse_another(c: Change) -> None:
    by_passkey = select(Passkey.id).where(Passkey.user_id == User.id).exists()
    ready = (User.role == Role.ADMIN, User.deleted_at.is_(None), or_(User.password.is_not(None), by_passkey))
    email = c.session.scalar(select(User.email).where(*ready).limit(1))
    if email is not None:
        raise InUse(
            "user", f"{email} administers this service already. Have them invite you, or use `smtpy user link`."
        )


def invite(c: Change, email: str, *, role: Role = Role.USER) -> str:
    """The token of an invitation, good for that address. Raises Invalid, AlreadyThere."""
    address = read.address("email", email)
    if c.session.scalar(select(User.id).where(User.key == address.key)) is not None:
        raise AlreadyThere(
            "email", f"{address} has an account already. Choose another address, or sign in with this one."
        )
    token = links.make(c, Purpose.INVITE, email=str(address), role=role)
    c.note("invitation.add", f"invitation {address}", None, {"role": role.value})
    return token


def invitations(session: Session, *, before: str = "", limit: int = PAGE) -> tuple[Link, ...]:
    """Those that nobody has accepted yet, the newest first; `before`: the UUID of the last one that was seen."""
    chosen = select(OneTimeLink).where(*_WAITING).order_by(OneTimeLink.id.desc()).limit(limit)
    if uuid := as_uuid(before):
        last = select(OneTimeLink.id).where(OneTimeLink.uuid == uuid).scalar_subquery()
        chosen = chosen.where(OneTimeLink.id < last)
    return tuple(map(links.view, session.scalars(chosen)))


def revoke_invitation(c: Change, name: str) -> None:
    """Make an invitation, by address or UUID, worth nothing. Raises NotFound."""
    uuid = as_uuid(name)
    row = c.session.scalar(
        select(OneTimeLink).where(*_WAITING, OneTimeLink.uuid == uuid if uuid else OneTimeLink.email == name)
    )
    if row is None:
        raise NotFound("invitation", f"There is no invitation {name}. It may have been accepted by now.")
    c.session.delete(row)
    c.note("invitation.revoke", f"invitation {row.email}", None, None)


def sign_up(c: Change, email: str) -> str | None:
    """The token by which an account is made for that address; None: it has one. Raises Invalid."""
    address = read.address("email", email)
    if c.session.scalar(select(User.id).where(User.key == address.key)) is not None:
        return None
    token = links.make(c, Purpose.VERIFY, email=str(address))
    c.note("link.add", "link to sign up", None, None)
    return token


def join(c: Change, token: str, purpose: Purpose, who: Newcomer, *, words: tuple[str, ...] = ()) -> Member:
    """Use a link up and make the account it is for.

    Raises NotFound, Invalid, AlreadyThere, InTrash, InUse.
    """
    link = links.use(c, token, purpose)
    if purpose is Purpose.ADMIN:
        _refuse_another(c)
    address = link.email or who.email
    if purpose is Purpose.ADMIN and _known(c.session, address):
        user = members.USERS.living(c.session, address)
        user.role, user.name = link.role, read.name(who.name) or user.name
    else:
        user = members.find(c.session, members.add(c, address, name=who.name, role=link.role).uuid)
    user.verified_at = c.now
    user.welcome = ""
    signing_in.set_password(c, user.id, who.password, words=words)
    c.session.flush()
    return member_of(user)


def _known(session: Session, email: str) -> bool:
    return session.scalar(select(User.id).where(User.key == read.address("email", email).key)) is not None


def forgot(c: Change, email: str) -> tuple[Member, str] | None:
    """Whose password is forgotten, and the token of a link to choose another; None: nobody's."""
    try:
        key = parse(email.strip()).key
    except BadAddress:
        return None
    user = c.session.scalar(select(User).where(User.key == key, User.enabled, User.deleted_at.is_(None)))
    return (member_of(user), link_for(c, user)) if user else None


def link_for(c: Change, user: User) -> str:
    """The token of a link by which a user chooses a password."""
    token = links.make(c, Purpose.RESET, user_id=user.id)
    c.note("link.add", f"link for a new password of user {user.email}", None, None)
    return token


def reset(c: Change, token: str, password: str, *, words: tuple[str, ...] = ()) -> Member:
    """Use a link up: another password, and all sessions end. The second factor stays. Raises NotFound, Invalid."""
    link = links.use(c, token, Purpose.RESET)
    user = c.session.get(User, link.user_id)
    if user is None or not user.enabled or user.deleted_at is not None:
        raise links.GONE
    signing_in.set_password(c, user.id, password, words=words)
    user.verified_at = user.verified_at or c.now
    sessions.revoke_all(c, user.id)
    return member_of(user)


def ask_for_address(c: Change, user_id: int, email: str) -> str | None:
    """The token of a link that makes that address the user's; None: it is somebody's, which is not told. Invalid."""
    address = read.address("email", email)
    taken = _known(c.session, str(address))
    c.note("user.email.ask", f"user {user_id}", None, None)
    return None if taken else links.make(c, Purpose.VERIFY, user_id=user_id, email=str(address))


def confirm_address(c: Change, token: str) -> tuple[str, Member]:
    """Use that link up; the address before, and the user as they are now. Raises NotFound, AlreadyThere."""
    link = links.use(c, token, Purpose.VERIFY)
    user = c.session.get(User, link.user_id) if link.user_id else None
    if user is None or user.deleted_at is not None:
        raise links.GONE
    address = read.address("email", link.email)
    owner = c.session.scalar(select(User.id).where(User.key == address.key))
    if owner not in (None, user.id):
        raise AlreadyThere("email", f"{address} has an account of its own by now. Choose another address.")
    before = user.email
    user.email, user.key, user.verified_at = str(address), address.key, c.now
    c.note("user.email", f"user {user.uuid}", {"email": before}, {"email": user.email})
    c.session.flush()
    return before, member_of(user)

"""Mailboxes: the places outside where mail behind aliases is read.

A mailbox is never on a domain of ours, nor at our own hostname: its mail would come back here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from smtpy.admin import links, members, read
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, Kind, as_uuid
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse, Invalid, NotFound
from smtpy.admin.scope import owned
from smtpy.mail.address import Address
from smtpy.store.schema import Alias, AliasMailbox, Automatic, AutomaticMailbox, Domain, Mailbox, User

MOST_UNVERIFIED = 5  # mailboxes of one owner to which letters may be sent, before they are known to be theirs


@dataclass(frozen=True, slots=True)
class MailboxView:
    """A mailbox as people see one."""

    id: int
    uuid: str
    address: str
    owner: str
    enabled: bool
    verified_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    preferred: bool


def find(session: Session, name: str) -> Mailbox:
    """By address, if one owner only has it, or by UUID. Raises NotFound, Invalid."""
    uuid = as_uuid(name)
    key = "" if uuid else read.address("mailbox", name).key
    chosen = select(Mailbox).where(Mailbox.uuid == uuid if uuid else Mailbox.key == key)
    rows = session.scalars(chosen.where(owned(session, Mailbox.owner_id)).limit(2)).all()
    if not rows:
        raise NotFound("mailbox", f"There is no mailbox {name}. Add it first.")
    if len(rows) > 1:
        raise Invalid("mailbox", f"Several owners have mailbox {name}. Name it by its UUID (see the list).")
    return rows[0]


def view(session: Session, row: Mailbox) -> MailboxView:
    """What is shown of a mailbox."""
    owner = session.scalars(select(User.email).where(User.id == row.owner_id)).one()
    return _view(row, owner)


def _view(row: Mailbox, owner: str) -> MailboxView:
    return MailboxView(
        *(row.id, row.uuid, row.address, owner, row.enabled, row.verified_at),
        *(row.created_at, row.updated_at, row.deleted_at, row.preferred),
    )


def _may_delete(c: Change, row: Mailbox) -> None:
    """Mail to an alias without a mailbox is put off until its sender gives up; so none may be left so."""
    alive = Domain.deleted_at.is_(None)  # what is restored is asked for its mailboxes then
    users = (
        ("An alias", select(Alias.id).join(AliasMailbox).where(Alias.deleted_at.is_(None)), AliasMailbox.mailbox_id),
        (
            "An automatic alias",
            select(Automatic.id).join(AutomaticMailbox).join(Domain).where(alive),
            AutomaticMailbox.mailbox_id,
        ),
        ("A role of a domain", select(Domain.id).where(alive), Domain.role_mailbox_id),
    )
    for what, chosen, column in users:
        if c.session.scalar(chosen.where(column == row.id).limit(1)) is not None:
            raise InUse(
                "mailbox", f"{what} leads to {row.address}. Give it another mailbox first, or switch this one off."
            )


def _may_restore(c: Change, row: Mailbox) -> None:
    members.refuse_trashed(c, row.owner_id)
    _may_be(c, row.address, row.owner_id)


MAILBOXES = Kind("mailbox", find, view, lambda mailbox: mailbox.address, _may_delete, _may_restore)
show, on, off, delete, restore = MAILBOXES.show, MAILBOXES.on, MAILBOXES.off, MAILBOXES.delete, MAILBOXES.restore


def _may_be(c: Change, address: str, owner_id: int) -> Address:
    """An address outside; an unproven domain (smtpy.admin.ownership) stands in its own member's way only.

    Raises Invalid, InUse.
    """
    found = read.mailbox_address(address)
    if found.domain == c.hostname:
        raise Invalid("address", f"{address} is on this mail server, which has no mailboxes. Name one elsewhere.")
    known = or_(Domain.proven_at.is_not(None), Domain.owner_id == owner_id)
    ours = (Domain.name == found.domain, Domain.deleted_at.is_(None), known)
    if c.session.scalar(select(Domain.id).where(*ours)) is not None:
        raise InUse(
            "address", f"{address} is on a domain of this service: mail would go in circles. Name one elsewhere."
        )
    return found


def add(c: Change, address: str, *, owner: str, verified: bool) -> MailboxView:
    """A new mailbox; a verified one takes the roles of its owner's domains that have nobody for them.

    Raises Invalid, InUse, NotFound, AlreadyThere, InTrash.
    """
    user = members.USERS.living(c.session, owner)
    found = _may_be(c, address, user.id)
    there = c.session.scalar(select(Mailbox).where(Mailbox.owner_id == user.id, Mailbox.key == found.key))
    if there is not None:
        if there.deleted_at is not None:
            raise InTrash("address", f"Mailbox {found} is in the trash. Restore it.")
        raise AlreadyThere("address", f"Mailbox {found} is there already. You find it in the list.")
    row = Mailbox(owner_id=user.id, address=str(found), key=found.key, domain=found.domain)
    row.verified_at = c.now if verified else None
    added = MAILBOXES.added(c, row)
    if verified:
        _take_roles(c, row)
    return added


def _take_roles(c: Change, row: Mailbox) -> None:
    """The roles of its owner's domains that have nobody for them."""
    lacking = (Domain.owner_id == row.owner_id, Domain.role_mailbox_id.is_(None))
    taken = update(Domain).where(*lacking).values(role_mailbox_id=row.id).returning(Domain.name)
    for name in c.session.scalars(taken).all():
        c.note("domain.set", f"domain {name}", {"role_mailbox": None}, {"role_mailbox": row.address})


def ask(c: Change, name: str) -> tuple[MailboxView, str]:
    """The token of a link that shows that a mailbox is its owner's; it is to be sent there. Those before end.

    Raises NotFound, InTrash, Invalid: strangers' mailboxes must not be written to at will.
    """
    row = MAILBOXES.living(c.session, name)
    if row.verified_at is not None:
        raise Invalid("mailbox", f"{row.address} is verified already.")
    unverified = (Mailbox.owner_id == row.owner_id, Mailbox.verified_at.is_(None), Mailbox.deleted_at.is_(None))
    if (c.session.scalar(select(func.count()).where(*unverified)) or 0) > MOST_UNVERIFIED:
        raise Invalid("address", f"At most {MOST_UNVERIFIED} mailboxes may wait to be verified. Delete one first.")
    token = links.make(c, links.Purpose.MAILBOX, mailbox_id=row.id)
    c.note("mailbox.ask", f"mailbox {row.address}", None, None)
    return view(c.session, row), token


def of_link(session: Session, link: links.Link) -> MailboxView:
    """The mailbox that a link is about. Raises NotFound."""
    row = session.get(Mailbox, link.mailbox_id) if link.mailbox_id else None
    if row is None:
        raise links.GONE
    return view(session, row)


def verify(c: Change, token: str) -> MailboxView:
    """The mailbox is its owner's: whoever has the token reads there. Raises NotFound, InTrash."""
    link = links.use(c, token, links.Purpose.MAILBOX)
    row = c.session.get(Mailbox, link.mailbox_id)
    if row is None:
        raise links.GONE
    if row.deleted_at is not None:
        raise InTrash("mailbox", f"Mailbox {row.address} is in the trash. Restore it first.")
    before = view(c.session, row)
    row.verified_at = row.verified_at or c.now
    verified = MAILBOXES.edited(c, row, before, "verify")
    _take_roles(c, row)
    return verified


def prefer(c: Change, name: str) -> MailboxView:
    """Have new aliases lead there, and no more to another. Raises NotFound, InTrash."""
    row = MAILBOXES.living(c.session, name)
    others = (Mailbox.owner_id == row.owner_id, Mailbox.preferred, Mailbox.id != row.id)
    c.session.execute(update(Mailbox).where(*others).values(preferred=False))
    before = view(c.session, row)
    row.preferred = True
    return MAILBOXES.edited(c, row, before)


def first_of(session: Session, owner_id: int) -> int | None:
    """The id of the oldest mailbox of an owner that mail can go to."""
    good = (Mailbox.owner_id == owner_id, Mailbox.verified_at.is_not(None), Mailbox.deleted_at.is_(None))
    return session.scalar(select(Mailbox.id).where(*good).order_by(Mailbox.id).limit(1))


def of_owner(session: Session, owner_id: int, addresses: Sequence[str]) -> list[int]:
    """The ids of an owner's mailboxes by address or UUID, in that order, each once. Raises NotFound, Invalid."""
    ids = []
    for name in addresses:
        uuid = as_uuid(name)
        match = Mailbox.uuid == uuid if uuid else Mailbox.key == read.address("mailbox", name).key
        own = (match, Mailbox.owner_id == owner_id, Mailbox.deleted_at.is_(None))
        found = session.scalar(select(Mailbox.id).where(*own))
        if found is None:
            raise NotFound("mailbox", f"The owner has no mailbox {name}. Add it for them first.")
        ids.append(found)
    if not ids:
        raise Invalid("mailbox", "Choose at least one mailbox.")
    return list(dict.fromkeys(ids))


def page(
    session: Session, *, owner: str | None = None, trash: bool = False, after: int = 0, limit: int = PAGE
) -> tuple[MailboxView, ...]:
    """Mailboxes with an id above `after`, by id; of one owner if asked."""
    chosen = select(Mailbox, User.email).join(User, User.id == Mailbox.owner_id)
    chosen = chosen.where(Mailbox.id > after, owned(session, Mailbox.owner_id)).order_by(Mailbox.id).limit(limit)
    if owner is not None:
        chosen = chosen.where(Mailbox.owner_id == members.find(session, owner).id)
    if not trash:
        chosen = chosen.where(Mailbox.deleted_at.is_(None))
    return tuple(_view(row, email) for row, email in session.execute(chosen))

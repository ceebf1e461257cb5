"""Aliases: declared addresses on our domains that stand for mailboxes.

A deleted alias keeps its address, so that nobody else ever gets its mail; `restore` brings it back as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import Row, select
from sqlalchemy import delete as delete_from
from sqlalchemy.orm import Session

from smtpy.admin import domains, mailboxes, members, read, tags
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, Kind, as_uuid
from smtpy.admin.refusals import AlreadyThere, InTrash, NotFound
from smtpy.admin.scope import owned
from smtpy.admin.trash import SPENT
from smtpy.directory.entries import Mode, WhenOff
from smtpy.mail.address import Address, fold
from smtpy.store.schema import Alias, AliasMailbox, Domain, Mailbox, User


class Choices(TypedDict, total=False):
    """What may be set of an alias; a key that is missing stays as it is."""

    to: Sequence[str]  # mailboxes by address or UUID
    mode: Mode
    when_off: WhenOff
    expires_at: datetime | None
    note: str
    tags: Sequence[str]
    pinned: bool


@dataclass(frozen=True, slots=True)
class AliasView:
    """An alias as people see one."""

    id: int
    uuid: str
    address: str
    owner: str
    mailboxes: tuple[str, ...]
    enabled: bool
    when_off: str
    mode: str
    expires_at: datetime | None
    note: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    tags: tuple[str, ...]
    pinned: bool
    last_at: datetime | None

    def state(self, now: datetime) -> str:
        """on, off, expired or trash: the first that holds from the last."""
        if self.deleted_at is not None:
            return "trash"
        if not self.enabled:
            return "off"
        return "expired" if self.expires_at and self.expires_at <= now else "on"


COLUMNS = (
    select(Alias, Domain.name, User.email)
    .join(Domain, Domain.id == Alias.domain_id)
    .join(User, User.id == Alias.owner_id)
)


def find(session: Session, name: str) -> Alias:
    """By address or UUID. Raises NotFound."""
    chosen = select(Alias).where(owned(session, Alias.owner_id))
    if uuid := as_uuid(name):
        chosen = chosen.where(Alias.uuid == uuid)
    else:
        address = read.address("alias", name)
        on_domain = Domain.name == address.domain
        chosen = chosen.join(Domain, Domain.id == Alias.domain_id).where(on_domain, Alias.local == fold(address.local))
    row = session.scalar(chosen)
    if row is None:
        raise NotFound("alias", f"There is no alias {name}. Add it first.")
    return row


def view(session: Session, row: Alias) -> AliasView:
    """What is shown of an alias."""
    return views(session, session.execute(COLUMNS.where(Alias.id == row.id)).all())[0]


def views(session: Session, rows: Sequence["Row[Alias, str, str]"]) -> tuple[AliasView, ...]:
    """Views of rows of COLUMNS, their mailboxes and tags read at once."""
    behind: dict[int, list[str]] = {alias.id: [] for alias, _, _ in rows}
    chosen = select(AliasMailbox.alias_id, Mailbox.address).join(Mailbox, Mailbox.id == AliasMailbox.mailbox_id)
    chosen = chosen.where(AliasMailbox.alias_id.in_(behind)).order_by(AliasMailbox.position)
    for alias_id, address in session.execute(chosen):
        behind[alias_id].append(address)
    borne = tags.borne(session, behind)
    return tuple(
        AliasView(
            *(row.id, row.uuid, str(Address(row.local, domain)), owner, tuple(behind[row.id]), row.enabled),
            *(row.when_off.value, row.mode.value, row.expires_at, row.note),
            *(row.created_at, row.updated_at, row.deleted_at),
            tags=borne[row.id],
            pinned=row.pinned,
            last_at=row.last_at,
        )
        for row, domain, owner in rows
    )


def _is_spent(session: Session, row: Alias) -> bool:
    return session.scalar(select(Alias.id).where(Alias.id == row.id, SPENT)) is not None


def _may_restore(c: Change, row: Alias) -> None:
    if _is_spent(c.session, row):
        raise InTrash("address", "It was in the trash for so long that only its address is kept. Add it anew.")
    members.refuse_trashed(c, row.owner_id)
    left = select(AliasMailbox.mailbox_id).join(Mailbox, Mailbox.id == AliasMailbox.mailbox_id)
    if c.session.scalar(left.where(AliasMailbox.alias_id == row.id, Mailbox.deleted_at.is_(None)).limit(1)) is None:
        raise InTrash("mailbox", "Its mailboxes are all in the trash. Restore one first.")


ALIASES = Kind("alias", find, view, lambda alias: alias.address, may_restore=_may_restore)
show, on, off, delete, restore = ALIASES.show, ALIASES.on, ALIASES.off, ALIASES.delete, ALIASES.restore


def add(c: Change, address: str, *, owner: str | None = None, **choices: Unpack[Choices]) -> AliasView:
    """A new alias, of the domain's owner unless told otherwise, with mode and when-off of the domain.

    Raises Invalid, NotFound, AlreadyThere, InTrash.
    """
    found = read.alias_address(address)
    domain = domains.DOMAINS.living(c.session, found.domain)
    owner_id = members.USERS.living(c.session, owner).id if owner else domain.owner_id
    local = fold(found.local)
    there = c.session.scalar(select(Alias).where(Alias.domain_id == domain.id, Alias.local == local))
    if there is not None:
        _refuse_taken(c, there, str(found), owner_id)
    row = there or Alias(domain_id=domain.id, owner_id=owner_id, local=local)
    row.enabled, row.created_at, row.deleted_at = True, c.now, None
    row.mode, row.when_off = domain.default_mode, domain.when_off
    behind = mailboxes.of_owner(c.session, owner_id, choices.get("to", ()))
    _choose(row, choices)
    c.session.add(row)
    c.session.flush()
    _lead(c, row, behind)
    if "tags" in choices:
        tags.bear(c, row, choices["tags"])
    return ALIASES.added(c, row)


def _refuse_taken(c: Change, there: Alias, found: str, owner_id: int) -> None:
    """An address that was used before is free for who had it. Raises AlreadyThere, InTrash."""
    if there.deleted_at is None:
        raise AlreadyThere("address", f"{found} is there already. Choose another address.")
    if not _is_spent(c.session, there):
        words = f"{found} is in the trash, which keeps the address. Restore it, or choose another one."
        raise InTrash("address", words)
    if there.owner_id != owner_id:
        raise InTrash("address", f"{found} was somebody else's, and is kept for them. Choose another address.")


def set_(c: Change, name: str, **choices: Unpack[Choices]) -> AliasView:
    """Other choices for an alias. Raises Invalid, NotFound, InTrash."""
    row = ALIASES.living(c.session, name)
    before = view(c.session, row)
    _choose(row, choices)
    if "to" in choices:
        _lead(c, row, mailboxes.of_owner(c.session, row.owner_id, choices["to"]))
    if "tags" in choices:
        tags.bear(c, row, choices["tags"])
    return ALIASES.edited(c, row, before)


def _choose(row: Alias, choices: Choices) -> None:
    if "mode" in choices:
        row.mode = read.mode(choices["mode"])
    if "when_off" in choices:
        row.when_off = choices["when_off"]
    if "expires_at" in choices:
        row.expires_at = choices["expires_at"]
    if "note" in choices:
        row.note = read.note(choices["note"])
    if "pinned" in choices:
        row.pinned = choices["pinned"]


def _lead(c: Change, row: Alias, mailbox_ids: Sequence[int]) -> None:
    """Lead the alias to these mailboxes and no others."""
    c.session.execute(delete_from(AliasMailbox).where(AliasMailbox.alias_id == row.id))
    for position, mailbox_id in enumerate(mailbox_ids):
        c.session.add(AliasMailbox(alias_id=row.id, mailbox_id=mailbox_id, position=position))
    c.session.flush()


def page(
    session: Session,
    *,
    domain: str | None = None,
    owner: str | None = None,
    trash: bool = False,
    after: int = 0,
    limit: int = PAGE,
) -> tuple[AliasView, ...]:
    """Aliases with an id above `after`, by id; of one domain or owner if asked."""
    chosen = COLUMNS.where(Alias.id > after, owned(session, Alias.owner_id)).order_by(Alias.id).limit(limit)
    if domain is not None:
        chosen = chosen.where(Alias.domain_id == domains.find(session, domain).id)
    if owner is not None:
        chosen = chosen.where(Alias.owner_id == members.find(session, owner).id)
    chosen = chosen.where(~SPENT if trash else Alias.deleted_at.is_(None))
    return views(session, session.execute(chosen).all())

"""Domains: those whose mail comes here.

A domain on which somebody's mailbox is cannot become ours: mail to that mailbox would come back here. Nor can our own
hostname, which as a domain would have its roles no more. A new domain has a pair of signing keys waiting, so that all
its records can be published at once. What a member adds is off until its DNS has shown that it is theirs
(smtpy.admin.ownership).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict, Unpack

from sqlalchemy import select
from sqlalchemy.orm import Session

from smtpy.admin import mailboxes, members, ownership, pairs, read
from smtpy.admin.change import Change
from smtpy.admin.kinds import PAGE, Kind, as_uuid
from smtpy.admin.refusals import InTrash, InUse, Invalid, NotFound
from smtpy.admin.scope import owned, viewer_of
from smtpy.directory.entries import Mode, OnDmarc, WhenOff
from smtpy.store.schema import Automatic, AutomaticMailbox, Domain, Mailbox, User

SEPARATORS = "+-_=."
MAX_LABELS = 10  # of a name whose DNS is to be asked for
MAX_NUMBER = 2**63 - 1  # what a BIGINT column holds


class Choices(TypedDict, total=False):
    """What may be set of a domain; a key that is missing stays as it is, None takes the choice away."""

    role_mailbox: str | None  # address or UUID
    when_off: WhenOff
    default_mode: Mode
    max_message_bytes: int | None
    extension_separator: str | None
    on_reject: OnDmarc
    on_quarantine: OnDmarc


@dataclass(frozen=True, slots=True)
class DomainView:
    """A domain as people see one. `proven_at` None: off until its DNS shows that its owner wants it here."""

    id: int
    uuid: str
    name: str
    owner: str
    enabled: bool
    when_off: str
    default_mode: str
    role_mailbox: str | None
    max_message_bytes: int | None
    extension_separator: str | None
    on_reject: str
    on_quarantine: str
    proven_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


_COLUMNS = (
    select(Domain, User.email, Mailbox.address)
    .join(User, User.id == Domain.owner_id)
    .outerjoin(Mailbox, Mailbox.id == Domain.role_mailbox_id)
)


def find(session: Session, name: str) -> Domain:
    """By name or UUID. Raises NotFound."""
    uuid = as_uuid(name)
    wanted = Domain.uuid == uuid if uuid else Domain.name == read.domain_name(name)
    row = session.scalar(select(Domain).where(wanted, owned(session, Domain.owner_id)))
    if row is None:
        raise NotFound("domain", f"{name} is no domain of this service. Add it first.")
    return row


def view(session: Session, row: Domain) -> DomainView:
    """What is shown of a domain."""
    return _view(*session.execute(_COLUMNS.where(Domain.id == row.id)).one())


def views(session: Session, ids: Collection[int]) -> dict[int, DomainView]:
    """What is shown of many, by id, the viewer's own."""
    chosen = _COLUMNS.where(Domain.id.in_(ids), owned(session, Domain.owner_id))
    return {row[0].id: _view(*row) for row in session.execute(chosen)}


def _view(row: Domain, owner: str, role_mailbox: str | None) -> DomainView:
    return DomainView(
        *(row.id, row.uuid, row.name, owner, row.enabled, row.when_off.value, row.default_mode.value),
        *(role_mailbox, row.max_message_bytes, row.extension_separator, row.on_reject.value, row.on_quarantine.value),
        *(row.proven_at, row.created_at, row.updated_at, row.deleted_at),
    )


def _refuse_taken(c: Change, name: str, *, proven: bool) -> None:
    """Raises Invalid, InUse when the name stands for something else.

    Whose mailbox is on it is told to its owner and to operators only; to a domain that is not `proven` to be theirs
    others' mailboxes are no obstacle yet, for a stranger must not learn of them.
    """
    if name == c.hostname:
        raise Invalid(
            "domain", f"{name} is this mail server's own name, whose roles it has already. Choose another name."
        )
    viewer = viewer_of(c.session)
    on_it = (Mailbox.domain == name, Mailbox.deleted_at.is_(None))
    found = select(Mailbox.address).where(*on_it, owned(c.session, Mailbox.owner_id)).limit(1)
    if (address := c.session.scalar(found)) is not None:
        raise InUse("domain", f"Mailbox {address} is on {name} and would get its own mail back. Delete it first.")
    if viewer is not None and proven and c.session.scalar(select(Mailbox.id).where(*on_it).limit(1)) is not None:
        raise InUse("domain", f"Somebody's mailbox is on {name} and would get its own mail back. Ask the operator.")


def _may_restore(c: Change, row: Domain) -> None:
    members.refuse_trashed(c, row.owner_id)
    _refuse_taken(c, row.name, proven=row.proven_at is not None)
    left = select(AutomaticMailbox.automatic_id).join(Mailbox).where(Mailbox.deleted_at.is_(None))
    idle = select(Automatic.id).where(Automatic.domain_id == row.id, Automatic.id.not_in(left)).limit(1)
    if (rule := c.session.scalar(idle)) is not None:
        raise InTrash(
            "rule", f"The mailboxes of rule {rule} are all in the trash. Restore one, or delete the rule first."
        )


DOMAINS = Kind("domain", find, view, lambda domain: domain.name, may_restore=_may_restore)
show, off, delete, restore = DOMAINS.show, DOMAINS.off, DOMAINS.delete, DOMAINS.restore


def on(c: Change, name: str) -> DomainView:
    """Switch on; an operator's word proves what no check has. Raises NotFound, InTrash, Invalid, InUse."""
    row = DOMAINS.living(c.session, name)
    if row.proven_at is None and viewer_of(c.session) is None:
        return prove(c, name)
    if row.proven_at is None:
        raise Invalid("domain", f"{row.name} is switched on by itself once its DNS shows the record of ownership.")
    return DOMAINS.on(c, name)


def prove(c: Change, name: str) -> DomainView:
    """From now on its mail comes here. Idempotent. Raises NotFound, InTrash, Invalid, InUse."""
    row = DOMAINS.living(c.session, name)
    before = view(c.session, row)
    if row.proven_at is None:
        _refuse_taken(c, row.name, proven=True)
        row.proven_at, row.enabled = c.now, True
    return DOMAINS.edited(c, row, before, "prove")


def add(c: Change, name: str, *, owner: str, **choices: Unpack[Choices]) -> DomainView:
    """A new domain; its roles go to its owner's first mailbox unless told otherwise. A member's is unproven.

    Raises Invalid, NotFound, AlreadyThere, InTrash, InUse.
    """
    user = members.USERS.living(c.session, owner)
    name = read.domain_name(name)
    if "_" in name or "." not in name or name.replace(".", "").isdigit():
        raise Invalid("domain", f"{name} is no domain: it has letters, digits and hyphens only, and a name at its end.")
    if name.count(".") >= MAX_LABELS:
        raise Invalid("domain", f"{name} has more than {MAX_LABELS} labels. Choose a shorter name.")
    ownership.make_room(c, name, user.id)
    proven = viewer_of(c.session) is None
    _refuse_taken(c, name, proven=proven)
    row = Domain(name=name, owner_id=user.id, role_mailbox_id=mailboxes.first_of(c.session, user.id))
    row.enabled, row.proven_at = proven, c.now if proven else None
    _choose(c, row, choices)
    added = DOMAINS.added(c, row)
    if c.vault is not None:
        pairs.make(c, row)
    return added


def set_(c: Change, name: str, **choices: Unpack[Choices]) -> DomainView:
    """Other choices for a domain. Raises Invalid, NotFound, InTrash."""
    row = DOMAINS.living(c.session, name)
    before = view(c.session, row)
    _choose(c, row, choices)
    return DOMAINS.edited(c, row, before)


def _choose(c: Change, row: Domain, choices: Choices) -> None:
    for name, value in choices.items():
        if name == "role_mailbox":
            row.role_mailbox_id = mailboxes.of_owner(c.session, row.owner_id, [str(value)])[0] if value else None
        else:
            setattr(row, name, READERS[name](value))


def _limit(octets: int | None) -> int | None:
    if octets is not None and not 1 <= octets <= MAX_NUMBER:
        raise Invalid("max_message_bytes", f"A limit is at least one octet, and at most {MAX_NUMBER}.")
    return octets


def _separator(text: str | None) -> str | None:
    if text and text not in tuple(SEPARATORS):
        raise Invalid("extension_separator", f"An extension separator is one of {' '.join(SEPARATORS)}")
    return text or None


READERS: dict[str, Callable[[Any], object]] = {
    "when_off": WhenOff,
    "default_mode": read.mode,
    "max_message_bytes": _limit,
    "extension_separator": _separator,
    "on_reject": OnDmarc,
    "on_quarantine": OnDmarc,
}


def page(
    session: Session, *, owner: str | None = None, trash: bool = False, after: int = 0, limit: int = PAGE
) -> tuple[DomainView, ...]:
    """Domains with an id above `after`, by id; of one owner if asked."""
    chosen = _COLUMNS.where(Domain.id > after, owned(session, Domain.owner_id)).order_by(Domain.id).limit(limit)
    if owner is not None:
        chosen = chosen.where(Domain.owner_id == members.find(session, owner).id)
    if not trash:
        chosen = chosen.where(Domain.deleted_at.is_(None))
    return tuple(_view(*row) for row in session.execute(chosen))

"""Automatic aliases: rules by which addresses of a domain exist without being declared.

Rules with a pattern are tried in the order in which they were added; a domain has one catch-all at most, tried last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy import delete as delete_from
from sqlalchemy.orm import Session

from smtpy.admin import domains, mailboxes, read
from smtpy.admin.change import Change
from smtpy.admin.kinds import as_uuid
from smtpy.admin.refusals import AlreadyThere, NotFound
from smtpy.admin.scope import owned
from smtpy.directory.entries import Mode
from smtpy.directory.patterns import matches
from smtpy.mail.address import fold
from smtpy.store.schema import Automatic, AutomaticMailbox, Domain, Mailbox


@dataclass(frozen=True, slots=True)
class AutomaticView:
    """An automatic alias as people see one; `pattern` None is the catch-all."""

    id: int
    uuid: str
    domain: str
    position: int
    pattern: str | None
    mailboxes: tuple[str, ...]
    enabled: bool
    mode: str
    created_at: datetime
    updated_at: datetime

    @property
    def subject(self) -> str:
        """Its name in the audit trail."""
        return f"rule {self.id} of {self.domain}"


def find(session: Session, name: str) -> Automatic:
    """By id or UUID. Raises NotFound."""
    uuid = as_uuid(name)
    row = None
    if uuid or (name.isascii() and name.isdigit() and len(name) < 19):
        match = Automatic.uuid == uuid if uuid else Automatic.id == int(name)
        chosen = select(Automatic).join(Domain, Domain.id == Automatic.domain_id)
        row = session.scalar(chosen.where(match, owned(session, Domain.owner_id)))
    if row is None:
        raise NotFound("rule", f"There is no rule {name}. The list has their ids.")
    return row


def view(session: Session, row: Automatic) -> AutomaticView:
    """What is shown of an automatic alias."""
    return _views(session, [row])[0]


def _views(session: Session, rows: Sequence[Automatic]) -> tuple[AutomaticView, ...]:
    """The same of many, with what belongs to them read at once."""
    domains_of = select(Domain.id, Domain.name).where(Domain.id.in_({row.domain_id for row in rows}))
    names: dict[int, str] = {number: name for number, name in session.execute(domains_of)}  # noqa: C416 - a row is no tuple to mypy
    behind: dict[int, list[str]] = {row.id: [] for row in rows}
    chosen = select(AutomaticMailbox.automatic_id, Mailbox.address)
    chosen = chosen.join(Mailbox, Mailbox.id == AutomaticMailbox.mailbox_id)
    chosen = chosen.where(AutomaticMailbox.automatic_id.in_(behind)).order_by(AutomaticMailbox.position)
    for number, address in session.execute(chosen):
        behind[number].append(address)
    return tuple(
        AutomaticView(
            *(row.id, row.uuid, names[row.domain_id], row.position, row.pattern, tuple(behind[row.id]), row.enabled),
            *(row.mode.value, row.created_at, row.updated_at),
        )
        for row in rows
    )


def show(session: Session, name: str) -> AutomaticView:
    """One rule. Raises NotFound."""
    return view(session, find(session, name))


def add(c: Change, domain: str, pattern: str, *, to: Sequence[str], mode: Mode | None = None) -> AutomaticView:
    """A rule after the others of the domain. Raises Invalid, NotFound, AlreadyThere."""
    owner = domains.DOMAINS.living(c.session, domain)
    pattern = read.pattern(pattern)
    same = (Automatic.domain_id == owner.id, Automatic.pattern == pattern)
    if c.session.scalar(select(Automatic.id).where(*same)) is not None:
        raise AlreadyThere(
            "pattern", f"{owner.name} has a rule {pattern} already. Change that one, or write another pattern."
        )
    return _make(c, owner, pattern, to, mode)


def catch_all(c: Change, domain: str, *, to: Sequence[str], mode: Mode | None = None) -> AutomaticView:
    """Let every address of the domain exist, in the place of an earlier catch-all. Raises Invalid, NotFound."""
    owner = domains.DOMAINS.living(c.session, domain)
    row = c.session.scalar(_catch_all(owner))
    if row is None:
        return _make(c, owner, None, to, mode)
    before = view(c.session, row)
    row.enabled, row.mode = True, read.mode(mode) if mode else row.mode
    _lead(c, row, mailboxes.of_owner(c.session, owner.owner_id, to))
    after = view(c.session, row)
    return c.record("rule.set", after.subject, before, after)


def no_catch_all(c: Change, domain: str) -> None:
    """Only what is declared or matches a pattern exists. Idempotent. Raises NotFound."""
    row = c.session.scalar(_catch_all(domains.DOMAINS.living(c.session, domain)))
    if row is not None:
        _remove(c, row)


def delete(c: Change, name: str) -> AutomaticView:
    """Take a rule away for good: it owns no address that would have to be kept. Raises NotFound."""
    row = find(c.session, name)
    return _remove(c, row)


def page(session: Session, domain: str) -> tuple[AutomaticView, ...]:
    """The rules of a domain in the order in which they are tried."""
    chosen = select(Automatic).where(Automatic.domain_id == domains.find(session, domain).id)
    chosen = chosen.order_by(Automatic.pattern.is_(None), Automatic.position, Automatic.id)
    return _views(session, session.scalars(chosen).all())


def tried(rules: Sequence[AutomaticView], local: str) -> AutomaticView | None:
    """The rule, of a domain's in their order, by which that local part would exist; None: by none."""
    folded = fold(local)
    return next((each for each in rules if each.enabled and _takes(each.pattern, folded)), None)


def fits(pattern: str, local: str) -> bool:
    """Whether a pattern that is no rule yet takes that local part. Raises Invalid."""
    return _takes(read.pattern(pattern), fold(local))


def _takes(pattern: str | None, folded: str) -> bool:
    return pattern is None or matches(pattern, folded)


def _make(c: Change, domain: Domain, pattern: str | None, to: Sequence[str], mode: Mode | None) -> AutomaticView:
    highest = select(func.max(Automatic.position)).where(Automatic.domain_id == domain.id)
    row = Automatic(domain_id=domain.id, pattern=pattern, position=(c.session.scalar(highest) or 0) + 1)
    row.mode = read.mode(mode) if mode else domain.default_mode
    behind = mailboxes.of_owner(c.session, domain.owner_id, to)
    c.session.add(row)
    c.session.flush()
    _lead(c, row, behind)
    made = view(c.session, row)
    return c.record("rule.add", made.subject, None, made)


def _lead(c: Change, row: Automatic, mailbox_ids: Sequence[int]) -> None:
    """Lead the rule to these mailboxes and no others."""
    c.session.execute(delete_from(AutomaticMailbox).where(AutomaticMailbox.automatic_id == row.id))
    for position, mailbox_id in enumerate(mailbox_ids):
        c.session.add(AutomaticMailbox(automatic_id=row.id, mailbox_id=mailbox_id, position=position))
    c.session.flush()


def _remove(c: Change, row: Automatic) -> AutomaticView:
    before = view(c.session, row)
    c.session.execute(delete_from(Automatic).where(Automatic.id == row.id))
    c.removed("rule.delete", before.subject, before)
    return before


def _catch_all(domain: Domain) -> "Select[Automatic]":
    return select(Automatic).where(Automatic.domain_id == domain.id, Automatic.pattern.is_(None))

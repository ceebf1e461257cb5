"""What else is shown of mailboxes: how many aliases lead there, and whether replies from there would be believed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin.mailboxes import MailboxView
from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Alias, AliasMailbox, Mailbox
from smtpy.zone.records import Kind

UNCHECKED = "unchecked"  # beside the statuses of smtpy.zone.findings


@dataclass(frozen=True, slots=True)
class Facts:
    """`replies` is what the last check of its domain found; `told` and `todo` are for people."""

    aliases: int = 0
    replies: str = UNCHECKED
    told: str = ""
    todo: str = ""


def facts(session: Session, views: Sequence[MailboxView]) -> dict[int, Facts]:
    """Of these mailboxes, by their ids: three statements, however many they are."""
    counted = _leading(session, [each.id for each in views])
    names = {each.address.rpartition("@")[2] for each in views}
    checks = select(DomainCheck).where(DomainCheck.subject.in_(names), DomainCheck.kind == Kind.REPLIES.value)
    found = {row.subject: row for row in session.scalars(checks)}
    return {each.id: _facts(counted[each.id], found.get(each.address.rpartition("@")[2])) for each in views}


def _leading(session: Session, mailbox_ids: Sequence[int]) -> Counter[int]:
    """How many aliases lead to each. All are counted in the index alone, then those in the trash, which are few, taken
    off: to look at each of a hundred thousand would take long."""
    of_each = select(AliasMailbox.mailbox_id, func.count()).group_by(AliasMailbox.mailbox_id)
    owners = select(Mailbox.owner_id).where(Mailbox.id.in_(mailbox_ids))
    trashed = select(Alias.id).where(Alias.owner_id.in_(owners), Alias.deleted_at.is_not(None))
    there = of_each.where(AliasMailbox.mailbox_id.in_(mailbox_ids))
    counted = Counter({row[0]: row[1] for row in session.execute(there)})
    counted.subtract({row[0]: row[1] for row in session.execute(of_each.where(AliasMailbox.alias_id.in_(trashed)))})
    return counted


def _facts(aliases: int, check: DomainCheck | None) -> Facts:
    if check is None:
        return Facts(aliases)
    return Facts(aliases, check.status, ", ".join(check.found), check.todo)

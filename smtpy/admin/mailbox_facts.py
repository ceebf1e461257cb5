"""What else is shown of mailboxes: how many aliases lead there, and whether replies from there would be believed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin.mailboxes import MailboxView
from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Alias, AliasMailbox
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
    """Of these mailboxes, by their ids: two statements, however many they are."""
    leading = select(AliasMailbox.mailbox_id, func.count()).join(Alias, Alias.id == AliasMailbox.alias_id)
    leading = leading.where(AliasMailbox.mailbox_id.in_([each.id for each in views]), Alias.deleted_at.is_(None))
    counted = {row[0]: row[1] for row in session.execute(leading.group_by(AliasMailbox.mailbox_id))}
    names = {each.address.rpartition("@")[2] for each in views}
    checks = select(DomainCheck).where(DomainCheck.subject.in_(names), DomainCheck.kind == Kind.REPLIES.value)
    found = {row.subject: row for row in session.scalars(checks)}
    return {each.id: _facts(counted.get(each.id, 0), found.get(each.address.rpartition("@")[2])) for each in views}


def _facts(aliases: int, check: DomainCheck | None) -> Facts:
    if check is None:
        return Facts(aliases)
    return Facts(aliases, check.status, ", ".join(check.found), check.todo)

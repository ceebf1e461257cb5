"""A member's data: all of it to take along, and the end of their account.

Nothing that opens something is in what is taken along: no hashes, seeds, keys. An account that is deleted lies in the
trash with all that is its own, which keeps every address and domain from being given to somebody else; for `trash_days`
an operator can bring it back, then it is gone (smtpy.admin.trash).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from smtpy.admin import (
    aliases,
    api_keys,
    automatics,
    domains,
    mailboxes,
    members,
    messages,
    passkeys,
    roll,
    sessions,
    tags,
    trail,
)
from smtpy.admin.change import Change
from smtpy.admin.sessions import Member
from smtpy.store.accounts import ApiKey, OneTimeLink
from smtpy.store.schema import Alias, Domain, Mailbox

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BATCH = 200  # rows read at once
TRAIL = 10_000  # acts
Part = tuple[str, Iterator[dict[str, Any]]]


def parts(session: Session, member: Member) -> Iterator[Part]:
    """Name and rows of each part, read as they are taken; the session sees what is the member's."""
    yield "account", _rows([members.show(session, member.uuid)])
    yield "domains", _rows(_pages(lambda after: domains.page(session, trash=True, after=after, limit=BATCH)))
    yield "mailboxes", _rows(_pages(lambda after: mailboxes.page(session, trash=True, after=after, limit=BATCH)))
    yield "aliases", _rows(_pages(lambda after: aliases.page(session, trash=True, after=after, limit=BATCH)))
    yield "rules", _rules(session)
    yield "tags", _rows(tags.page(session, limit=BATCH))
    yield "passkeys", _rows(passkeys.of_member(session, member.id))
    yield "api_keys", _rows(api_keys.of_member(session, member.id))
    yield "sessions", _rows(sessions.of_member(session, member.id))
    yield "activity", _rows(trail.of_account(session, member.email, limit=TRAIL))
    yield "messages", _messages(session)


def _rows(views: "Iterable[DataclassInstance]") -> Iterator[dict[str, Any]]:
    for view in views:
        yield {name: value for name, value in asdict(view).items() if name != "id"}


def _pages(page: Callable[[int], tuple[Any, ...]]) -> Iterator[Any]:
    after = 0
    while found := page(after):
        yield from found
        after = found[-1].id


def _rules(session: Session) -> Iterator[dict[str, Any]]:
    for domain in _pages(lambda after: domains.page(session, trash=True, after=after, limit=BATCH)):
        yield from _rows(automatics.page(session, domain.uuid))


def _messages(session: Session) -> Iterator[dict[str, Any]]:
    before = None
    while True:
        found = messages.page(session, before=before, limit=BATCH)
        yield from _rows(found.messages)
        before = found.before
        if before is None:
            return


def leave(c: Change, member: Member) -> None:
    """Put the account and all that is its own into the trash. Raises InUse for the last administrator."""
    user = members.find(c.session, member.uuid)
    roll.keep_one(c, user)
    for table, kind in ((Alias, aliases.ALIASES), (Domain, domains.DOMAINS), (Mailbox, mailboxes.MAILBOXES)):
        alive = select(table.uuid).where(table.owner_id == user.id, table.deleted_at.is_(None))
        for uuid in c.session.scalars(alive).all():
            kind.delete(c, uuid)
    members.delete(c, member.uuid)
    c.session.execute(update(ApiKey).where(ApiKey.user_id == user.id).values(revoked_at=c.now))
    for link in c.session.scalars(select(OneTimeLink).where(OneTimeLink.user_id == user.id)):
        c.session.delete(link)
    sessions.revoke_all(c, user.id)


def owns(session: Session, member: Member) -> dict[str, int]:
    """How many of each are theirs, the trash left out."""
    return {
        noun: session.scalar(select(func.count()).where(table.owner_id == member.id, table.deleted_at.is_(None))) or 0
        for noun, table in (("domains", Domain), ("mailboxes", Mailbox), ("aliases", Alias))
    }

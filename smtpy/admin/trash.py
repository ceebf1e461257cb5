"""What has lain in the trash for long enough goes, and how little stays.

An alias leaves its address behind, which nobody but its owner may have again: its row stays in the trash, leads nowhere
and tells nothing more. A domain goes with all that is on it; its name is whose DNS says it is. A mailbox goes once
nothing leads to it. A user goes with all that is theirs alone. Who leaves addresses behind on domains of others, or
mail in the journal, leaves them without a name: SQLite gives the number of a row that is gone to the next one, and with
it would go what the journal has by that number.

Each function takes away `limit` rows at most and says how many; fewer means that no more are due. What stands on others
goes first: aliases, domains, mailboxes, users. What is due is looked for before the lock of all changes is taken, since
among a million rows that takes seconds, and once more of what was found: some of it may be restored by then.

The journal may have a million rows of one alias that senders do not let go of. They know it by its number, so the row
of an alias goes only with its domain, and only after they have been made to forget it, a part at a time.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, Select, and_, delete, or_, select, tuple_, update
from sqlalchemy.orm import Session

from smtpy.admin.change import Change, change, reading
from smtpy.store.columns import Base
from smtpy.store.records import JournalRecipient
from smtpy.store.schema import Alias, AliasMailbox, AutomaticMailbox, Domain, Mailbox, SigningKey, User

ACTOR = "purge"  # in the audit trail
NOBODY = "@deleted.invalid"  # RFC 2606: there will never be such a domain

LEADS = select(AliasMailbox.alias_id).where(AliasMailbox.alias_id == Alias.id).exists()
SPENT = and_(Alias.deleted_at.is_not(None), ~LEADS)  # nothing but its address is left of it
NAMELESS = and_(User.deleted_at.is_not(None), User.key.endswith(NOBODY))  # nothing but a number is left of them


def aliases(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then; their addresses stay."""
    due = and_(Alias.deleted_at < before, LEADS)
    found = _found(engine, select(Alias.id).where(due), limit)
    if not found:
        return 0
    with change(engine, by=ACTOR) as c:
        rows = c.session.scalars(select(Alias).where(Alias.id.in_(found), due)).all()
        _clear(c, Alias, found := [row.id for row in rows])  # mailboxes, tags, counts and senders
        for row in rows:
            row.note, row.pinned, row.expires_at, row.last_at = "", False, None, None
        _note(c, Alias, found)
    return len(found)


def domains(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then, once their aliases are gone, for which it may take several rounds."""
    due = select(Domain.id).where(Domain.deleted_at < before)
    if not _found(engine, due, 1):
        return 0
    on_them = select(Alias.id).where(Alias.domain_id.in_(due))
    found = _found(engine, on_them, limit)
    if found and _forget(engine, found, limit):
        return limit
    with change(engine, by=ACTOR) as c:
        standing = _ids(c.session, on_them.where(Alias.id.in_(found)), limit)
        _take(c, Alias, standing)
        if len(standing) == limit:
            return limit
        empty = ~select(1).where(Alias.domain_id == Domain.id).exists()
        gone = _ids(c.session, due.where(empty), limit - len(standing))
        c.session.execute(delete(SigningKey).where(SigningKey.domain_id.in_(gone)))
        _take(c, Domain, gone)
    return len(standing) + len(gone)


def mailboxes(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then to which nothing leads."""
    led_to = (each.mailbox_id == Mailbox.id for each in (AliasMailbox, AutomaticMailbox))
    free = (~select(1).where(each).exists() for each in led_to)
    due = select(Mailbox.id).where(Mailbox.deleted_at < before, *free)
    found = _found(engine, due, limit)
    if not found:
        return 0
    with change(engine, by=ACTOR) as c:
        gone = _ids(c.session, due.where(Mailbox.id.in_(found)), limit)
        _take(c, Mailbox, gone)
    return len(gone)


def users(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then who own nothing else; of whom something is kept loses name and all else."""
    owning = {table: select(1).where(table.owner_id == User.id) for table in (Domain, Mailbox, Alias)}
    more = or_(owning[Domain].exists(), owning[Mailbox].exists(), owning[Alias].where(~SPENT).exists())
    left = or_(owning[Alias].exists(), select(1).where(JournalRecipient.owner_id == User.id).exists())
    due = select(User.id).where(User.deleted_at < before, ~more, or_(~NAMELESS, ~left))
    found = _found(engine, due, limit)
    if not found:
        return 0
    with change(engine, by=ACTOR) as c:
        gone = _ids(c.session, due.where(User.id.in_(found)), limit)
        kept = _ids(c.session, select(User.id).where(User.id.in_(gone), left), limit)
        _take(c, User, [each for each in gone if each not in kept])
        _unname(c, kept)
    return len(gone)


def _unname(c: Change, ids: Sequence[int]) -> None:
    """Nothing that is theirs alone stays, and nobody's name."""
    _clear(c, User, ids)
    for user in c.session.scalars(select(User).where(User.id.in_(ids))):
        user.email = user.key = f"{user.uuid}{NOBODY}"
        user.name, user.password, user.totp, user.totp_step = "", None, None, None
    _note(c, User, ids)


def _clear(c: Change, owner: type[Alias | User], ids: Sequence[int]) -> None:
    """All that would go with these rows."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.references(owner.__table__) and key.ondelete == "CASCADE":  # type: ignore[arg-type]
                c.session.execute(delete(table).where(key.parent.in_(ids)))


def _forget(engine: Engine, ids: Sequence[int], limit: int) -> bool:
    """Have the journal know these aliases no more, in `limit` of its rows; whether there were any."""
    place = (JournalRecipient.journal_id, JournalRecipient.position)
    of_them = select(*place).where(JournalRecipient.alias_id.in_(ids)).limit(limit)
    with engine.begin() as connection:
        forgotten = update(JournalRecipient).where(tuple_(*place).in_(of_them)).values(alias_id=None)
        return connection.execute(forgotten).rowcount > 0


def _found(engine: Engine, chosen: Select[int], limit: int) -> list[int]:
    with reading(engine) as session:
        return _ids(session, chosen, limit)


def _ids(session: Session, chosen: Select[int], limit: int) -> list[int]:
    return list(session.scalars(chosen.order_by(chosen.selected_columns[0]).limit(limit)))


def _take(c: Change, table: type[Alias | Domain | Mailbox | User], ids: Sequence[int]) -> None:
    c.session.execute(delete(table).where(table.id.in_(ids)))
    _note(c, table, ids)


def _note(c: Change, table: type[Base], ids: Sequence[int]) -> None:
    """How many went; their names stay in what was noted of them before."""
    if ids:
        c.note("trash.purge", table.__tablename__, None, {"count": len(ids)})

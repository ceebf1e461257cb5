"""What has lain in the trash for long enough goes, and how little stays.

An alias leaves its address behind, which nobody but its owner may have again: a row in the trash that leads nowhere and
tells nothing more. A domain goes with all that is on it; its name is whose DNS says it is. A mailbox goes once nothing
leads to it. A user goes with all that is theirs alone. Who leaves addresses behind on domains of others, or mail in
the journal, leaves them without a name: SQLite gives the number of a row that is gone to the next one, and with it
would go what the journal has by that number.

Each function takes away `limit` rows at most and says how many; fewer means that no more are due. What stands on others
goes first: aliases, domains, mailboxes, users.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, Select, and_, delete, insert, or_, select

from smtpy.admin.change import Change, change
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
    due = select(Alias.id, Alias.domain_id, Alias.owner_id, Alias.local, Alias.deleted_at)
    with change(engine, by=ACTOR) as c:
        found = c.session.execute(due.where(Alias.deleted_at < before, LEADS).order_by(Alias.id).limit(limit)).all()
        _take(c, Alias, [row.id for row in found])  # with mailboxes, tags, counts and senders
        addresses = [
            {"domain_id": row.domain_id, "owner_id": row.owner_id, "local": row.local, "deleted_at": row.deleted_at}
            for row in found
        ]
        if addresses:
            c.session.execute(insert(Alias), addresses)
    return len(found)


def domains(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then, once their aliases are gone, for which it may take several rounds."""
    with change(engine, by=ACTOR) as c:
        due = select(Domain.id).where(Domain.deleted_at < before)
        standing = _ids(c, select(Alias.id).where(Alias.domain_id.in_(due)), limit)
        _take(c, Alias, standing)
        if len(standing) == limit:
            return limit
        gone = _ids(c, due, limit - len(standing))
        c.session.execute(delete(SigningKey).where(SigningKey.domain_id.in_(gone)))
        _take(c, Domain, gone)
    return len(standing) + len(gone)


def mailboxes(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then to which nothing leads."""
    led_to = (each.mailbox_id == Mailbox.id for each in (AliasMailbox, AutomaticMailbox))
    free = (~select(1).where(each).exists() for each in led_to)
    with change(engine, by=ACTOR) as c:
        gone = _ids(c, select(Mailbox.id).where(Mailbox.deleted_at < before, *free), limit)
        _take(c, Mailbox, gone)
    return len(gone)


def users(engine: Engine, before: datetime, limit: int) -> int:
    """Those thrown away before then who own nothing else; of whom something is kept loses name and all else."""
    owning = {table: select(1).where(table.owner_id == User.id) for table in (Domain, Mailbox, Alias)}
    more = or_(owning[Domain].exists(), owning[Mailbox].exists(), owning[Alias].where(~SPENT).exists())
    left = or_(owning[Alias].exists(), select(1).where(JournalRecipient.owner_id == User.id).exists())
    with change(engine, by=ACTOR) as c:
        due = _ids(c, select(User.id).where(User.deleted_at < before, ~more, or_(~NAMELESS, ~left)), limit)
        kept = _ids(c, select(User.id).where(User.id.in_(due), left), limit)
        _take(c, User, [each for each in due if each not in kept])
        _unname(c, kept)
    return len(due)


def _unname(c: Change, ids: Sequence[int]) -> None:
    """Nothing that is theirs alone stays, and nobody's name."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.references(User.__table__) and key.ondelete == "CASCADE":  # type: ignore[arg-type]
                c.session.execute(delete(table).where(key.parent.in_(ids)))
    for user in c.session.scalars(select(User).where(User.id.in_(ids))):
        user.email = user.key = f"{user.uuid}{NOBODY}"
        user.name, user.password, user.totp, user.totp_step = "", None, None, None
    _note(c, User, ids)


def _ids(c: Change, chosen: Select[int], limit: int) -> list[int]:
    return list(c.session.scalars(chosen.order_by(chosen.selected_columns[0]).limit(limit)))


def _take(c: Change, table: type[Alias | Domain | Mailbox | User], ids: Sequence[int]) -> None:
    c.session.execute(delete(table).where(table.id.in_(ids)))
    _note(c, table, ids)


def _note(c: Change, table: type[Base], ids: Sequence[int]) -> None:
    """How many went; their names stay in what was noted of them before."""
    if ids:
        c.note("trash.purge", table.__tablename__, None, {"count": len(ids)})

"""Whose a domain is, before its DNS has said so: a name that a member has added, and who may add it instead.

What a member adds is unproven: the mail path does not know it (smtpy.store.directory), so nobody's mail is touched by
it. An operator's word proves at once; else a check of DNS that finds the record of ownership at every resolver that
answered (smtpy.admin.checks).

A name can be added once, so an unproven one must not be kept from its real owner. It may be taken over as soon as its
member has put it into the trash, and else after a week: long enough for slow DNS, short enough to wait out, and not to
be prolonged, since taking a name out of the trash and back begins no new week. Its aliases go with it; none of them has
ever had mail. To hold the row for whoever proves first would be quicker, but takes two rows of one name.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from smtpy.admin.change import Change
from smtpy.admin.refusals import AlreadyThere, InTrash, InUse
from smtpy.admin.scope import viewer_of
from smtpy.store.schema import Alias, Domain, SigningKey

GRACE = timedelta(days=7)  # for which an unproven name is kept for who added it
MOST_UNPROVEN = 10  # names that one member may have added and not shown to be theirs


def make_room(c: Change, name: str, owner_id: int) -> None:
    """Have the name be free for that owner. Raises AlreadyThere, InTrash, InUse."""
    there = c.session.scalar(select(Domain).where(Domain.name == name))
    if there is not None:
        if there.owner_id != owner_id and _may_be_taken(c, there):
            take_away(c, there)
        else:
            raise _taken(c, there, owner_id)
    if viewer_of(c.session) is not None:
        _refuse_too_many(c, owner_id)


def _may_be_taken(c: Change, row: Domain) -> bool:
    if row.proven_at is not None:
        return False
    return viewer_of(c.session) is None or row.deleted_at is not None or row.created_at <= c.now - GRACE


def _taken(c: Change, row: Domain, owner_id: int) -> AlreadyThere | InTrash:
    if viewer_of(c.session) is not None and row.owner_id != owner_id:
        if row.proven_at is not None:
            return AlreadyThere("domain", f"Somebody else has {row.name} here. If it is yours, ask the operator.")
        free = f"{row.created_at + GRACE:%Y-%m-%d %H:%M} UTC"
        words = f"Somebody else has added {row.name} and not shown yet that it is theirs."
        return AlreadyThere("domain", f"{words} If it is yours, ask the operator, or add it after {free}.")
    if row.deleted_at is not None:
        return InTrash("domain", f"Domain {row.name} is in the trash. Restore it.")
    return AlreadyThere("domain", f"Domain {row.name} is there already. You find it in the list.")


def take_away(c: Change, row: Domain) -> None:
    """The row, with all that stands on it; rules go by themselves."""
    for table in (Alias, SigningKey):
        c.session.execute(delete(table).where(table.domain_id == row.id))
    c.session.execute(delete(Domain).where(Domain.id == row.id))
    c.note("domain.lose", f"domain {row.name}", {"owner_id": row.owner_id, "created_at": _text(row.created_at)}, None)


def _refuse_too_many(c: Change, owner_id: int) -> None:
    mine = (Domain.owner_id == owner_id, Domain.proven_at.is_(None), Domain.deleted_at.is_(None))
    if (c.session.scalar(select(func.count()).where(*mine)) or 0) >= MOST_UNPROVEN:
        raise InUse(
            "domain", f"{MOST_UNPROVEN} of your domains wait for their DNS. Finish or delete one of them first."
        )


def _text(value: datetime) -> str:
    return value.isoformat()

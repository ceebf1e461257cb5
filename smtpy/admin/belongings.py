"""Whether what becomes of mail to an address is its asker's own matter, for whoever explains it to them.

The mail path knows no owners. What it answers may name mailboxes: of other members, who have aliases on a domain that
is shared, or of the operator, to whom the roles of a domain fall. A member is told what leads to their own mailboxes.
"""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin.scope import owned
from smtpy.store.schema import Alias, Domain, Mailbox


def is_own(session: Session, address: str, alias_id: int | None, mailboxes: Collection[str]) -> bool:
    """Whether the viewer may know: the alias is theirs, or without one the domain, and so are all of the mailboxes."""
    if alias_id is not None:
        mine = select(Alias.id).where(Alias.id == alias_id, owned(session, Alias.owner_id))
    else:
        domain = address.rpartition("@")[2]
        mine = select(Domain.id).where(Domain.name == domain, owned(session, Domain.owner_id))
    if session.scalar(mine) is None:
        return False
    asked = set(mailboxes)
    count = select(func.count(Mailbox.address.distinct()))
    found = session.scalar(count.where(Mailbox.address.in_(asked), owned(session, Mailbox.owner_id)))
    return found == len(asked)

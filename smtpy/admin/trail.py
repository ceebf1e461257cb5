"""The audit trail of one account, for its owner: what was done to how they sign in, by whom, from where.

The trail outlives accounts and knows them by e-mail address, which somebody else may have by now: what was before the
account there is now is theirs who had it then.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from smtpy.store.schema import Audit, User

SHOWN = 30
# What acts about an account begin with.
NOUNS = ("user.", "session.", "totp.", "recovery.", "passkey.", "api_key.", "link.")


@dataclass(frozen=True, slots=True)
class Happening:
    """A row of it. `device`: of a sign-in."""

    id: int
    at: datetime
    act: str
    actor: str
    client: str
    device: str


def of_account(session: Session, email: str, *, limit: int = SHOWN) -> tuple[Happening, ...]:
    """The newest first."""
    about = or_(*(Audit.act.startswith(noun) for noun in NOUNS))
    theirs = or_(Audit.actor == f"web:{email}", Audit.subject == f"user {email}")
    since = select(User.created_at).where(User.email == email).scalar_subquery()
    chosen = select(Audit).where(theirs, about, Audit.at >= since)
    rows = session.scalars(chosen.order_by(Audit.id.desc()).limit(limit))
    return tuple(
        Happening(row.id, row.at, row.act, row.actor, row.client or "", str((row.after or {}).get("device", "")))
        for row in rows
    )

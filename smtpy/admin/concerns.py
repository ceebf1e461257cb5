"""What a member should look after: domains whose DNS is not as it must be, mailboxes and keys that wait.

For the first page: a few statements, and no more rows than people read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from smtpy.admin.checks import PATIENCE
from smtpy.admin.scope import owned
from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Domain, Mailbox, SigningKey
from smtpy.zone.findings import BAD

MOST = 5  # of each sort


class Sort(StrEnum):
    """What there is to do."""

    UNPROVEN = "unproven"  # the DNS of a domain has not yet shown whose it is
    FAILING = "failing"  # a record that mail needs is missing or wrong
    KEYS = "keys"  # new signing keys wait for DNS, and have for long
    MAILBOX = "mailbox"  # not shown to be theirs


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look after. `name` and `uuid` are of the domain or the mailbox, `kinds` of the records."""

    sort: Sort
    name: str
    uuid: str
    kinds: tuple[str, ...] = ()


def concerns(session: Session, now: datetime) -> tuple[Concern, ...]:
    """Of the viewer, what hurts most first. Four statements."""
    living = (owned(session, Domain.owner_id), Domain.deleted_at.is_(None))
    proven, unproven = (*living, Domain.proven_at.is_not(None)), (*living, Domain.proven_at.is_(None))
    named = select(Domain.name, Domain.uuid)
    bad = named.add_columns(DomainCheck.kind).join(DomainCheck, DomainCheck.subject == Domain.name)
    bad = bad.where(*proven, DomainCheck.required, DomainCheck.status.in_(BAD)).order_by(Domain.id, DomainCheck.kind)
    waiting = (SigningKey.used_from.is_(None), SigningKey.retired_at.is_(None), SigningKey.created_at < now - PATIENCE)
    keyed = named.join(SigningKey, SigningKey.domain_id == Domain.id).where(*proven, *waiting).distinct()
    mine = (owned(session, Mailbox.owner_id), Mailbox.deleted_at.is_(None), Mailbox.verified_at.is_(None))
    boxes = select(Mailbox.address, Mailbox.uuid).where(*mine).order_by(Mailbox.id)
    return (
        *_failing(session.execute(bad.limit(MOST * len(BAD) * 4)).all()),
        *(Concern(Sort.UNPROVEN, *row) for row in session.execute(named.where(*unproven).limit(MOST))),
        *(Concern(Sort.MAILBOX, *row) for row in session.execute(boxes.limit(MOST))),
        *(Concern(Sort.KEYS, *row) for row in session.execute(keyed.limit(MOST))),
    )


def _failing(rows: Sequence[tuple[str, str, str]]) -> list[Concern]:
    """One for each domain, whatever number of its records fail."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for name, uuid, kind in rows:
        found.setdefault((name, uuid), {})[kind] = None
    return [Concern(Sort.FAILING, name, uuid, tuple(kinds)) for (name, uuid), kinds in found.items()][:MOST]

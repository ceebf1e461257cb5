"""What checks of DNS found, kept: for people to read, for the worker to know whose turn it is.

Nothing here is read on the mail path, so it has no part in the epoch. A finding that is good, or good enough, ends the
count of failures; one without an answer does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, exists, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Domain, Mailbox, SigningKey
from smtpy.zone.findings import BAD, GOOD, Finding, Status

SOON = timedelta(hours=1)  # until the next check of what does not work, or of a key that waits to be seen
SILENT = 3  # checks in a row without an answer that are worth a word

_OURS = select(Domain.name).where(Domain.deleted_at.is_(None))
_THEIRS = select(Mailbox.domain).where(Mailbox.deleted_at.is_(None))
_UNPROVEN = select(Domain.name).where(Domain.proven_at.is_(None))
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Subject:
    """A domain that is checked: one of ours, or else one that mailboxes are on."""

    name: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Failing:
    """What has not been as it must be for some checks in a row; `ok_at` None: never."""

    subject: str
    kind: str
    status: str
    todo: str
    failures: int
    ok_at: datetime | None


def keep(engine: Engine, subject: str, findings: Sequence[Finding], now: datetime) -> None:
    """Put these findings in the place of what was last found of a domain."""
    last = (DomainCheck.subject == subject, or_(DomainCheck.checked_at < now, _is_ahead(now)))
    with engine.begin() as connection:
        for each in findings:
            connection.execute(_upsert(engine.dialect.name, subject, each, now))
        connection.execute(delete(DomainCheck).where(*last))  # of what is not wanted any more


def _upsert(dialect: str, subject: str, found: Finding, now: datetime) -> Any:
    good = found.status in GOOD
    key = {"subject": subject, "kind": found.kind.value, "name": found.name}
    news: dict[str, Any] = {
        "status": found.status.value,
        "required": found.required,
        "expected": found.expected,
        "found": list(found.found),
        "todo": found.todo,
        "failures": 0 if good else 1,
        "checked_at": now,
        "ok_at": now if good else None,
    }
    statement = _INSERT[dialect](DomainCheck).values(**key, **news)
    if not good:
        news |= {"failures": DomainCheck.failures + 1, "ok_at": DomainCheck.ok_at}
    return statement.on_conflict_do_update(index_elements=list(key), set_=news)


def due(session: Session, now: datetime, every: timedelta, limit: int) -> tuple[Subject, ...]:
    """Whose turn it is: what was never checked, then the longest unchecked of those not checked for `every`; what is
    ours and does not work, or has a key that waits, sooner."""
    never = ~exists().where(DomainCheck.subject == Domain.name)
    ours = session.scalars(_OURS.where(never).order_by(Domain.id).limit(limit))
    never = ~exists().where(DomainCheck.subject == Mailbox.domain)
    theirs = session.scalars(_THEIRS.where(never).distinct().limit(limit))
    waiting = _OURS.join(SigningKey).where(SigningKey.used_from.is_(None), SigningKey.retired_at.is_(None))
    troubled = and_(DomainCheck.required, DomainCheck.status.not_in(GOOD), DomainCheck.subject.in_(_OURS))
    soon = and_(DomainCheck.checked_at <= now - SOON, or_(troubled, DomainCheck.subject.in_(waiting)))
    late = select(DomainCheck.subject).where(or_(DomainCheck.checked_at <= now - every, soon, _is_ahead(now)))
    late = late.group_by(DomainCheck.subject).order_by(func.min(DomainCheck.checked_at), DomainCheck.subject)
    names = [*ours, *theirs, *session.scalars(late.limit(limit))][:limit]
    of_ours = set(session.scalars(_OURS.where(Domain.name.in_(names), ~_contested())))
    return tuple(Subject(name, name in of_ours) for name in names)


def _is_ahead(now: datetime) -> ColumnElement[bool]:
    """What was written by a clock that was far ahead, and was set right since."""
    return DomainCheck.checked_at > now + SOON


def is_contested(session: Session, name: str) -> bool:
    """Whether mailboxes are on a domain that is unproven: what is found of it is kept for them, not for its member."""
    return session.scalar(select(Domain.id).where(Domain.name == name, _contested())) is not None


def _contested() -> ColumnElement[bool]:
    return and_(Domain.proven_at.is_(None), Domain.name.in_(_THEIRS))


def failing(session: Session, limit: int) -> tuple[Failing, ...]:
    """What is required and does not work, the longest first; or of which DNS has told nothing for a while.

    A domain that its member has not set up yet is no failure.
    """
    silent = and_(DomainCheck.status == Status.UNKNOWN.value, DomainCheck.failures >= SILENT)
    columns = [getattr(DomainCheck, name) for name in Failing.__slots__]
    fails = (DomainCheck.required, or_(DomainCheck.status.in_(BAD), silent))
    chosen = select(*columns).where(*fails, DomainCheck.subject.not_in(_UNPROVEN))
    chosen = chosen.order_by(DomainCheck.failures.desc(), DomainCheck.subject, DomainCheck.kind).limit(limit)
    return tuple(Failing(*row) for row in session.execute(chosen))


def forget(engine: Engine) -> None:
    """Drop what was found of domains that are neither ours nor those of a mailbox any more."""
    gone = (DomainCheck.subject.not_in(_OURS), DomainCheck.subject.not_in(_THEIRS))
    with engine.begin() as connection:
        connection.execute(delete(DomainCheck).where(*gone))

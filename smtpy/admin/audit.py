"""The audit trail, read: who changed what. For operators; `smtpy.admin.change` writes it, and nobody else."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from smtpy.admin.kinds import PAGE
from smtpy.admin.refusals import NotFound
from smtpy.admin.scope import viewer_of
from smtpy.store.schema import Audit

BATCH = 500  # rows that a stream reads at once


@dataclass(frozen=True, slots=True)
class Row:
    """One act. `before` and `after` hold what differs; `client` is the network it came from, if it came by the web."""

    id: int
    at: datetime
    actor: str
    client: str | None
    act: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; what is empty is not looked for. `act` takes `user` for all of `user.*`, too.

    `actor` and `subject` are how the text begins, or any part of it after an asterisk (`*@people.example`).
    """

    actor: str = ""
    act: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def page(session: Session, wanted: Wanted, *, before: int | None = None, limit: int = PAGE) -> tuple[Row, ...]:
    """Acts, newest first; `before`: the id of the last one that was seen."""
    chosen = _chosen(session, wanted).order_by(Audit.id.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(Audit.id < before)
    return tuple(map(_row, session.scalars(chosen)))


def find(session: Session, number: int) -> Row:
    """One act. Raises NotFound."""
    row = session.scalar(_chosen(session, Wanted()).where(Audit.id == number))
    if row is None:
        raise NotFound("audit", f"There is no act {number} in the audit trail.")
    return _row(row)


def newest(session: Session) -> int:
    """The id of the last act; 0: there is none."""
    return session.scalar(select(func.max(Audit.id))) or 0


def after(session: Session, number: int, wanted: Wanted, *, limit: int = PAGE) -> tuple[Row, ...]:
    """What came after an act, oldest first: for who follows the trail."""
    chosen = _chosen(session, wanted).where(Audit.id > number).order_by(Audit.id).limit(limit)
    return tuple(map(_row, session.scalars(chosen)))


def stream(session: Session, wanted: Wanted) -> Iterator[Row]:
    """All acts that are wanted, newest first, read in batches."""
    last: int | None = None
    while batch := page(session, wanted, before=last, limit=BATCH):
        yield from batch
        last = batch[-1].id
        session.expunge_all()


def acts(session: Session) -> tuple[str, ...]:
    """What acts there are in the newest part of the trail, for a list to choose from."""
    newest = select(Audit.act).order_by(Audit.id.desc()).limit(20 * BATCH).subquery()
    return tuple(session.scalars(select(newest.c.act).distinct().order_by(newest.c.act)))


def _chosen(session: Session, wanted: Wanted) -> Any:
    if viewer_of(session) is not None:
        raise NotFound("audit", "The audit trail is for operators.")
    chosen = select(Audit)
    if wanted.actor:
        chosen = chosen.where(_like(Audit.actor, wanted.actor))
    if wanted.subject:
        chosen = chosen.where(_like(Audit.subject, wanted.subject))
    if wanted.act:
        chosen = chosen.where((Audit.act == wanted.act) | _starts(Audit.act, f"{wanted.act}."))
    if wanted.since:
        chosen = chosen.where(Audit.at >= wanted.since)
    if wanted.until:
        chosen = chosen.where(Audit.at < wanted.until)
    return chosen


def _like(column: Any, text: str) -> ColumnElement[bool]:
    if text.startswith("*"):
        return func.lower(column).contains(text[1:].lower(), autoescape=True)
    return _starts(column, text)


def _starts(column: Any, text: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.startswith(text, autoescape=True)
    return found


def _row(row: Audit) -> Row:
    return Row(**{each.name: getattr(row, each.name) for each in fields(Row)})

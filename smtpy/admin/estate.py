"""All domains of the service, as operators see them: whose they are, what DNS shows, whether their mail is signed."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from smtpy.admin import domains
from smtpy.admin.domains import DomainView
from smtpy.admin.kinds import PAGE
from smtpy.admin.refusals import NotFound
from smtpy.admin.scope import viewer_of
from smtpy.store.checks import DomainCheck
from smtpy.store.schema import Alias, Domain, SigningKey, User
from smtpy.zone.findings import BAD

State = Literal["", "troubled", "unsigned", "off", "trash"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A domain. `wrong`: required records that are not as they must be; `checked`: records looked at, 0 if never.

    `signing`: keys in use; `waiting`: keys that wait to be seen in DNS.
    """

    domain: DomainView
    aliases: int
    checked: int
    wrong: int
    signing: int
    waiting: int


_IN_USE = and_(SigningKey.used_from.is_not(None), SigningKey.retired_at.is_(None))
_WAITS = and_(SigningKey.used_from.is_(None), SigningKey.retired_at.is_(None))
_WRONG = and_(DomainCheck.required, DomainCheck.status.in_(BAD))


def _number(*conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).where(*conditions).correlate(Domain).scalar_subquery()


def _entries() -> Select[Any]:
    return select(
        Domain.id,
        _number(Alias.domain_id == Domain.id, Alias.deleted_at.is_(None)),
        _number(DomainCheck.subject == Domain.name),
        _number(DomainCheck.subject == Domain.name, _WRONG),
        _number(SigningKey.domain_id == Domain.id, _IN_USE),
        _number(SigningKey.domain_id == Domain.id, _WAITS),
    )


_LIVING = Domain.deleted_at.is_(None)
STATES: dict[str, ColumnElement[bool]] = {
    "": _LIVING,
    "troubled": and_(_LIVING, exists().where(DomainCheck.subject == Domain.name, _WRONG)),
    "unsigned": and_(_LIVING, ~exists().where(SigningKey.domain_id == Domain.id, _IN_USE)),
    "off": and_(_LIVING, ~Domain.enabled),
    "trash": Domain.deleted_at.is_not(None),
}


def page(
    session: Session, *, about: str = "", state: State = "", after: int = 0, limit: int = PAGE
) -> tuple[Entry, ...]:
    """Domains with an id above `after`, by id. `about` is looked for in the name and the owner's address."""
    if viewer_of(session) is not None:
        raise NotFound("domain", "The list of all domains is for operators.")
    chosen = _entries().join(User, User.id == Domain.owner_id).where(Domain.id > after, STATES[state])
    if about:
        words = about.casefold()
        chosen = chosen.where(
            or_(Domain.name.contains(words, autoescape=True), User.key.contains(words, autoescape=True))
        )
    rows = session.execute(chosen.order_by(Domain.id).limit(limit)).all()
    views = domains.views(session, [row[0] for row in rows])
    return tuple(Entry(views[number], *counts) for number, *counts in rows)

"""Aliases as their owner looks for them: filtered, in four orders, a page at a time.

Each order has an index (smtpy.store.schema.Alias), and a page begins behind the last row of the one before (keyset),
so that the hundredth page costs what the first one does. Text is found anywhere in address, note and tags.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true, tuple_
from sqlalchemy.orm import Session

from smtpy.admin.aliases import COLUMNS, AliasView, views
from smtpy.admin.kinds import as_uuid
from smtpy.admin.scope import owned
from smtpy.admin.trash import LEADS
from smtpy.mail.address import fold
from smtpy.store.schema import Alias, AliasMailbox, AliasTag, Domain, Mailbox, Tag

SIZE = 50  # rows of a page
MOST_TEXT = 100  # characters that are looked for


class State(StrEnum):
    """What may be asked for; `ANY` is all but the trash."""

    ANY = ""
    ON = "on"
    OFF = "off"
    EXPIRED = "expired"
    TRASH = "trash"


class Sort(StrEnum):
    """The orders. Newest first has those that are pinned before the others; the trash has one of its own."""

    NEWEST = "newest"
    USED = "used"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for. `tag` is a name, `domain` and `mailbox` are UUIDs; "" is any."""

    text: str = ""
    tag: str = ""
    domain: str = ""
    mailbox: str = ""
    state: State = State.ANY
    unused: bool = False
    pinned: bool = False
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Page:
    """Some aliases; `next` is what the page after them is asked by, "" at the end."""

    aliases: tuple[AliasView, ...]
    next: str


@dataclass(frozen=True, slots=True)
class _Order:
    """Columns in one direction; `key` writes a row's place, `place` reads it."""

    columns: tuple[Any, ...]
    down: bool
    key: Callable[[AliasView], str]
    place: Callable[[str], Any]

    def behind(self, cursor: str) -> ColumnElement[bool] | None:
        """What comes behind a place; None: it is no place of this order."""
        head, _, number = cursor.rpartition(".")
        try:
            value, last = self.place(head), int(number)
        except ValueError:
            return None
        if value is False and self.down:  # of the pair PostgreSQL expects next to no rows, and sorts them all
            return and_(self.columns[0] == false(), self.columns[1] < last)
        here, there = tuple_(*self.columns), tuple_(value, last)
        return here < there if self.down else here > there


def _time(value: datetime | None) -> str:
    return "" if value is None else str(round(value.timestamp() * 1_000_000))


def _moment(text: str) -> datetime:
    seconds, micros = divmod(int(text), 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    except (OverflowError, OSError) as error:
        raise ValueError(text) from error


def _flag(text: str) -> bool:
    return bool(int(text))


def _plain(text: str) -> str:
    if "\0" in text or not text.isprintable():  # PostgreSQL takes none
        raise ValueError(text)
    return text


_ORDERS = {
    Sort.NEWEST: _Order((Alias.pinned, Alias.id), True, lambda row: str(int(row.pinned)), _flag),
    Sort.USED: _Order((Alias.last_at, Alias.id), True, lambda row: _time(row.last_at), _moment),
    Sort.NAME: _Order((Alias.local, Alias.id), False, lambda row: row.address.rpartition("@")[0], _plain),
}
_TRASH = _Order((Alias.deleted_at, Alias.id), True, lambda row: _time(row.deleted_at), _moment)


def page(session: Session, wanted: Wanted, now: datetime, *, after: str = "", limit: int = SIZE) -> Page:
    """A page of what is wanted; `after` is what the page before said. Four statements at most."""
    if wanted.unused and wanted.sort is Sort.NEWEST:  # by last use is by age, and has an index for these
        wanted = replace(wanted, sort=Sort.USED)
    order = _TRASH if wanted.state is State.TRASH else _ORDERS[wanted.sort]
    chosen = _chosen(session, wanted, now)
    if wanted.state is not State.TRASH and wanted.sort is Sort.USED:
        rows = _by_use(session, chosen, order, after, limit + 1, only_unused=wanted.unused)
    else:
        behind = order.behind(after) if after else None
        rows = _rows(session, chosen if behind is None else chosen.where(behind), order, limit + 1)
    shown = views(session, rows[:limit])
    last = f"{order.key(shown[-1])}.{shown[-1].id}" if len(rows) > limit else ""
    return Page(shown, last)


def count(session: Session) -> int:
    """How many aliases there are, without the trash."""
    living = (owned(session, Alias.owner_id), Alias.deleted_at.is_(None))
    return session.scalar(select(func.count()).select_from(Alias).where(*living)) or 0


def _rows(session: Session, chosen: Any, order: _Order, limit: int) -> list[Any]:
    by = [column.desc() if order.down else column for column in order.columns]
    return list(session.execute(chosen.order_by(*by).limit(limit)).all())


def _by_use(session: Session, chosen: Any, order: _Order, after: str, limit: int, *, only_unused: bool) -> list[Any]:
    """Used ones, then those that never were: where NULL stands in an order is not the same everywhere."""
    used = chosen.where(Alias.last_at.is_not(None))
    unused = chosen.where(Alias.last_at.is_(None))
    head, _, number = after.rpartition(".")
    if after and not head and number.isdecimal():
        return _rows(session, unused.where(Alias.id < int(number)), order, limit)
    if only_unused:
        return _rows(session, unused, order, limit)
    behind = order.behind(after) if after else None
    rows = _rows(session, used if behind is None else used.where(behind), order, limit)
    return rows + (_rows(session, unused, order, limit - len(rows)) if len(rows) < limit else [])


def _chosen(session: Session, wanted: Wanted, now: datetime) -> Any:
    expired = and_(Alias.expires_at.is_not(None), Alias.expires_at <= now)
    states: dict[State, tuple[ColumnElement[bool], ...]] = {
        State.ANY: (),
        State.ON: (Alias.enabled.is_(True), or_(Alias.expires_at.is_(None), Alias.expires_at > now)),
        State.OFF: (Alias.enabled.is_(False),),
        State.EXPIRED: (expired,),
    }
    chosen = COLUMNS.where(owned(session, Alias.owner_id))
    if wanted.state is State.TRASH:
        chosen = chosen.where(Alias.deleted_at.is_not(None), LEADS)
    else:
        chosen = chosen.where(Alias.deleted_at.is_(None), *states[wanted.state])
    if wanted.unused:
        chosen = chosen.where(Alias.last_at.is_(None))
    if wanted.pinned:
        chosen = chosen.where(Alias.pinned == true())  # `IS` has no index on SQLite
    return _within(session, chosen, wanted)


def _within(session: Session, chosen: Any, wanted: Wanted) -> Any:
    if wanted.domain:
        chosen = chosen.where(Alias.domain_id.in_(_ids(session, Domain, Domain.uuid == _uuid(wanted.domain))))
    if wanted.mailbox:
        ids = _ids(session, Mailbox, Mailbox.uuid == _uuid(wanted.mailbox))
        # Not IN: most aliases lead to one mailbox, and a page needs few of them.
        leads = select(AliasMailbox.alias_id).where(AliasMailbox.alias_id == Alias.id, AliasMailbox.mailbox_id.in_(ids))
        chosen = chosen.where(leads.exists())
    if wanted.tag:
        chosen = chosen.where(_bears(session, Tag.name == wanted.tag))
    text = wanted.text.replace("\0", "").strip()[:MOST_TEXT]
    return chosen.where(_holds(session, text)) if text else chosen


def _holds(session: Session, text: str) -> ColumnElement[bool]:
    """Whether the text is in an alias's address, its note or a tag."""
    folded = fold(text)
    local, at, domain = folded.rpartition("@")
    words = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    noted = func.lower(Alias.note).like(func.lower(f"%{words}%"), escape="/")  # half as long again by ILIKE
    if at:
        on = _ids(session, Domain, Domain.name.startswith(domain, autoescape=True))
        return or_(and_(Alias.local.endswith(local, autoescape=True), Alias.domain_id.in_(on)), noted)
    return or_(
        Alias.local.contains(folded, autoescape=True),
        noted,
        Alias.domain_id.in_(_ids(session, Domain, Domain.name.contains(folded, autoescape=True))),
        _bears(session, Tag.name.contains(folded, autoescape=True)),
    )


def _bears(session: Session, which: ColumnElement[bool]) -> ColumnElement[bool]:
    return Alias.id.in_(select(AliasTag.alias_id).where(AliasTag.tag_id.in_(_ids(session, Tag, which))))


def _ids(session: Session, table: type[Domain | Mailbox | Tag], which: ColumnElement[bool]) -> Any:
    """The ids of what is the viewer's: a foreign one finds nothing."""
    return select(table.id).where(owned(session, table.owner_id), which)


def _uuid(text: str) -> str:
    """A UUID, or one that nobody has."""
    return as_uuid(text) or "00000000-0000-0000-0000-000000000000"

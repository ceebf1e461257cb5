"""Counts the journal on: by alias and day, by who writes to an alias, and when mail last came to it.

A batch and the position behind it are one transaction, so that each row counts once, whatever ends half-way. A message
that was split is counted in its second pass, where its fate is decided; a copy that stays away because of a switch, a
loop or a policy counts as refused. The position moves past rows only when no writer can still commit one before it:
PostgreSQL gives numbers out of order, so its writers are waited for, a moment at most.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from smtpy.mail.address import ANY_LENGTH, MAX_ADDRESS, BadAddress, parse_path
from smtpy.mail.verp import folded
from smtpy.store.events import MailEvent
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.schema import Alias
from smtpy.store.tallies import AliasDay, Correspondent, JournalPosition, OwnerDay

READER = "tallies"
BATCH = 500  # journal rows of one transaction
WAIT = "100ms"  # for writers of the journal; they wait as long for us, so it is little

# What a decision about a recipient counts as; what is missing here (split, relay, return) is no end of an alias's mail.
COUNTED = {
    "forward": "forwarded",
    "as promised": "forwarded",
    "hold": "held",
    "refuse": "refused",
    "drop": "refused",
    "loop": "refused",
    "discard": "refused",
}
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_DAY, _FROM, _AT = AliasDay.__table__, Correspondent.__table__, JournalPosition.__table__
_OWNER = OwnerDay.__table__
_NUMBERS = ("forwarded", "refused", "held", "bounced")


@dataclass(slots=True)
class _Seen:
    """What a batch amounts to."""

    days: Counter[tuple[int, date, str]] = field(default_factory=Counter)
    senders: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    when: dict[tuple[int, str], tuple[datetime, datetime]] = field(default_factory=dict)
    came: dict[int, datetime] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        """One recipient of one message."""
        counted = COUNTED[row.decision]
        self.days[row.alias_id, row.at.astimezone(UTC).date(), counted] += 1
        sender = who(row.reverse_path)
        self.senders[row.alias_id, sender, "refused" if counted == "refused" else "forwarded"] += 1
        first, last = self.when.get((row.alias_id, sender), (row.at, row.at))
        self.when[row.alias_id, sender] = min(first, row.at), max(last, row.at)
        if counted != "refused":
            self.came[row.alias_id] = max(row.at, self.came.get(row.alias_id, row.at))


def who(reverse_path: str) -> str:
    """What a correspondent is counted under: the reverse-path, without what changes from message to message.

    Not the author, whom the journal does not keep. "" is the null reverse-path, of delivery reports.
    """
    try:
        path = parse_path(reverse_path, max_local=ANY_LENGTH).key if reverse_path else ""
    except BadAddress:
        path = reverse_path.lower()
    local, at, domain = path.rpartition("@")
    return at.join(folded(local, domain))[:MAX_ADDRESS] if at else path[:MAX_ADDRESS]


def count(engine: Engine, limit: int = BATCH) -> int:
    """Count the next rows of the journal, `limit` at most; how many these were. 0: there are no more for now."""
    until = settled(engine, JournalRow, READER)
    with engine.begin() as connection:
        at = begin(connection, READER, until)
        numbers = select(JournalRow.id).where(JournalRow.id > at, JournalRow.id <= until)
        rows = connection.scalars(numbers.order_by(JournalRow.id).limit(limit)).all()
        if rows:
            _keep(connection, _amount(connection, rows))
            move(connection, READER, rows[-1])
    return len(rows)


def settled(engine: Engine, table: type[JournalRow | MailEvent], reader: str) -> int:
    """The highest number below which nothing is to come; as far as the reader is, if writers are too busy to tell."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT}'"))
            try:
                connection.execute(text(f"LOCK TABLE ONLY {table.__tablename__} IN SHARE MODE"))
            except OperationalError:  # the next turn may have more luck
                connection.rollback()
                return _so_far(engine, reader)
        return connection.scalar(select(func.max(table.id))) or 0


def _so_far(engine: Engine, reader: str) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(JournalPosition.journal_id).where(JournalPosition.name == reader)) or 0


def begin(connection: Connection, reader: str, until: int) -> int:
    """How far the reader is; nobody else counts until the transaction ends."""
    start = _INSERT[connection.dialect.name](_AT).values(name=reader, journal_id=0)
    connection.execute(start.on_conflict_do_nothing())
    found = select(JournalPosition.journal_id).where(JournalPosition.name == reader).with_for_update()
    at = connection.scalar(found) or 0
    if until < at:  # SQLite gives numbers again once the last rows are gone
        move(connection, reader, until)
    return min(at, until)


def move(connection: Connection, reader: str, number: int) -> None:
    """The reader has come this far."""
    connection.execute(update(JournalPosition).where(JournalPosition.name == reader).values(journal_id=number))


def _amount(connection: Connection, numbers: Sequence[int]) -> _Seen:
    columns = (JournalRecipient.alias_id, JournalRecipient.decision, JournalRow.at, JournalRow.reverse_path)
    chosen = select(*columns).join(JournalRow, JournalRow.id == JournalRecipient.journal_id)
    these = (column.between(numbers[0], numbers[-1]) for column in (JournalRow.id, JournalRecipient.journal_id))
    chosen = chosen.where(*these, JournalRecipient.alias_id.is_not(None))
    seen = _Seen()
    for row in connection.execute(chosen.where(JournalRecipient.decision.in_(COUNTED))):
        seen.add(row)
    return seen


def _keep(connection: Connection, seen: _Seen) -> None:
    """Add it to what was counted before; what is of an alias that was purged meanwhile is let go."""
    ids = {alias_id for alias_id, _, _ in seen.days}
    held = select(Alias.id, Alias.owner_id).where(Alias.id.in_(ids)).order_by(Alias.id)
    rows = connection.execute(held.with_for_update(read=True, key_share=True))
    owners = {alias_id: owner_id for alias_id, owner_id in rows}  # noqa: C416 - a row is no tuple to mypy
    days = (
        {"alias_id": alias_id, "day": day, "owner_id": owners[alias_id], **_columns(seen.days, alias_id, day)}
        for alias_id, day in dict.fromkeys(key[:2] for key in seen.days)
        if alias_id in owners
    )
    add_days(connection, days)
    senders = [
        {"alias_id": alias_id, "address": address, "first_at": first, "last_at": last}
        | {name: seen.senders[alias_id, address, name] for name in ("forwarded", "refused")}
        for (alias_id, address), (first, last) in seen.when.items()
        if alias_id in owners
    ]
    # Who was only ever turned away gets no row: whoever guesses addresses must not fill the disk.
    _add(connection, _FROM, (each for each in senders if each["forwarded"]), ("forwarded", "refused"), last="last_at")
    _refused(connection, [each for each in senders if not each["forwarded"]])
    for alias_id, at in seen.came.items():
        older = or_(Alias.last_at.is_(None), Alias.last_at < at)
        told = {"last_at": at, "updated_at": Alias.updated_at}  # nobody changed it
        connection.execute(update(Alias).where(Alias.id == alias_id, older).values(told))


def add_days(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add to what is counted of days, of the aliases and of their owners: rows with `alias_id`, `owner_id`, `day` and
    all numbers."""
    of_owners: dict[tuple[int, date], Counter[str]] = {}
    of_aliases = []
    for row in rows:
        owner_id, numbers = row["owner_id"], {name: row[name] for name in _NUMBERS}
        of_aliases.append({"alias_id": row["alias_id"], "day": row["day"], **numbers})
        of_owners.setdefault((owner_id, row["day"]), Counter(dict.fromkeys(_NUMBERS, 0))).update(numbers)
    _add(connection, _DAY, of_aliases, _NUMBERS)
    owners = ({"owner_id": owner_id, "day": day, **numbers} for (owner_id, day), numbers in of_owners.items())
    _add(connection, _OWNER, owners, _NUMBERS)


def _columns(days: Counter[tuple[int, date, str]], alias_id: int, day: date) -> dict[str, int]:
    return {name: days[alias_id, day, name] for name in ("forwarded", "refused", "held")} | {"bounced": 0}


def _add(
    connection: Connection, table: Any, rows: Iterable[dict[str, Any]], numbers: Sequence[str], last: str | None = None
) -> None:
    """Insert rows, or add their numbers to those that are there."""
    assert isinstance(table, Table)  # noqa: S101 - what `__table__` is of a mapped class
    statement = _INSERT[connection.dialect.name](table)
    news = {name: table.c[name] + statement.excluded[name] for name in numbers}
    if last:
        news[last] = statement.excluded[last]
    keys = [column.name for column in table.primary_key]
    if ordered := sorted(rows, key=lambda row: [row[name] for name in keys]):  # in one order, so no two workers cross
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=news), ordered)


def _refused(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        known = (Correspondent.alias_id == row["alias_id"], Correspondent.address == row["address"])
        news = {"refused": Correspondent.refused + row["refused"], "last_at": row["last_at"]}
        connection.execute(update(Correspondent).where(*known).values(news))

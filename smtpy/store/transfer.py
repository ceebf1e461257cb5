"""All rows of the database as JSON that belongs to neither SQLite nor PostgreSQL, and back into either.

One transaction sees it all (SQLite: a snapshot of the write-ahead log; PostgreSQL: REPEATABLE READ), so that what is
read fits together while others write. Tables are those that the database has, not those this version knows: a database
of an older schema is read as it is, and read back into that schema before it is upgraded.

Parts of the journal (smtpy.store.parts) are no tables here; those that rows belong to are made as they come.

A row is an array in the order of its table's columns. What JSON has no word for is an object of one member:
`{"at": time}`, `{"day": date}`, `{"octets": base64}`, `{"uuid": ...}`, and `{"json": ...}` for a column of JSON.
"""

import base64
import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    Engine,
    MetaData,
    Table,
    Uuid,
    event,
    func,
    select,
    text,
)

from smtpy.store import parts as dividing
from smtpy.store.migrate import VERSIONS, revision_of

CHUNK = 5_000  # rows of a part: some megabytes of JSON

Row = list[Any]


class Unfit(ValueError):
    """These rows are not ones that this database can take."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A database at one moment. `revision` is its schema's; each of `parts` is of one table, referred ones first."""

    revision: str
    columns: Mapping[str, Sequence[str]]  # by table
    parts: Iterator[tuple[str, list[Row]]]


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Whole]:
    """The whole database, to be read within the block. Raises Unfit when there is none yet."""
    with engine.connect() as plain:
        connection = _snapshot(plain)
        revision = revision_of(connection)
        if revision is None:
            raise Unfit("the database has no tables yet; `smtpy init` makes them")
        tables = _tables(connection)
        columns = {table.name: [column.name for column in table.columns] for table in tables}
        yield Whole(revision, columns, _parts(connection, tables))


def is_empty(engine: Engine) -> bool:
    """Whether nobody is in it, so that nothing is lost when it is filled."""
    with engine.connect() as connection:
        tables = {table.name: table for table in _tables(connection)}
        return "users" not in tables or not connection.scalar(select(func.count()).select_from(tables["users"]))


def fill(connection: Connection, columns: Mapping[str, Sequence[str]], parts: Iterator[tuple[str, list[Row]]]) -> int:
    """Put rows into a database of the same revision, in place of what the migrations put there; how many there were.

    Raises Unfit. In the connection's transaction.
    """
    tables = {table.name: table for table in _tables(connection)}
    for name, names in columns.items():
        if name not in tables or [column.name for column in tables[name].columns] != [*names]:
            raise Unfit(f"the table {name} is not the one that was read")
    for table in reversed(tables.values()):
        connection.execute(table.delete())
    count = 0
    for name, rows in parts:
        if name not in columns:
            raise Unfit(f"rows of a table {name} that was not announced")
        dividing.make_for(connection, name, columns[name], rows)
        _put(connection, tables[name], rows)
        count += len(rows)
    if connection.dialect.name == "postgresql":
        for table in tables.values():
            _move_counter(connection, table)
    return count


def _snapshot(connection: Connection) -> Connection:
    if connection.dialect.name == "sqlite":
        # Not the engine's own BEGIN IMMEDIATE, which would keep everybody else from writing.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("BEGIN")
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _tables(connection: Connection) -> list[Table]:
    """As they are, those that others refer to first."""
    found, left_out = MetaData(), {VERSIONS, *dividing.all_of(connection)}
    event.listen(Table, "column_reflect", _plainly)
    try:
        found.reflect(connection, only=lambda name, _: name not in left_out)
    finally:
        event.remove(Table, "column_reflect", _plainly)
    return list(found.sorted_tables)


def _plainly(_inspector: object, _table: object, column: Any) -> None:
    """NULL and the null of JSON are two things."""
    if isinstance(column["type"], JSON):
        column["type"] = JSON(none_as_null=True)


def _parts(connection: Connection, tables: Sequence[Table]) -> Iterator[tuple[str, list[Row]]]:
    for table in tables:
        outwards = [_outward(column) for column in table.columns]
        rows = connection.execution_options(yield_per=CHUNK).execute(select(table).order_by(*table.primary_key.columns))
        for chunk in rows.partitions():
            yield table.name, [[out(value) for out, value in zip(outwards, row, strict=True)] for row in chunk]


def _outward(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, JSON):
        nullable = column.nullable
        return lambda value: None if value is None and nullable else {"json": value}
    return _told


def _told(value: Any) -> Any:
    match value:
        case datetime():
            return {"at": (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()}
        case date():
            return {"day": value.isoformat()}
        case bytes():
            return {"octets": base64.b64encode(value).decode("ascii")}
        case UUID():
            return {"uuid": str(value)}
        case _:
            return value


def _put(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    names = [column.name for column in table.columns]
    inwards = [_inward(column, connection.dialect.name) for column in table.columns]
    try:
        values = [{name: into(value) for name, into, value in zip(names, inwards, row, strict=True)} for row in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise Unfit(f"a row of the table {table.name} cannot be read") from error
    if values:
        connection.execute(table.insert(), values)


def _inward(column: Column[Any], dialect: str) -> Callable[[Any], Any]:
    kind = column.type
    if isinstance(kind, JSON):
        return lambda value: None if value is None else JSON.NULL if value["json"] is None else value["json"]
    if isinstance(kind, DateTime):
        return lambda value: value and datetime.fromisoformat(value["at"])
    if isinstance(kind, Date):
        return lambda value: value and date.fromisoformat(value["day"])
    if isinstance(kind, Uuid):  # PostgreSQL has a type for it, SQLite keeps 32 characters
        return lambda value: value and UUID(value["uuid"] if isinstance(value, dict) else value)
    return _read if dialect == "postgresql" else lambda value: _as_characters(_read(value))


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    return UUID(inner) if kind == "uuid" else base64.b64decode(inner)


def _as_characters(value: Any) -> Any:
    return value.hex if isinstance(value, UUID) else value


def _move_counter(connection: Connection, table: Table) -> None:
    """A counter goes on behind the highest number given."""
    for column in table.primary_key.columns:
        if counter := connection.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), _named(column)):
            highest = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(counter, func.coalesce(highest, 1), highest.is_not(None))))


def _named(column: Column[Any]) -> dict[str, str]:
    return {"table": column.table.name, "column": column.name}

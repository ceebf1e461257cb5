"""Many rows, quickly: COPY on PostgreSQL, executemany on SQLite. Ids are given, so counters are moved behind them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Engine, Table, func, select

from smtpy.store.columns import Base

CHUNK = 20_000  # rows of one transaction
CACHE = "PRAGMA cache_size = -262144"  # KiB; the indexes of a million rows
Row = dict[str, Any]


def table_of(model: Any) -> Table:
    """The table of a mapped class."""
    found = model.__table__
    assert isinstance(found, Table)  # noqa: S101 - what `__table__` is of a mapped class
    return found


def next_id(connection: Connection, model: Any) -> int:
    """The id that a new row may have."""
    return 1 + (connection.scalar(select(func.max(model.id))) or 0)


def write(engine: Engine, rows: Iterable[tuple[Any, Row]]) -> None:
    """Rows of several tables as (model, row), a transaction for each chunk; a row comes after those it stands on."""
    order = Base.metadata.sorted_tables
    for chunk in chunks(rows):
        by_table: dict[Any, list[Row]] = {}
        for model, row in chunk:
            by_table.setdefault(model, []).append(row)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql(CACHE)
            for model in sorted(by_table, key=lambda model: order.index(table_of(model))):
                put(connection, model, by_table[model])


def chunks(rows: Iterable[tuple[Any, Row]]) -> Iterator[Sequence[tuple[Any, Row]]]:
    """As many at a time as one transaction takes."""
    stream = iter(rows)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def put(connection: Connection, model: Any, rows: Sequence[Row]) -> None:
    """Rows of one table, all with the same columns. Values go by the columns' own converters, past the rest of
    SQLAlchemy, which would take most of the time."""
    table, names = table_of(model), list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    converters = [_converter(table.c[name], connection.dialect) for name in names]
    values = [[convert(row[name]) for name, convert in zip(names, converters, strict=True)] for row in rows]
    cursor: Any = connection.connection.cursor()  # of sqlite3 or psycopg
    if connection.dialect.name == "postgresql":
        with cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for each in values:
                copy.write_row(each)
        if "id" in names:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table.name, rows[-1]["id"]])
    else:
        marks = ", ".join("?" for _ in names)
        cursor.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})', values)  # noqa: S608 - ours
    cursor.close()


def _converter(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    return column.type.dialect_impl(dialect).bind_processor(dialect) or _same


def _same(value: Any) -> Any:
    return value

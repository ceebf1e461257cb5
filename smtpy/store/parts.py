"""The journal on PostgreSQL in parts, so that what is old goes by dropping a table: at once, and leaving no holes.

`journal`, `journal_recipients` and `mail_events` are partitioned by number, not by time: part n holds the numbers
from n * STRIDE on. Pages ask for the newest numbers and for the recipients of a number, which reads one part; and a
number is given by a sequence, so whatever a clock says, and however long no worker has run, a row finds its part. The
next part is always made ahead. Once the part in use is old enough, the sequence is set to where the next one begins
(`divide`). A part whose newest row is old goes as a whole (`drop`), the recipients of its messages with it.

What differs from SQLite's tables: there is no foreign key from recipients to messages, since PostgreSQL would look
through all recipients before it lets a part go; and uuids and digests are unique within a part. A row that is written
again, because the answer to its commit got lost, is written soon after and meets itself there; where the log is read
again, which may be any time, `happenings` looks into all parts.

Locks: whoever reads or writes the journal waits while a part is dropped or the sequence is moved, which takes
milliseconds. Neither waits for anybody else, such as a backup, longer than WAIT: it is left for the next time. The
tables of the directory are read all the while.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

STRIDE = 10**10  # numbers of a part: more than mail could fill, few enough that JavaScript counts 900,000 parts
PARTS = 10  # of what is kept, so that it is kept a tenth longer at most; each costs a question a look into its index
MOST = 3 * PARTS  # a clock that is wrong must not have a part made each hour
WAIT = "100ms"  # for others to end what they are at; they wait as long for us, so it is little
_LOCK_NOT_AVAILABLE = "55P03"  # SQLSTATE


@dataclass(frozen=True, slots=True)
class Divided:
    """What is divided together: tables by the column that has the number, and what is `unique` in the first."""

    tables: Mapping[str, str]
    unique: str

    @property
    def name(self) -> str:
        """The table that gives the numbers."""
        return next(iter(self.tables))


JOURNAL = Divided({"journal": "id", "journal_recipients": "journal_id"}, "uuid")
EVENTS = Divided({"mail_events": "id"}, "digest")


def divide(engine: Engine, now: datetime, span: timedelta) -> list[str]:
    """Have a part begin where the last one was begun longer than `span` ago, and the next one ready; those begun."""
    if engine.dialect.name != "postgresql":
        return []
    begun = []
    for what in (JOURNAL, EVENTS):
        with _hasty(engine) as connection:
            # Others that divide are kept away, writers are not.
            connection.execute(text(f"LOCK TABLE ONLY {what.name} IN SHARE UPDATE EXCLUSIVE MODE"))
            make(connection, what, _in_use(connection, what) + 1)
        with _hasty(engine) as connection:
            # No number is given meanwhile, and none is on its way to a row.
            connection.execute(text(f"LOCK TABLE ONLY {what.name} IN SHARE ROW EXCLUSIVE MODE"))
            if number := _begin(connection, what, now - span):
                begun.append(f"{what.name}_{number}")
    return begun


def _begin(connection: Connection, what: Divided, before: datetime) -> int | None:
    """Go on in the next part, if the one in use was begun before then."""
    number = _in_use(connection, what)
    made = numbers(connection, what.name)
    first = connection.scalar(text(f"SELECT at FROM {what.name}_{number} ORDER BY id LIMIT 1"))  # noqa: S608 - ours
    if first is None or first >= before or number + 1 not in made or len(made) > MOST:
        return None
    # Not undone by a rollback, so the part must have been there before this transaction.
    connection.execute(text(f"SELECT setval('{what.name}_id_seq', {(number + 1) * STRIDE}, false)"))
    return number + 1


def make(connection: Connection, what: Divided, number: int) -> None:
    """Make a part, unless it is there. Readers and writers of the journal are not kept waiting."""
    if number in numbers(connection, what.name):
        return
    for table, column in what.tables.items():
        part = f"{table}_{number}"
        connection.execute(text(f"CREATE TABLE {part} (LIKE {table} INCLUDING DEFAULTS)"))
        if column == "id":
            connection.execute(text(f"ALTER TABLE {part} ADD CONSTRAINT uq_{part} UNIQUE ({what.unique})"))
        bounds = f"FROM ({number * STRIDE}) TO ({(number + 1) * STRIDE})"
        connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES {bounds}"))


def make_for(connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Make the parts that rows of a table belong to, if it is in parts; a database of an older schema has none."""
    for what in (JOURNAL, EVENTS):
        if table in what.tables and numbers(connection, table):
            place = columns.index(what.tables[table])
            for number in sorted({row[place] // STRIDE for row in rows}):
                make(connection, what, number)


def drop(engine: Engine, what: Divided, before: datetime, counted: int) -> int:
    """Drop the parts that hold nothing newer, and nothing numbered above `counted`; about how many rows went.

    Not the part in use, nor what is behind it.
    """
    if engine.dialect.name != "postgresql":
        return 0
    gone = 0
    with _hasty(engine) as connection:
        for number in sorted(numbers(connection, what.name)):
            if number >= _in_use(connection, what):
                break
            part = f"{what.name}_{number}"
            found = text(f"SELECT min(id) AS first, max(id) AS last, max(at) AS newest FROM {part}")  # noqa: S608 - ours
            row = connection.execute(found).one()
            if row.last is None or (row.newest < before and row.last <= counted):
                connection.execute(text(f"DROP TABLE {', '.join(f'{table}_{number}' for table in what.tables)}"))
                gone += row.last - row.first + 1 if row.last else 0
    return gone


def numbers(connection: Connection, table: str) -> set[int]:
    """Of the parts that a table has."""
    if connection.dialect.name != "postgresql":
        return set()
    found = text(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid"
        " WHERE inhparent = to_regclass(:table) AND relispartition"
    )
    return {int(name.rpartition("_")[2]) for name in connection.scalars(found, {"table": table})}


def all_of(connection: Connection) -> list[str]:
    """The tables that are parts of others."""
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")))


def _in_use(connection: Connection, what: Divided) -> int:
    return int(connection.scalar(text(f"SELECT last_value FROM {what.name}_id_seq")) or 0) // STRIDE  # noqa: S608 - ours


@contextmanager
def _hasty(engine: Engine) -> Iterator[Connection]:
    """A transaction that is given up, and nothing of it done, when others hold a lock for longer than WAIT."""
    try:
        with engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT}'"))
            yield connection
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise

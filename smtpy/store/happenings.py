"""What Postfix's log told: events to rows and back, and the position behind them, in one transaction."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError

from smtpy.mail.address import ANY_LENGTH, BadAddress, parse_path
from smtpy.maillog.events import (
    Attempt,
    Deleted,
    Event,
    Expired,
    Held,
    Logged,
    Queued,
    Received,
    Refused,
    Released,
    Removed,
    Reported,
    Requeued,
)
from smtpy.store.events import MAX_HOST, LogPosition, MailEvent
from smtpy.store.rows import cut

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# What is kept, and its word. Not how a message came and its Message-ID, which the journal has; nor who was turned away
# before there was a queue id: the policy service records that, and names that are guessed must not fill the disk.
KINDS: dict[type[Event], str] = {
    Received: "copy",
    Queued: "queued",
    Removed: "removed",
    Reported: "reported",
    Expired: "gave up",
    Held: "held",
    Released: "released",
    Deleted: "deleted",
    Requeued: "requeued",
    Refused: "refused",
}
_COLUMNS = {
    "first_id": "other_id",
    "report_id": "other_id",
    "old_id": "other_id",
    "reverse_path": "sender",
    "what": "words",
    "status": "words",
    "stage": "relay",
    "client": "original",
}
_LEFT_OUT = ("recipients",)
AT_END = "END-OF-MESSAGE"  # where the client hears no of a whole message, by a milter or in its place
_NOTHING: dict[str, object] = dict.fromkeys(
    ("other_id", "sender", "recipient", "key", "original", "relay", "dsn", "words", "delay", "size")
)


@dataclass(frozen=True, slots=True)
class Position:
    """`file` names it whatever its path is; `offset` is where the next line begins, behind the octets `before`."""

    file: str
    offset: int
    before: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A line that told something, and the place in its file where it begins."""

    offset: int
    octets: bytes
    logged: Logged

    @property
    def digest(self) -> str:
        """Its name: neither the host's nor the file's, so that a rename of either makes no second row."""
        return blake2b(b"%d:%s" % (self.offset, self.octets), digest_size=16).hexdigest()


def position(engine: Engine, host: str, path: str) -> Position | None:
    """How far a log has been read; None: never."""
    wanted = select(LogPosition.file, LogPosition.offset, LogPosition.before)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        row = connection.execute(wanted.where(LogPosition.host == host, LogPosition.path == path)).first()
    return Position(*row) if row else None


def keep(engine: Engine, host: str, path: str, lines: Iterable[Line], behind: Position) -> None:
    """Keep what lines told, and that they were read. Lines that are kept already are let be; what the database will not
    have is given up."""
    rows = [row for line in lines if (row := _row(line))]
    try:
        _write(engine, host, path, rows, behind)
    except DataError:
        for row in rows:
            with suppress(DataError):
                _write(engine, host, path, [row], None)
        _write(engine, host, path, [], behind)


def _write(engine: Engine, host: str, path: str, rows: list[dict[str, object]], behind: Position | None) -> None:
    insert = _INSERT[engine.dialect.name]
    with engine.begin() as connection:
        if unread := _unread(connection, rows):
            connection.execute(insert(MailEvent).on_conflict_do_nothing(), unread)
        if behind:
            news = {"file": behind.file, "offset": behind.offset, "before": behind.before, "read_at": datetime.now(UTC)}
            read = insert(LogPosition).values(host=host, path=path, **news)
            connection.execute(read.on_conflict_do_update(index_elements=["host", "path"], set_=news))


def _unread(connection: Connection, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Those that are not kept already in another part, which no constraint sees (smtpy.store.parts)."""
    if not rows or connection.dialect.name != "postgresql":
        return rows
    connection.execute(text("LOCK TABLE ONLY mail_events IN ROW EXCLUSIVE MODE"))  # so that none begins meanwhile
    digests = [row["digest"] for row in rows]
    kept = set(connection.scalars(select(MailEvent.digest).where(MailEvent.digest.in_(digests))))
    return [row for row in rows if row["digest"] not in kept]


def _row(line: Line) -> dict[str, object] | None:
    """The columns of an event; None: it is not kept."""
    values = _values(line.logged.event)
    if values is None:
        return None
    fixed = {"digest": line.digest, "at": line.logged.at, "host": line.logged.host[:MAX_HOST]}
    made = _NOTHING | fixed | values
    return {name: cut(value) if isinstance(value, str) else value for name, value in made.items()}


def _values(event: Event) -> dict[str, object] | None:
    kind = KINDS.get(type(event))
    if isinstance(event, Attempt):
        return _attempt(event)
    if kind is None or event.queue_id is None or (isinstance(event, Received) and not event.first_id):
        return None
    values = {_COLUMNS.get(name, name): getattr(event, name) for name in event.__slots__ if name not in _LEFT_OUT}
    if isinstance(event, Refused):
        values["key"] = key_of(event.recipient)
    return {"kind": kind, **values}


def _attempt(event: Attempt) -> dict[str, object]:
    """`kind` is Postfix's word for how it ended, but for what discard(8) takes: that is not sent anywhere."""
    return {
        "kind": "dropped" if event.program == "discard" and event.status == "sent" else event.status[:16],
        "queue_id": event.queue_id,
        "other_id": event.next_id,
        "recipient": event.recipient,
        "key": key_of(event.recipient),
        "original": event.original or None,
        "relay": event.relay,
        "dsn": event.dsn,
        "words": event.words,
        "delay": event.delay,
    }


def key_of(address: str) -> str:
    """What an address in the log is compared by."""
    try:
        return parse_path(address, max_local=ANY_LENGTH).key
    except BadAddress:
        return address.lower()


@dataclass(frozen=True, slots=True)
class Happening:
    """A row: what happened to a queue file, or to one recipient in it. `kind` is Postfix's status for attempts
    (sent, deferred, bounced ...; dropped for discard), else copy, queued, removed, reported, gave up, held, released,
    deleted, requeued or refused."""

    id: int
    at: datetime
    host: str
    kind: str
    queue_id: str
    other_id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    key: str | None = None
    original: str | None = None
    relay: str | None = None
    dsn: str | None = None
    words: str | None = None
    delay: float | None = None
    size: int | None = None


COLUMNS: Sequence[Any] = [getattr(MailEvent, name) for name in Happening.__slots__]

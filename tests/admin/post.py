"""Mail that came by, as rows: journal entries as the milter writes them, log lines as Postfix does."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine

from smtpy.maillog.read import read
from smtpy.store.happenings import Line, Position, keep
from smtpy.store.rows import Delivery, Entry, write

NOW = datetime(2026, 11, 26, 22, 22, 13, 500_000, tzinfo=UTC)
_places = count(1)


def queue_id(number: int = 1) -> str:
    """One of Postfix's long ones."""
    return f"4jb9yY{'BCDFGHJKLM'[number % 10]}{number}zJLf9".replace("0", "Z").replace("1", "Y")


def to(recipient: str, *targets: str, decision: str = "forward", alias_id: int | None = None, **more: str) -> Delivery:
    """A recipient of an entry."""
    key = more.get("key", recipient)
    return Delivery(recipient, key, alias_id, decision, targets, more.get("why", "exact alias"))


def entry(*recipients: Delivery, at: timedelta = timedelta(), **values: Any) -> Entry:
    """A row of the journal."""
    given: dict[str, Any] = {
        "uuid": str(uuid4()),
        "at": NOW + at,
        "stage": "front",
        "queue_id": queue_id(),
        "parent": None,
        "client": "192.0.2.1",
        "reverse_path": "alice@sender.example",
        "message_id": "<one@sender.example>",
        "size": 500,
        "verdict": "accept",
        "why": "; ".join(each.why for each in recipients),
        "micros": 900,
        "recipients": recipients,
    }
    return Entry(**given | values)


def put(engine: Engine, *entries: Entry) -> None:
    """Write rows of the journal."""
    with engine.begin() as connection:
        write(connection, entries)


def log(engine: Engine, *texts: str, stamp: str = "2026-11-26T22:22:13Z") -> None:
    """Write what lines of Postfix's log tell; each is `program: text`."""
    lines = []
    for text in texts:
        program, _, rest = text.partition(": ")
        octets = f"{stamp} mx postfix/{program}[1]: {rest}".encode()
        logged = read(octets, NOW + timedelta(days=1))
        assert logged is not None, text
        lines.append(Line(next(_places), octets, logged))
    keep(engine, "host", "/mail.log", lines, Position("1:1", 0, b""))


def attempt(name: str, recipient: str, status: str = "sent", words: str = "250 Ok", original: str = "") -> str:
    """The text of an attempt, without its program."""
    of = f", orig_to=<{original}>" if original else ""
    dsn = {"sent": "2.0.0", "deferred": "4.0.0"}.get(status, "5.0.0")
    return f"{name}: to=<{recipient}>{of}, relay=mx, delay=1, delays=1/0/0/0, dsn={dsn}, status={status} ({words})"

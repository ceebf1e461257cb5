"""The journal's rows: values in, values out. `smtpy.store.journal` decides when."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, ScalarSelect, Select, insert, select, union

from smtpy.mail.address import MAX_DOMAIN, BadAddress, parse
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.schema import Alias, Domain

MAX_OCTETS = 2000  # of a text that strangers chose: an index entry of PostgreSQL takes 2704
MAX_RESULTS_OCTETS = 16_000  # of what no index holds

_NEW = insert(JournalRow).returning(JournalRow.id, sort_by_parameter_order=True)
_NEW_RECIPIENT = insert(JournalRecipient)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was decided for one recipient. `key` is the address it was found as, `targets` where it goes."""

    recipient: str
    key: str
    alias_id: int | None
    decision: str
    targets: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in one pass. `stage` is rcpt, front or split, `parent` the uuid of the pass before.

    `id` is the journal's own number, None before it is written. `authentication` is what Authentication-Results said of
    it, the four after it the results alone (RFC 8601 section 2.7), `signed` the keys it left with.
    """

    uuid: str
    at: datetime
    stage: str
    queue_id: str | None
    parent: str | None
    client: str
    reverse_path: str
    message_id: str | None
    size: int  # octets
    verdict: str
    why: str
    micros: int
    recipients: tuple[Delivery, ...]
    id: int | None = None
    authentication: str | None = None
    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    arc: str | None = None
    signed: str | None = None


def write(connection: Connection, entries: Sequence[Entry]) -> None:
    """Insert rows in the connection's transaction."""
    numbers = connection.execute(_NEW, [_row(entry) for entry in entries]).scalars().all()
    whose = _owners(connection, [delivery for entry in entries for delivery in entry.recipients])
    recipients = [
        _recipient(number, position, delivery) | {"owner_id": whose(delivery)}
        for number, entry in zip(numbers, entries, strict=True)
        for position, delivery in enumerate(entry.recipients)
    ]
    if recipients:
        connection.execute(_NEW_RECIPIENT, recipients)


def _owners(connection: Connection, deliveries: Sequence[Delivery]) -> Callable[[Delivery], int | None]:
    """Whose each recipient is: that of the alias, else that of the domain, if it is ours."""
    ids = {each.alias_id for each in deliveries if each.alias_id is not None}
    names = {_domain(each) for each in deliveries if each.alias_id is None}
    by_id = select(Alias.id, Alias.owner_id).where(Alias.id.in_(ids))
    by_name = select(Domain.name, Domain.owner_id).where(Domain.name.in_(names))
    of_alias = {row.id: row.owner_id for row in connection.execute(by_id)} if ids else {}
    of_domain = {row.name: row.owner_id for row in connection.execute(by_name)} if names else {}
    return lambda each: of_domain.get(_domain(each)) if each.alias_id is None else of_alias.get(each.alias_id)


def _domain(delivery: Delivery) -> str | None:
    return (delivery.key or delivery.recipient).rpartition("@")[2][:MAX_DOMAIN].lower() or None


def _row(entry: Entry) -> dict[str, object]:
    return {
        "uuid": str(UUID(entry.uuid)),  # SQLite would keep anything
        "at": entry.at,
        "stage": entry.stage,
        "queue_id": cut(entry.queue_id),
        "parent": entry.parent and str(UUID(entry.parent)),
        "client": cut(entry.client),
        "reverse_path": cut(entry.reverse_path),
        "message_id": cut(entry.message_id),
        "size": entry.size,
        "verdict": entry.verdict,
        "why": cut(entry.why),
        "micros": entry.micros,
        "authentication": cut(entry.authentication, MAX_RESULTS_OCTETS),
        "spf": entry.spf,
        "dkim": entry.dkim,
        "dmarc": entry.dmarc,
        "arc": entry.arc,
        "signed": cut(entry.signed),
    }


def _recipient(journal_id: int, position: int, delivery: Delivery) -> dict[str, object]:
    return {
        "journal_id": journal_id,
        "position": position,
        "recipient": cut(delivery.recipient),
        "key": cut(delivery.key),
        "domain": _domain(delivery),
        "alias_id": delivery.alias_id,
        "decision": delivery.decision,
        "targets": [cut(target) for target in delivery.targets],
        "why": cut(delivery.why),
    }


def cut(text: str | None, most: int = MAX_OCTETS) -> str | None:
    """The text as both databases take it: no NUL, no half of a surrogate pair, not too long for an index."""
    if text is None or (text.isascii() and len(text) <= most and "\0" not in text):
        return text
    octets = text.replace("\0", "\ufffd").encode("utf-8", "replace")
    return octets[:most].decode("utf-8", "ignore")


def entries(engine: Engine, *, about: str | None = None, limit: int = 50, before: int | None = None) -> list[Entry]:
    """Entries, newest first. `about` is an address, a message-id, a queue id or an entry's uuid; None: all.

    `before`: the `id` of the last one seen, for the page that follows.
    """
    page = select(JournalRow.__table__).order_by(JournalRow.id.desc()).limit(limit)
    if before is not None:
        page = page.where(JournalRow.id < before)
    if about is not None:
        page = page.where(JournalRow.id.in_(_about(about, limit, before)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        rows = connection.execute(page).all()
        found = connection.execute(_recipients_of([row.id for row in rows])).all() if rows else []
    deliveries: dict[int, list[Delivery]] = {row.id: [] for row in rows}
    for row in found:
        deliveries[row.journal_id].append(
            Delivery(row.recipient, row.key, row.alias_id, row.decision, tuple(row.targets), row.why)
        )
    return [_entry(row, deliveries[row.id]) for row in rows]


def _about(about: str, limit: int, before: int | None) -> ScalarSelect[Any]:
    """The ids that may be meant: of each index no more than a page, however many rows it holds."""
    text = cut(about)
    ways = [
        select(JournalRow.id).where(JournalRow.message_id.in_([text, f"<{text}>"])),
        select(JournalRow.id).where(JournalRow.queue_id == text),
        select(JournalRow.id).where(JournalRow.reverse_path == text),
        select(JournalRecipient.journal_id.label("id")).where(JournalRecipient.key == _key(about)).distinct(),
    ]
    if uuid := as_uuid(about):
        ways.append(select(JournalRow.id).where(JournalRow.uuid == uuid))
    return union(*(_newest(way, limit, before) for way in ways)).scalar_subquery()


def _newest(way: Select[Any], limit: int, before: int | None) -> Select[Any]:
    column = way.selected_columns.id
    if before is not None:
        way = way.where(column < before)
    return select(way.order_by(column.desc()).limit(limit).subquery())


def _recipients_of(numbers: list[int]) -> Select[Any]:
    return (
        select(JournalRecipient.__table__)
        .where(JournalRecipient.journal_id.in_(numbers))
        .order_by(JournalRecipient.journal_id, JournalRecipient.position)
    )


def _key(about: str) -> str | None:
    try:
        return cut(parse(about).key)
    except BadAddress:
        return cut(about)


def as_uuid(about: str) -> str | None:
    try:
        return str(UUID(about))
    except ValueError:
        return None


def _entry(row: Row[Any], deliveries: Iterable[Delivery]) -> Entry:
    values = dict(row._mapping)
    return Entry(**values, recipients=tuple(deliveries))

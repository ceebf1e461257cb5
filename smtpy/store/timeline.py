"""Reading journal and log together: which messages are meant, newest first, and all that is known of them.

Every question is an indexed one with a limit, however many rows there are. A message is its first row in the journal
(`heads`); its second passes and what Postfix did are found from there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, exists, or_, select, true, tuple_, union
from sqlalchemy.orm import Session, aliased

from smtpy.mail.address import BadAddress, parse
from smtpy.store.events import MAX_ID, MailEvent
from smtpy.store.happenings import AT_END, COLUMNS, Happening
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.rows import Delivery, Entry, as_uuid, cut

MAX_ROUNDS = 4  # from a file to its copies, from there to reports, and once more for each that was requeued
MAX_HAPPENINGS = 20_000  # of one reading
SECONDS = 250  # rows of second passes that are read with a page; where there are more, it is read in parts
MAX_FILES = 500  # queue files that may be meant by an address of the log
EARLIER, LATER = timedelta(hours=1), timedelta(days=400)  # ids of queue files may come again in other years


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: about something, of an alias, of a domain; older than `before`; what `owner` may see."""

    about: str | None = None
    alias_id: int | None = None
    domain: str | None = None
    before: int | None = None
    owner: int | None = None


def heads(session: Session, wanted: Wanted, limit: int) -> list[int]:
    """The journal's numbers of messages, newest first."""
    conditions = _of(wanted)
    if wanted.about is None and conditions:
        return _by_recipient(session, conditions, wanted.before, limit)
    page = select(JournalRow.id).where(JournalRow.parent.is_(None)).order_by(JournalRow.id.desc()).limit(limit)
    if wanted.before is not None:
        page = page.where(JournalRow.id < wanted.before)
    if conditions:
        page = page.where(exists().where(JournalRecipient.journal_id == JournalRow.id, *conditions))
    if wanted.about is None:
        return list(session.scalars(page))
    ways = [select(page.where(each).subquery()) for each in _meanings(session, wanted.about)]
    either = union(*ways).subquery()
    return list(session.scalars(select(either.c.id).order_by(either.c.id.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Sign:
    """What a message that has come to some end has left in journal or log, one of these: its verdict, a decision about
    a recipient, an event of a kind; or of any kind but `no_kinds`."""

    verdict: str = ""
    decisions: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    no_kinds: tuple[str, ...] = ()


def bearing(session: Session, numbers: Sequence[int], sign: Sign) -> list[int]:
    """Those of these messages that may bear a sign, newest first; what none bears is not worth to be put together.
    Those that were split or requeued always may: their copies are found later."""
    of = JournalRecipient.journal_id == JournalRow.id
    kinds: ColumnElement[bool] = MailEvent.kind.in_(sign.kinds)
    if sign.no_kinds:
        kinds = or_(kinds, MailEvent.kind.not_in(sign.no_kinds))
    may = or_(
        JournalRow.verdict == sign.verdict,
        _one(JournalRecipient.journal_id, of, JournalRecipient.decision.in_((*sign.decisions, "split"))),
        _one(MailEvent.id, MailEvent.queue_id == JournalRow.queue_id, kinds),
        _one(MailEvent.id, MailEvent.other_id == JournalRow.queue_id, MailEvent.kind == "requeued"),
    )
    chosen = select(JournalRow.id).where(_among(numbers), may)
    return list(session.scalars(chosen.order_by(JournalRow.id.desc())))


def _among(numbers: Sequence[int]) -> ColumnElement[bool]:
    """Hundreds of them, written out: drivers take long over as many parameters."""
    return JournalRow.id.in_(bindparam("numbers", numbers, expanding=True, literal_execute=True, unique=True))


def _one(column: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """That there is such a row beside one of the journal. Not EXISTS, for which PostgreSQL reads all such rows there
    are into a table of its own, however few of the journal are looked at."""
    return select(column).where(*conditions).correlate(JournalRow).limit(1).scalar_subquery().is_not(None)


def came(session: Session, since: datetime, until: datetime, part: int) -> Iterator[list[int]]:
    """The journal's numbers of messages that came in this time and were not refused, oldest first, in parts; by their
    time, so that it costs what the time holds, wherever it lies."""
    place = tuple_(JournalRow.at, JournalRow.id)
    chosen = select(JournalRow.id, JournalRow.at).where(JournalRow.parent.is_(None), JournalRow.verdict != "refuse")
    chosen = chosen.where(JournalRow.at >= since, JournalRow.at < until).order_by(JournalRow.at, JournalRow.id)
    page = chosen.limit(part)
    while rows := session.execute(page).all():
        yield [row.id for row in rows]
        page = chosen.where(place > (rows[-1].at, rows[-1].id)).limit(part)


def _of(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What a recipient has to be for the message to be meant: all of these."""
    found = []
    if wanted.alias_id is not None:
        found.append(JournalRecipient.alias_id == wanted.alias_id)
    if wanted.domain is not None:
        found.append(JournalRecipient.domain == wanted.domain)
    if (
        wanted.owner is not None and found
    ):  # by the index of alias or domain: SQLite would as soon read all of the owner's
        found.append(JournalRecipient.owner_id + 0 == wanted.owner)
    elif wanted.owner is not None:
        found.append(visible_to(wanted.owner))
    return found


def _by_recipient(
    session: Session, conditions: Sequence[ColumnElement[bool]], before: int | None, limit: int
) -> list[int]:
    """From the recipients' side, so that few messages among many are found by their index; a part at a time, since
    second passes are among them."""
    found: list[int] = []
    number, part = JournalRecipient.journal_id, min(limit * 4, limit + SECONDS)
    while len(found) < limit:
        older = true() if before is None else number < before
        page = select(number).distinct().where(*conditions, older).order_by(number.desc()).limit(part)
        numbers = list(session.scalars(page))
        firsts = select(JournalRow.id).where(_among(numbers), JournalRow.parent.is_(None))
        found += session.scalars(firsts.order_by(JournalRow.id.desc()))
        if len(numbers) < part:
            break
        before = numbers[-1]
    return found[:limit]


def visible_to(owner: int) -> ColumnElement[bool]:
    """The recipients that are a member's."""
    return JournalRecipient.owner_id == owner


def _meanings(session: Session, about: str) -> list[ColumnElement[bool]]:
    """What the message may be that is meant by a Message-ID, a queue id of either pass, an address or a UUID."""
    text = cut(about) or ""
    key = _key(text)
    row, first = aliased(JournalRow), aliased(JournalRow)
    uuid = as_uuid(text)
    meant: ColumnElement[bool] = row.queue_id.in_(_files(session, text, key))
    if uuid is not None:
        meant = or_(meant, row.uuid == uuid)
    of_first = select(first.id).join(row, row.parent == first.uuid).where(meant)
    return [
        JournalRow.message_id.in_([text, f"<{text}>"]),
        JournalRow.reverse_path == text,
        JournalRow.id.in_(select(JournalRecipient.journal_id).where(JournalRecipient.key == key)),
        JournalRow.id.in_(select(row.id).where(meant)),
        JournalRow.id.in_(of_first),
    ]


def _files(session: Session, text: str, key: str) -> set[str]:
    """Queue ids that may be meant: the text itself and what it is linked to, or those that went to an address."""
    if "@" in text:
        attempts = select(MailEvent.queue_id, MailEvent.id).where(MailEvent.key == key).order_by(MailEvent.id.desc())
        ids = {row.queue_id for row in session.execute(attempts.limit(MAX_FILES))}
    else:
        ids = {text} if 0 < len(text) <= MAX_ID else set()
    linked = {each for row in linked_to(session, ids, 2) for each in (row.queue_id, row.other_id) if each}
    return ids | linked


def _key(text: str) -> str:
    try:
        return cut(parse(text).key) or ""
    except BadAddress:
        return text


def linked_to(session: Session, ids: Iterable[str], rounds: int = MAX_ROUNDS) -> list[Row[Any]]:
    """The rows that join one queue file to another, from these files on."""
    known, new = set(ids), set(ids)
    found: dict[int, Row[Any]] = {}
    for _ in range(rounds):
        if not new:
            break
        both = [MailEvent.queue_id.in_(new), MailEvent.other_id.in_(new)]
        links = [
            select(MailEvent.id, MailEvent.queue_id, MailEvent.other_id).where(each, MailEvent.other_id.is_not(None))
            for each in both
        ]
        rows = session.execute(union(*links).limit(MAX_HAPPENINGS)).all()
        found |= {row.id: row for row in rows}
        new = {each for row in rows for each in (row.queue_id, row.other_id)} - known
        known |= new
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Known:
    """All rows about a message: its first entry, those of its second pass, what happened. `whole`: no recipient of it
    was left out."""

    entry: Entry
    seconds: tuple[Entry, ...]
    happenings: tuple[Happening, ...]
    whole: bool


def known(session: Session, numbers: Sequence[int], owner: int | None = None) -> list[Known]:
    """What is known of these messages, in their order; of their recipients only the owner's, if one is named."""
    firsts = _entries(session, JournalRow.id.in_(numbers), owner)
    seconds: dict[str, list[Entry]] = {}
    uuids = [entry.uuid for entry, _ in firsts]
    for entry, _ in _entries(session, JournalRow.parent.in_(uuids), owner):
        if entry.recipients:
            seconds.setdefault(entry.parent or "", []).append(entry)
    times = [entry.at for entry, _ in firsts]
    files = {each.queue_id for of in seconds.values() for each in of} | {entry.queue_id for entry, _ in firsts}
    told = _told(session, {each for each in files if each}, min(times), max(times)) if times else {}
    order = {number: place for place, number in enumerate(numbers)}
    made = []
    for entry, whole in firsts:
        happenings = _joined(told, _files_of(entry, seconds))
        if owner is not None:
            happenings = tuple(_shown(each) for each in happenings if each.kind != "refused" or each.relay == AT_END)
        made.append(Known(entry, tuple(seconds.get(entry.uuid, ())), happenings, whole))
    return sorted(made, key=lambda each: order[each.entry.id or 0])


def _shown(each: Happening) -> Happening:
    """Who was refused beside a member's recipients is for operators; that the whole message was is not."""
    return replace(each, recipient=None, key=None) if each.kind == "refused" else each


def _files_of(entry: Entry, seconds: dict[str, list[Entry]]) -> set[str]:
    return {each.queue_id for each in (entry, *seconds.get(entry.uuid, ())) if each.queue_id}


def happened(session: Session, queue_id: str) -> list[Happening]:
    """All that is known of a queue file and what it is linked to."""
    linked = {each for row in linked_to(session, {queue_id}) for each in (row.queue_id, row.other_id)}
    return _read(session, MailEvent.queue_id.in_({queue_id, *linked}))


def _entries(session: Session, condition: ColumnElement[bool], owner: int | None) -> list[tuple[Entry, bool]]:
    rows = session.execute(select(JournalRow.__table__).where(condition).order_by(JournalRow.id)).all()
    numbers = [row.id for row in rows]
    mine: ColumnElement[bool] = visible_to(owner) if owner is not None else true()
    wanted = select(JournalRecipient, mine.label("mine")).where(JournalRecipient.journal_id.in_(numbers))
    wanted = wanted.order_by(JournalRecipient.journal_id, JournalRecipient.position)
    deliveries: dict[int, list[Delivery]] = {number: [] for number in numbers}
    whole = dict.fromkeys(numbers, True)
    for row, is_mine in session.execute(wanted):
        if is_mine:
            delivery = Delivery(row.recipient, row.key, row.alias_id, row.decision, tuple(row.targets), row.why)
            deliveries[row.journal_id].append(delivery)
        else:
            whole[row.journal_id] = False
    return [(Entry(**row._mapping, recipients=tuple(deliveries[row.id])), whole[row.id]) for row in rows]


def _told(session: Session, files: set[str], since: datetime, until: datetime) -> dict[str, list[Happening]]:
    """What happened to these files and those that came of them.

    The times are compared here: PostgreSQL, once it plans for any values, would read by them instead of by the files.
    """
    first, last = since - EARLIER, until + LATER
    told: dict[str, list[Happening]] = {}
    new = files
    for _ in range(MAX_ROUNDS):
        if not new:
            break
        before = [each for each in _read(session, MailEvent.queue_id.in_(new)) if first <= each.at <= last]
        again = _read(session, and_(MailEvent.other_id.in_(new), MailEvent.kind == "requeued"))
        again = [each for each in again if first <= each.at <= last]
        for each in before:
            told.setdefault(each.queue_id, []).append(each)
        onward = {each.other_id for each in before if each.other_id and each.kind in ("sent", "reported")}
        new = (onward | {each.queue_id for each in again}) - told.keys() - files
        files = files | new
    return told


def _read(session: Session, condition: ColumnElement[bool]) -> list[Happening]:
    rows = select(*COLUMNS).where(condition).order_by(MailEvent.at, MailEvent.id).limit(MAX_HAPPENINGS)
    return [Happening(*row) for row in session.execute(rows)]


def only_in_log(session: Session, since: datetime, until: datetime) -> list[str]:
    """Queue files that came in this time of which the journal knows nothing: neither copies, nor reports, nor what was
    requeued."""
    other = aliased(MailEvent)
    linked = exists().where(other.other_id == MailEvent.queue_id, other.kind.in_(("sent", "reported")))
    copies = exists().where(other.queue_id == MailEvent.queue_id, other.kind.in_(("copy", "requeued")))
    recorded = exists().where(JournalRow.queue_id == MailEvent.queue_id)
    files = select(MailEvent.queue_id).distinct().where(MailEvent.kind == "queued")
    files = files.where(MailEvent.at >= since, MailEvent.at < until)
    return list(session.scalars(files.where(~recorded, ~linked, ~copies).order_by(MailEvent.queue_id)))


def told_of(
    session: Session, names: Sequence[str], since: datetime, until: datetime
) -> dict[str, tuple[Happening, ...]]:
    """What happened to these queue files and what came of each."""
    told = _told(session, set(names), since, until)
    return {name: _joined(told, {name}) for name in names}


def _joined(told: dict[str, list[Happening]], files: set[str]) -> tuple[Happening, ...]:
    """Of all that happened, what belongs to one message, which began with these files."""
    known_ids, new = set[str](), files
    olds = {each.other_id: each.queue_id for of in told.values() for each in of if each.kind == "requeued"}
    found: list[Happening] = []
    while new:
        known_ids |= new
        mine = [each for queue_id in new for each in told.get(queue_id, ())]
        found += mine
        onward = {each.other_id for each in mine if each.other_id and each.kind in ("sent", "reported")}
        new = (onward | {olds[each] for each in new if each in olds}) - known_ids
    return tuple(sorted(found, key=lambda each: (each.at, each.id)))

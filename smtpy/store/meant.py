"""Which messages are meant: by what somebody asks about, by an end they may have come to, by their time. Newest first.

A message is its first row in the journal (`heads`). Every question is an indexed one with a limit, however many rows
there are. What is known of the messages found, `timeline` tells.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, true, tuple_, union
from sqlalchemy.orm import Session, aliased

from smtpy.mail.address import BadAddress, parse
from smtpy.store.events import MAX_ID, MailEvent
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.rows import as_uuid, cut
from smtpy.store.timeline import linked_to, visible_to

SECONDS = 250  # rows of second passes that are read with a page; where there are more, it is read in parts
MAX_FILES = 500  # queue files that may be meant by an address of the log


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
    if wanted.owner is not None:
        # Of few, by the index of alias or domain: SQLite would as soon read all of the owner's.
        found.append(JournalRecipient.owner_id + 0 == wanted.owner if found else visible_to(wanted.owner))
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

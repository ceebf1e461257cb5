"""A message's way, step by step: journal and log joined. `assemble(entries, happenings) -> Timeline`. Pure.

What is known is put in the order in which it happened: what was decided in a pass stands where that pass begins in the
log, whose stamps are whole seconds and whose order is the truth. Of a message with recipients of several owners a
member is shown the steps of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smtpy.admin.ends import REPORT, End, Files, State, ends, is_attempt, overall
from smtpy.routing.internal import unsplit
from smtpy.store.happenings import Happening, key_of
from smtpy.store.rows import Delivery, Entry

FRONT, SPLIT, SENDER = "front", "split", "report"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `kind`: received, verdicts, decided, then Postfix's: queued, copied, deferred,
    delivered, bounced, dropped, reported, gave up, held, released, deleted, requeued, refused, finished.

    `way`: front, split for the second pass, report for the report to the sender.
    """

    at: datetime
    kind: str
    words: str = ""
    recipient: str = ""
    relay: str = ""
    dsn: str = ""
    queue_id: str | None = None
    way: str = FRONT
    delay: float | None = None  # seconds since it came


@dataclass(frozen=True, slots=True)
class Timeline:
    """A message: its row in the journal, those of its second passes, where its copies are, and how they got there.

    `mark` grows with what is known of it.
    """

    entry: Entry
    seconds: tuple[Entry, ...]
    state: State
    ends: tuple[End, ...]
    steps: tuple[Step, ...]
    mark: int

    @property
    def id(self) -> int | None:
        """The journal's number; None: only Postfix's log knows it."""
        return self.entry.id

    @property
    def uuid(self) -> str | None:
        """Its name; None: only Postfix's log knows it."""
        return self.entry.uuid or None

    @property
    def at(self) -> datetime:
        """When it came."""
        return self.entry.at

    @property
    def queue_ids(self) -> tuple[str, ...]:
        """Those it had here, the first one first; none if it was refused before it had one."""
        found = (self.entry.queue_id, *(each.queue_id for each in self.seconds), *(each.queue_id for each in self.ends))
        return tuple(dict.fromkeys(each for each in found if each))


_WORDS = {"sent": "delivered", "removed": "finished", "undeliverable": "bounced"}


def assemble(
    entry: Entry, seconds: Sequence[Entry], happenings: Sequence[Happening], *, whole: bool = True
) -> Timeline:
    """The timeline of what came in by this entry. Unless `whole`, its recipients are not all there are: what is known
    of others is left out."""
    if not whole:
        entry = replace(entry, why="; ".join(dict.fromkeys(each.why for each in entry.recipients)))
    found = ends(entry, seconds, files_of(happenings))
    told = happenings if whole else _own(happenings, entry, seconds)
    steps = (*_decided(entry), *_happened(told, entry, seconds))
    state = overall(found) if found else _of_verdict(entry)
    return Timeline(entry, tuple(seconds), state, found, steps, 1 + len(seconds) + len(happenings))


def unknown(queue_id: str, happenings: Sequence[Happening]) -> Timeline | None:
    """The timeline of a queue file the journal has no row of, such as a report; None: the log has nothing either."""
    if not happenings:
        return None
    own = [each for each in happenings if each.queue_id == queue_id] or list(happenings)
    first = next((each for each in own if each.kind == "queued"), own[0])
    deliveries = dict.fromkeys(map(_delivery, filter(is_attempt, own)))
    entry = Entry(
        uuid="",
        at=first.at,
        stage="log",
        queue_id=queue_id,
        parent=None,
        client="",
        reverse_path=first.sender or "",
        message_id=None,
        size=first.size or 0,
        verdict="accept",
        why="the journal has no row of it",
        micros=0,
        recipients=tuple(deliveries) or (Delivery("", "", None, "", (), ""),),
    )
    found = ends(entry, (), files_of(happenings))
    steps = tuple(_happened(happenings, entry, ()))
    return Timeline(entry, (), overall(found), found, steps, len(happenings))


def _delivery(each: Happening) -> Delivery:
    """What must have been decided for an attempt to be made."""
    if copy := unsplit(each.recipient or ""):
        return Delivery(str(copy), copy.key, None, "split", (), "")
    name = each.original or each.recipient or ""
    return Delivery(name, key_of(name), None, "", (), "")


def files_of(happenings: Iterable[Happening]) -> Files:
    """Happenings by queue file."""
    told: dict[str, list[Happening]] = {}
    for each in happenings:
        told.setdefault(each.queue_id, []).append(each)
    return Files(told)


def _of_verdict(entry: Entry) -> State:
    return {"refuse": State.REFUSED, "discard": State.DROPPED}.get(entry.verdict, State.ACCEPTED)


def _decided(entry: Entry) -> Iterator[Step]:
    """What the journal says of a pass."""
    if entry.stage != SPLIT:
        client = entry.client or "this host"
        words = f"from {client}, {entry.size} octets" if entry.size else f"from {client}"
        yield Step(entry.at, "received", words, queue_id=entry.queue_id)
    if entry.dmarc:
        words = f"spf={entry.spf} dkim={entry.dkim} dmarc={entry.dmarc} arc={entry.arc}"
        yield Step(entry.at, "verdicts", words, queue_id=entry.queue_id, way=_way(entry))
    for each in entry.recipients:
        goes = f" -> {', '.join(each.targets)}" if each.targets and each.decision != "split" else ""
        words = f"{each.decision}{goes}: {each.why}"
        yield Step(entry.at, "decided", words, each.recipient, queue_id=entry.queue_id, way=_way(entry))
    if entry.signed:
        yield Step(entry.at, "signed", entry.signed, queue_id=entry.queue_id, way=_way(entry))


def _way(entry: Entry) -> str:
    return SPLIT if entry.stage == SPLIT else FRONT


def _happened(told: Sequence[Happening], entry: Entry, seconds: Sequence[Entry]) -> Iterator[Step]:
    """What the log says, and before the first word of a second pass what was decided in it."""
    waiting = {each.queue_id: each for each in seconds}
    ways = _ways(told, entry, seconds)
    queued: set[str] = set()
    for each in told:
        if each.kind != "copy" and (second := waiting.pop(each.queue_id, None)):
            yield from _decided(second)
        if each.kind == "queued" and each.queue_id in queued:  # again, for another attempt
            continue
        if each.kind == "queued":
            queued.add(each.queue_id)
        if step := _step(each, ways.get(each.queue_id, FRONT)):
            yield step
    for second in waiting.values():
        yield from _decided(second)


def _ways(told: Sequence[Happening], entry: Entry, seconds: Sequence[Entry]) -> dict[str, str]:
    found = {each.queue_id: SPLIT for each in seconds if each.queue_id}
    for each in told:
        if each.other_id and each.kind == "sent":
            found.setdefault(each.other_id, SPLIT)
        elif each.kind == "copy":
            found.setdefault(each.queue_id, SPLIT)
        elif each.other_id and each.kind == "reported":
            found.setdefault(each.other_id, SENDER)
    for each in told:
        if each.kind == "requeued" and each.other_id in found:
            found.setdefault(each.queue_id, found[each.other_id])
    return found | ({entry.queue_id: FRONT} if entry.queue_id and entry.stage != SPLIT else {})


def _step(each: Happening, way: str) -> Step | None:
    kind, words = _WORDS.get(each.kind, each.kind), each.words or ""
    match each.kind:
        case "copy":  # the attempt that brought it says so
            return None
        case "sent" if each.other_id:
            kind, words = "copied", f"to the second pass as {each.other_id}"
        case "queued":
            words = f"from <{each.sender or ''}>"
        case "reported":
            kind = "returned" if each.words == REPORT else "reported"
            words = f"{each.words} report to the sender as {each.other_id}"
        case "requeued":
            words = f"before as {each.other_id}"
    recipient = each.recipient or ""
    if each.original:
        recipient = f"{each.original} -> {recipient}" if way == SENDER else recipient
    relay = "" if each.kind == "refused" else each.relay or ""
    return Step(each.at, kind, words, recipient, relay, each.dsn or "", each.queue_id, way, each.delay)


def _own(happenings: Sequence[Happening], entry: Entry, seconds: Sequence[Entry]) -> list[Happening]:
    """What tells of the recipients of these entries: in files that are theirs alone everything, their reports included;
    in the first, which others may share, what happened to the file and to them."""
    alone, shared = {each.queue_id for each in seconds}, {entry.queue_id}
    for each in happenings:
        for files in (alone, shared):
            if each.kind == "requeued" and each.other_id in files:
                files.add(each.queue_id)
        if each.kind == "reported" and each.queue_id in alone:
            alone.add(each.other_id)
    names = {
        key
        for one in (entry, *seconds)
        for to in one.recipients
        for key in (to.key, key_of(to.recipient), *map(key_of, to.targets))
    }
    return [
        each for each in happenings if each.queue_id in alone or (each.queue_id in shared and _concerns(each, names))
    ]


def _concerns(each: Happening, names: set[str]) -> bool:
    if each.recipient is None:
        return each.kind != "reported"
    copy = unsplit(each.recipient)
    key = copy.key if copy else each.key if each.original is None else key_of(each.original)
    return each.kind != "refused" and key in names

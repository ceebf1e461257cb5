"""The proof of the first promise: accepted = delivered + queued + returned + recorded, or what is missing.

Counted by recipients and the mailboxes behind them. What was accepted, the journal says, and of what it lost the row
(a milter that was killed) Postfix's log. Delivered and returned is what the log saw end so; recorded what a rule
dropped or holds, with the row that its owner can see, what was deleted by hand, and a report that nobody could be
told of; queued is what Postfix says it has, if it could be asked, else what the log saw last.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from smtpy.admin.ends import WAITING, End, State
from smtpy.admin.queue import Desk, page
from smtpy.admin.timeline import Timeline, assemble, unknown
from smtpy.queue.protocol import MAX_LISTED, Act, Request
from smtpy.store.meant import came, only_in_log
from smtpy.store.timeline import known, told_of

PART = 500  # messages of one reading

DELIVERED, QUEUED, RETURNED, RECORDED, MISSING = "delivered", "queued", "returned", "recorded", "missing"
KINDS = (DELIVERED, QUEUED, RETURNED, RECORDED, MISSING)
_KINDS = {
    State.DELIVERED: DELIVERED,
    State.QUEUED: QUEUED,
    State.DEFERRED: QUEUED,
    State.RETURNED: RETURNED,
    State.HELD: RECORDED,
    State.DROPPED: RECORDED,
    State.DELETED: RECORDED,
    State.BOUNCED: RECORDED,
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A recipient with no end: the message is in no queue, and nobody knows what came of it."""

    at: datetime
    uuid: str | None
    queue_id: str | None
    recipient: str
    target: str
    words: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What was accepted from `since` to `until`. `unrecorded` messages are known from the log alone."""

    since: datetime
    until: datetime
    messages: int
    unrecorded: int
    accepted: int  # recipients and their mailboxes
    counted: dict[str, int]
    missing: tuple[Missing, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing is missing."""
        return self.accepted == sum(self.counted[each] for each in KINDS[:-1])


def waiting(desk: Desk) -> frozenset[str] | None:
    """The ids of all that is in the queue; None: it is too long to be read. Raises Away."""
    found: set[str] = set()
    after = ""
    while True:
        listing = page(desk, Request(Act.LIST, after=after, limit=MAX_LISTED))
        found |= {each.id for each in listing.messages}
        if not listing.whole:
            return None
        if len(listing.messages) < MAX_LISTED:
            return frozenset(found)
        after = listing.messages[-1].place


def balance(session: Session, since: datetime, until: datetime, queue: frozenset[str] | None) -> Balance:
    """Of what was accepted in that time. `queue`: the ids that were in it at `until`, None if nobody could be asked."""
    counted: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    missing: list[Missing] = []
    numbers: Counter[bool] = Counter()
    for each in _accepted(session, since, until):
        taken = [end for end in each.ends if end.state is not State.REFUSED]  # at the end of the message, by Postfix
        if not taken:
            continue
        numbers[each.uuid is None] += 1
        for end in taken:
            kind = _kind(end, queue)
            counted[kind] += 1
            if kind == MISSING:
                words = f"last known as {end.state}" + (f": {end.words}" if end.words else "")
                missing.append(Missing(each.at, each.uuid, end.queue_id, end.recipient, end.target, words))
    accepted = sum(counted.values())
    return Balance(since, until, numbers.total(), numbers[True], accepted, dict(counted), tuple(missing))


def _kind(end: End, queue: frozenset[str] | None) -> str:
    if end.state in WAITING and queue is not None and end.queue_id not in queue:
        return MISSING  # neither in the queue nor ended
    if end.state is State.ACCEPTED:
        return QUEUED if queue is not None else MISSING
    return _KINDS.get(end.state, MISSING)


def _accepted(session: Session, since: datetime, until: datetime) -> Iterator[Timeline]:
    for numbers in came(session, since, until, PART):
        for each in known(session, numbers):
            yield assemble(each.entry, each.seconds, each.happenings)
    yield from _unrecorded(session, since, until)


def _unrecorded(session: Session, since: datetime, until: datetime) -> Iterator[Timeline]:
    names = only_in_log(session, since, until)
    for start in range(0, len(names), PART):
        part: Sequence[str] = names[start : start + PART]
        for name, happenings in told_of(session, part, since, until).items():
            if found := unknown(name, happenings):
                yield found

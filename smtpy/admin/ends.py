"""What has become of each recipient of a message, from what was decided and what Postfix's log told since. Pure.

A recipient is what the client named; it has an end for each mailbox behind it. Where the message was split, the end is
found in the second pass.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smtpy.routing.internal import unsplit
from smtpy.store.happenings import AT_END, Happening, key_of
from smtpy.store.meant import Sign
from smtpy.store.rows import Delivery, Entry


class State(StrEnum):
    """Where a recipient's copy is, or how it ended."""

    ACCEPTED = "accepted"  # and the log has told nothing yet
    QUEUED = "queued"
    DEFERRED = "deferred"  # queued, and an attempt has failed for now
    HELD = "held"  # waits until somebody lets it go
    DELIVERED = "delivered"
    BOUNCED = "bounced"  # failed for good; nobody has been told, or there is nobody to tell
    RETURNED = "returned"  # failed for good, and a report has gone to the sender
    DROPPED = "dropped"  # by a rule, with its row in the journal
    DELETED = "deleted"  # by hand
    REFUSED = "refused"  # the sender was told
    MISSING = "missing"  # Postfix has done with it, and there is no word of this one


WAITING = frozenset({State.ACCEPTED, State.QUEUED, State.DEFERRED, State.HELD})
# By which the whole message goes, when its ends differ: what somebody may have to look after comes first.
URGENCY = tuple(State(each) for each in (
    "missing", "held", "deferred", "queued", "accepted", "bounced", "returned", "deleted", "delivered", "dropped",
    "refused",
))  # fmt: skip
# The attempts after which none follows, by Postfix's words for them; any other but deferred has failed for good.
_ENDS = {"sent": State.DELIVERED, "delivered": State.DELIVERED, "dropped": State.DROPPED, "deferred": State.DEFERRED}
_NO_ATTEMPT = frozenset({
    "copy", "queued", "removed", "reported", "gave up", "held", "released", "deleted", "requeued", "refused",
})  # fmt: skip
_DECIDED = {"drop": State.DROPPED, "loop": State.DROPPED, "discard": State.DROPPED, "hold": State.HELD}
REPORT = "non-delivery"
_FAILED = Sign(kinds=("gave up",), no_kinds=(*sorted(_NO_ATTEMPT), *_ENDS))
# What a message in such a state must have left: a table to look by, which may find more. The others leave nothing.
SIGNS = {
    State.HELD: Sign(decisions=("hold",), kinds=("held",)),
    State.DEFERRED: Sign(kinds=("deferred",)),
    State.DELIVERED: Sign(kinds=("sent", "delivered")),
    State.BOUNCED: _FAILED,
    State.RETURNED: _FAILED,
    State.DROPPED: Sign("discard", ("drop", "loop", "discard"), ("dropped",)),
    State.DELETED: Sign(kinds=("deleted",)),
    State.REFUSED: Sign("refuse"),
}


@dataclass(frozen=True, slots=True)
class End:
    """`recipient` as the client named it, `target` where its copy goes. `queue_id` is that of the last pass."""

    recipient: str
    target: str
    state: State
    at: datetime
    words: str = ""
    relay: str = ""
    dsn: str = ""
    queue_id: str | None = None
    alias_id: int | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """All that is known of queue files, by queue id; a file that was requeued goes on under its next id."""

    told: Mapping[str, Sequence[Happening]]

    def chain(self, queue_id: str | None) -> list[Happening]:
        """What happened to a file under all its ids, in order."""
        found: list[Happening] = []
        seen: set[str] = set()
        while queue_id is not None and queue_id not in seen:
            seen.add(queue_id)
            found += self.told.get(queue_id, ())
            queue_id = next((each.queue_id for each in self.all if _follows(each, queue_id)), None)
        return found

    @property
    def all(self) -> Iterator[Happening]:
        """Everything."""
        return (each for happenings in self.told.values() for each in happenings)


def _follows(each: Happening, queue_id: str) -> bool:
    return each.kind == "requeued" and each.other_id == queue_id


def is_attempt(each: Happening) -> bool:
    """Whether it tells of one recipient's delivery."""
    return each.recipient is not None and each.kind not in _NO_ATTEMPT


def ends(entry: Entry, seconds: Sequence[Entry], files: Files) -> tuple[End, ...]:
    """The ends of a message that came in by this entry; `seconds` are those of its second pass."""
    return tuple(end for each in entry.recipients for end in _ends(entry, each, seconds, files))


def _ends(entry: Entry, delivery: Delivery, seconds: Sequence[Entry], files: Files) -> Iterator[End]:
    plain = End(
        delivery.recipient, "", State.REFUSED, entry.at, delivery.why, "", "", entry.queue_id, delivery.alias_id
    )
    if entry.verdict == "refuse":
        yield replace(plain, target=delivery.recipient)
        return
    if delivery.decision in ("loop", "discard"):
        yield replace(plain, target=delivery.recipient, state=State.DROPPED)
        return
    told = files.chain(entry.queue_id)
    if delivery.decision == "split":
        yield from _split(plain, delivery, told, seconds, files)
        return
    yield from _of_file(plain, delivery, told)


def _split(
    plain: End, delivery: Delivery, told: Sequence[Happening], seconds: Sequence[Entry], files: Files
) -> Iterator[End]:
    """The ends in the second pass, if its copy got there."""
    onward = _last(each for each in told if is_attempt(each) and _is_copy_of(each, delivery))
    mine = [each for each in seconds if each.recipients and each.recipients[0].key == delivery.key]
    next_id = onward.other_id if onward and onward.kind == "sent" else None
    second = next((each for each in reversed(mine) if next_id and each.queue_id == next_id), None)
    if second is None and next_id is None:
        state, last = _state(told, onward)
        for target in delivery.targets or (delivery.recipient,):
            yield _end(replace(plain, target=target), state, last)
        return
    there = second.recipients[0] if second else _guessed(delivery, files.chain(next_id))
    there = replace(there, recipient=delivery.recipient, alias_id=delivery.alias_id)
    if there.decision in ("loop", "discard"):
        yield replace(plain, target=delivery.recipient, state=State.DROPPED, words=there.why)
        return
    yield from _of_file(replace(plain, queue_id=next_id, words=there.why), there, files.chain(next_id))


def _guessed(delivery: Delivery, told: Sequence[Happening]) -> Delivery:
    """What was decided in a second pass of which there is no row: it has one recipient, so all was for that one."""
    tried = tuple(dict.fromkeys(each.recipient or "" for each in told if is_attempt(each)))
    return replace(delivery, decision="forward", targets=tried or delivery.targets)


def _is_copy_of(each: Happening, delivery: Delivery) -> bool:
    address = unsplit(each.recipient or "")
    return address is not None and address.key == delivery.key


def _of_file(plain: End, delivery: Delivery, told: Sequence[Happening]) -> Iterator[End]:
    """The ends of a recipient within one queue file: of each mailbox, and of what else it was taken for at RCPT TO."""
    attempts = [each for each in told if is_attempt(each) and _is_for(each, delivery)]
    texts = {key_of(each): each for each in (delivery.targets or (delivery.recipient,))}
    last = {each.key or "": each for each in attempts}
    done = any(each.kind == "removed" for each in told)
    for key, text in texts.items():
        if key in last or not (done and attempts):  # when all is done, what was never tried had gone from the alias
            yield _end(replace(plain, target=text), *_state(told, last.get(key), delivery.decision))
    for key, attempt in last.items():
        if key not in texts:
            yield _end(replace(plain, target=attempt.recipient or ""), *_state(told, attempt))


def _is_for(each: Happening, delivery: Delivery) -> bool:
    names = {delivery.key, key_of(delivery.recipient)}
    if each.original is not None:
        return key_of(each.original) in names
    return each.key in names or each.key in {key_of(target) for target in delivery.targets}


def _state(told: Sequence[Happening], attempt: Happening | None, decision: str = "") -> tuple[State, Happening | None]:
    """The state of a recipient, and what tells it, given the last attempt to deliver it."""
    if attempt is not None and _ENDS.get(attempt.kind) not in (None, State.DEFERRED):
        return _ENDS[attempt.kind], attempt
    failed = attempt if attempt is not None and attempt.kind not in _ENDS else _last(_of(told, "gave up"))
    if failed is not None:
        after = [each for each in told[told.index(failed) :] if each.kind == "reported" and each.words == REPORT]
        return (State.RETURNED if after else State.BOUNCED), failed
    return _unfinished(told, attempt, decision)


def _unfinished(told: Sequence[Happening], attempt: Happening | None, decision: str) -> tuple[State, Happening | None]:
    if deleted := _last(_of(told, "deleted")):
        return State.DELETED, deleted
    if refused := _last(each for each in _of(told, "refused") if each.relay == AT_END):
        return State.REFUSED, refused  # whatever was decided: Postfix had given up waiting, or another milter said no
    if decision in ("drop", "hold") and not any(each.kind in ("held", "released", "requeued") for each in told):
        return _DECIDED[decision], None
    if removed := _last(_of(told, "removed")):
        return State.MISSING, removed
    held = _last(_of(told, "held", "released", "requeued"))
    if held is not None and held.kind == "held":
        return State.HELD, held
    if attempt is not None:
        return State.DEFERRED, attempt
    queued = _last(_of(told, "queued", "released"))
    return (State.QUEUED if queued else State.ACCEPTED), queued


def _of(told: Iterable[Happening], *kinds: str) -> Iterator[Happening]:
    return (each for each in told if each.kind in kinds)


def _last(found: Iterable[Happening]) -> Happening | None:
    last = None
    for last in found:  # noqa: B007
        pass
    return last


def _end(plain: End, state: State, last: Happening | None) -> End:
    if last is None:
        return replace(plain, state=state)
    words = last.words if is_attempt(last) or last.kind in ("gave up", "held", "refused") else ""
    return replace(
        plain,
        state=state,
        at=last.at,
        words=words or plain.words,
        relay="" if last.kind == "refused" else last.relay or "",
        dsn=last.dsn or "",
        queue_id=last.queue_id,
    )


def overall(found: Sequence[End]) -> State:
    """What stands for the whole message."""
    states = {each.state for each in found}
    return next((state for state in URGENCY if state in states), State.ACCEPTED)

"""Which of Postfix's commands a request means, and what came of them. Pure.

postqueue(1) and postsuper(1) say little by their exit status: what was not found is "0 messages" and success. So a
count is read where there is one, and who is to be tried again is looked for first.
"""

import heapq
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from smtpy.queue.protocol import (
    Act,
    Answer,
    Done,
    Letter,
    Listing,
    Message,
    Recipient,
    Refused,
    Request,
)

AGES = (300, 3600, 14_400, 43_200, 86_400, 259_200, None)  # seconds below which a message is that old; None: older
MAX_RECIPIENTS = 20  # told of each message
MAX_REASON = 500  # characters
MAX_LETTER = 65_536  # octets of envelope and header

Command = tuple[str, ...]

_COUNT = re.compile(rb": ([0-9]+) messages?\s*\Z")
_FIELD = re.compile(r"([!-9;-~]+):[ \t]?(.*)\Z", re.DOTALL)

LATE = Refused("failed", "Postfix took too long")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended; `status` None: it was ended, being late."""

    status: int | None
    said: bytes  # stdout, cut at MAX_LETTER
    complained: bytes  # stderr


def commands(request: Request) -> tuple[Command, ...]:
    """What to run, one after the other, until one fails. Listing is done by LIST, whose output is a stream."""
    name = request.id
    return {
        Act.LIST: (LIST,),
        Act.SHOW: (("postcat", "-qeh", name),),
        Act.HOLD: (("postsuper", "-h", name),),
        # what is let go waits in the deferred queue for its turn, so ask for that
        Act.RELEASE: (("postsuper", "-H", name), ("postqueue", "-i", name)),
        Act.DELETE: (("postsuper", "-d", name),),
        Act.RETRY: (("postcat", "-qe", name), ("postqueue", "-i", name)),
        Act.FLUSH: (("postqueue", "-f"),),
    }[request.act]


LIST: Command = ("postqueue", "-j")


def outcome(request: Request, ran: Sequence[Ran]) -> Answer | None:
    """What the commands that have ended come to; None: go on with the next."""
    last = ran[-1]
    if last.status is None:
        return LATE
    if last.status != 0:
        return _failure(request, last)
    if (count := _COUNT.search(last.complained)) is not None and count[1] == b"0":
        return Refused("gone", GONE[request.act].format(id=request.id))
    if request.act is Act.RETRY and _letter(request.id, last.said).queue == "hold":
        return Refused("gone", f"{request.id} is on hold. Release it instead.")
    if len(ran) < len(commands(request)):
        return None
    return _letter(request.id, last.said) if request.act is Act.SHOW else Done()


NOT_THERE = "No message {id} is in the queue. It was delivered, returned or deleted."
GONE = {
    Act.HOLD: "No message {id} can be put on hold. It has left the queue, or is on hold already.",
    Act.RELEASE: "No message {id} is on hold.",
    Act.DELETE: NOT_THERE,
}


def _failure(request: Request, last: Ran) -> Refused:
    if f"open queue file {request.id}: No such file or directory".encode() in last.complained:
        return Refused("gone", NOT_THERE.format(id=request.id))
    lines = last.complained.decode("utf-8", "replace").strip().splitlines()
    return Refused("failed", f"Postfix says: {lines[-1][:300]}" if lines else "Postfix failed without a word")


# --- The letter -------------------------------------------------------------------------------------------------


def _letter(name: str, said: bytes) -> Letter:
    """postcat's output. A header field may look like a heading of postcat's, so the first of each counts."""
    lines = said.decode("utf-8", "replace").splitlines()
    queue, envelope = "", list[tuple[str, str]]()
    rest = iter(lines)
    for line in rest:
        if line.startswith("*** ENVELOPE RECORDS "):
            queue = line.split()[3].partition("/")[0]
        elif line.startswith("*** MESSAGE CONTENTS "):
            break
        elif found := _FIELD.match(line):
            envelope.append((found[1], found[2].strip()))
    return Letter(name, queue, tuple(envelope), tuple(_header(rest)))


def _header(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    name, value = "", ""
    for line in lines:
        if line.startswith("*** HEADER EXTRACTED "):
            break
        if line[:1] in (" ", "\t") and name:
            value += "\n" + line
        elif found := _FIELD.match(line):
            if name:
                yield name, value
            name, value = found[1], found[2]
    if name:
        yield name, value


# --- The listing ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Count:
    """What is counted while the queue goes by."""

    now: float
    total: int = 0
    matching: int = 0
    queues: dict[str, int] = field(default_factory=dict)
    ages: list[int] = field(default_factory=lambda: [0] * len(AGES))

    def take(self, message: Message) -> None:
        """One more."""
        self.total += 1
        self.queues[message.queue] = self.queues.get(message.queue, 0) + 1
        age = self.now - message.arrived
        self.ages[next(i for i, edge in enumerate(AGES) if edge is None or age < edge)] += 1


def listing(request: Request, lines: Iterable[bytes], now: float) -> Listing:
    """The page of the queue that is asked for, from the lines of `postqueue -j`; `now` in seconds since 1970."""
    count = Count(now)
    page = heapq.nsmallest(request.limit, _wanted(request, lines, count), key=_order)
    return Listing(count.total, count.matching, count.queues, tuple(count.ages), tuple(map(_cut, page)))


def _wanted(request: Request, lines: Iterable[bytes], count: Count) -> Iterator[Message]:
    arrived, _, name = request.after.partition("-")
    start = (int(arrived), name) if name else (-1, "")
    about = request.about.casefold()
    for line in lines:
        message = _message(line)
        if message is None:
            continue
        count.take(message)
        if request.queue in ("", message.queue) and _about(message, about):
            count.matching += 1
            if _order(message) > start:
                yield message


def _order(message: Message) -> tuple[int, str]:
    return message.arrived, message.id


def _about(message: Message, text: str) -> bool:
    return (
        not text
        or text == message.id.casefold()
        or text in message.sender.casefold()
        or any(text in each.address.casefold() or text in each.reason.casefold() for each in message.recipients)
    )


def _message(line: bytes) -> Message | None:
    """A line of `postqueue -j` (postqueue(1), "JSON object format"); None: it is none that we can read."""
    try:
        found: dict[str, Any] = json.loads(line)
        recipients = tuple(Recipient(each["address"], each.get("delay_reason", "")) for each in found["recipients"])
        where = (found["queue_id"], found["queue_name"], int(found["arrival_time"]), int(found["message_size"]))
        return Message(*where, found["sender"], recipients)
    except (ValueError, KeyError, TypeError):
        return None


def _cut(message: Message) -> Message:
    told = tuple(Recipient(each.address[:320], each.reason[:MAX_REASON]) for each in message.recipients)
    shown, others = told[:MAX_RECIPIENTS], max(0, len(told) - MAX_RECIPIENTS)
    return Message(message.id, message.queue, message.arrived, message.size, message.sender[:320], shown, others)

"""What is said to the queue helper: a line of JSON asks for one thing, a line of JSON answers. Knows no socket.

Whoever may open the socket may ask; `by` is who they say it is for, and goes to the log. A queue id is what Postfix
makes (short: hexadecimal; long: digits and consonants), so that neither an option nor the word ALL, which postsuper(1)
takes for every message, can be one. What is no request is refused by an answer; a line too long ends the conversation.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from smtpy.wire import Violation

MAX_REQUEST = 4096  # octets
MAX_LISTED = 500  # messages in an answer
ID = r"^(?:[0-9A-F]{6,20}|[0-9BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz]{10,30})$"  # $ is the end of the text here


class Act(StrEnum):
    """The seven things that the helper does."""

    LIST = "list"
    SHOW = "show"
    HOLD = "hold"
    RELEASE = "release"
    DELETE = "delete"
    RETRY = "retry"
    FLUSH = "flush"


WITHOUT_ID = (Act.LIST, Act.FLUSH)
QueueName = Literal["", "active", "incoming", "deferred", "hold", "maildrop"]


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters")
    return text


Words = Annotated[str, Field(max_length=320), AfterValidator(_printable)]


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to do. `id` names the message for all but list and flush; the rest is for list.

    `about` is looked for in sender, recipients and reasons, in any case of letters, or is a queue id; `after` is the
    `place` of the last message that was seen. All are counted, and `limit` of them told.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    act: Annotated[Act, Field(strict=False)]
    id: Annotated[str, Field(pattern=ID)] | Literal[""] = ""
    by: Words = ""
    queue: QueueName = ""
    about: Words = ""
    after: Annotated[str, Field(pattern=r"^(?:[0-9]{1,12}-[0-9A-Za-z]{6,30})?$")] = ""
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] = 100


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient, and why the message is not there yet ("": not tried)."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the queue. `arrived` in seconds since 1970, `size` in octets; `others`: recipients not told."""

    id: str
    queue: str
    arrived: int
    size: int
    sender: str
    recipients: tuple[Recipient, ...]
    others: int = 0

    @property
    def place(self) -> str:
        """Where it stands in the order of listings: oldest first."""
        return f"{self.arrived}-{self.id}"


@dataclass(frozen=True, slots=True)
class Listing:
    """Messages, oldest first. `total`, `queues` and `ages` count the whole queue, `matching` what was asked for.

    `ages` has one number for each of `decision.AGES`. `whole` is false when the queue was too long to be read through.
    """

    total: int
    matching: int
    queues: dict[str, int]
    ages: tuple[int, ...]
    messages: tuple[Message, ...]
    whole: bool = True
    kind: Literal["listing"] = "listing"


@dataclass(frozen=True, slots=True)
class Letter:
    """What postcat(1) tells of a message but its body: pairs of name and value, as they stand in the queue file."""

    id: str
    queue: str
    envelope: tuple[tuple[str, str], ...]
    header: tuple[tuple[str, str], ...]
    kind: Literal["letter"] = "letter"


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not: the request is `malformed`, the message `gone` (or on hold, or not), or Postfix `failed`."""

    why: Literal["malformed", "gone", "failed"]
    words: str
    kind: Literal["refused"] = "refused"


Answer = Listing | Letter | Done | Refused

NO_REQUEST = Refused("malformed", "This is no request. See smtpy/queue/protocol.py.")
NO_ID = Refused("malformed", "This is no queue id.")
BAD = {
    "id": NO_ID,
    "about": Refused("malformed", "Look for at most 320 characters, none of them a control character."),
    "after": Refused("malformed", "This is no place in the queue."),
    "limit": Refused("malformed", f"Ask for 1 to {MAX_LISTED} messages."),
}
NEEDS_ID = Refused("malformed", "Name the message by its queue id.")
NEEDS_NO_ID = Refused("malformed", "This is done for all messages, and takes no queue id.")

_REQUEST = TypeAdapter(Request)
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


@dataclass(slots=True)
class Lines:
    """A stream of lines, cut anywhere; none longer than `most` octets."""

    most: int = MAX_REQUEST
    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        self._held += data

    def pending(self) -> bool:
        """Whether a part of a line is held."""
        return bool(self._held)

    def next(self) -> bytes | None:
        """The next whole line, without its end; None: more bytes are needed. Raises Violation."""
        end = self._held.find(b"\n")
        if (len(self._held) if end < 0 else end) > self.most:
            raise Violation(f"line is longer than {self.most} octets")
        if end < 0:
            return None
        line = bytes(self._held[:end])
        del self._held[: end + 1]
        return line


def read_request(line: bytes) -> Request | Refused:
    """A line as a request, or why it is none."""
    try:
        request = _REQUEST.validate_json(line)
    except ValidationError as error:
        return next((BAD[key] for each in error.errors() if (key := str((*each["loc"], "")[0])) in BAD), NO_REQUEST)
    if bool(request.id) is (request.act in WITHOUT_ID):
        return NEEDS_NO_ID if request.id else NEEDS_ID
    return request


def write_request(request: Request) -> bytes:
    """The line that asks."""
    return _REQUEST.dump_json(request, exclude_defaults=True) + b"\n"


def write_answer(answer: Answer) -> bytes:
    """The line that answers."""
    return _ANSWER.dump_json(answer) + b"\n"


def read_answer(line: bytes) -> Answer:
    """A line as an answer. Raises Violation."""
    try:
        return _ANSWER.validate_json(line)
    except ValidationError:
        raise Violation("this is no answer of the queue helper") from None

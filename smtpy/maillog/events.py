"""What a line of Postfix's log tells: a value of its own for each kind. `Event` is their union.

All texts are as Postfix logged them. Strangers chose most of them: addresses, what another server said. They are to be
shown, never to be read for more.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Received:
    """smtpd has opened a queue file. `first_id` is the one that this is a copy of, when our own split brought it."""

    queue_id: str
    client: str
    first_id: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """cleanup has read Message-ID; "" when there is none. Whatever the author wrote, brackets and all."""

    queue_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Queued:
    """qmgr has taken it up: after it came, and again for each attempt. `recipients` counts those deleted, too."""

    queue_id: str
    reverse_path: str
    size: int  # octets
    recipients: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery agent has tried one recipient. `original` is the recipient before it was rewritten, "" if it was not.

    `status` is Postfix's word: sent, deferred, bounced, expired, undeliverable ...; `words` why, mostly the other
    server's. `next_id` names the copy in the second pass: only our own split can say so.
    """

    queue_id: str
    recipient: str
    original: str
    relay: str
    delay: float  # seconds since it came
    dsn: str
    status: str
    words: str
    program: str  # which agent: smtp, lmtp, local, discard ...
    next_id: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """qmgr has done with it: every recipient has an end."""

    queue_id: str


@dataclass(frozen=True, slots=True)
class Reported:
    """bounce has written a report, which is a message of its own. `what`: non-delivery, delay, delivery status ..."""

    queue_id: str
    report_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Expired:
    """qmgr gives up on all recipients that are left; they are returned to the sender, if there is one."""

    queue_id: str
    reverse_path: str
    status: str


@dataclass(frozen=True, slots=True)
class Held:
    """It waits until somebody lets it go. `words`: by whom or why; by hand when empty."""

    queue_id: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """Somebody has let it go."""

    queue_id: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """Somebody has taken it out of the queue by hand."""

    queue_id: str


@dataclass(frozen=True, slots=True)
class Requeued:
    """It goes through the queue anew, under a new id."""

    queue_id: str
    old_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A client was told no, or later. `queue_id` None: before there was one. `stage`: CONNECT, RCPT, END-OF-MESSAGE ...

    `words` begin with the reply code, unless a milter said it.
    """

    queue_id: str | None
    stage: str
    client: str
    words: str
    reverse_path: str
    recipient: str


Event = (
    Received | Named | Queued | Attempt | Removed | Reported | Expired | Held | Released | Deleted | Requeued | Refused
)


@dataclass(frozen=True, slots=True)
class Logged:
    """An event, when it was logged, on which host, and by which of its services: "split" for the second pass."""

    at: datetime
    host: str
    service: str
    event: Event

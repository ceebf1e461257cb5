"""The rest of the world: an SMTP server which keeps what it is sent and answers as it was told to."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One transaction as it arrived; `data` unstuffed. The reverse-path of a delivery report is ""."""

    reverse_path: str
    recipients: tuple[str, ...]
    data: bytes
    mail_options: tuple[str, ...] = ()
    rcpt_options: tuple[str, ...] = ()

    @property
    def header(self) -> bytes:
        """The header section, its last CRLF included."""
        return self.data.partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def body(self) -> bytes:
        """All after the empty line."""
        return self.data.partition(b"\r\n\r\n")[2]


class Tolerant(SMTP):
    """A server which takes lines of any length, as many do (RFC 5321 section 4.5.3.1.6 asks them to)."""

    line_length_limit = 2**20


class _Tolerant(Controller):
    def factory(self) -> SMTP:
        return Tolerant(self.handler, **self.SMTP_kwargs)


@dataclass
class Inbox:
    """`replies[recipient]`, if set, is the whole answer to that RCPT TO, as in "450 4.2.0 Later"."""

    port: int
    replies: dict[str, str] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._controller = _Tolerant(
            self,
            hostname="127.0.0.1",
            port=self.port,
            data_size_limit=None,
            enable_SMTPUTF8=True,
            ident="the rest of the world",
        )

    def start(self) -> None:
        """Listen; returns when connections are taken."""
        self._controller.start()

    def stop(self) -> None:
        """Close the port and end the thread."""
        self._controller.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """One recipient: taken unless told otherwise."""
        if refusal := self.replies.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """One message: kept."""
        with self._changed:
            self.deliveries.append(
                Delivery(
                    "" if envelope.mail_from in (None, "<>") else envelope.mail_from,
                    tuple(envelope.rcpt_tos),
                    bytes(envelope.original_content or b""),
                    tuple(envelope.mail_options),
                    tuple(envelope.rcpt_options),
                )
            )
            self._changed.notify_all()
        return "250 2.0.0 Ok: kept"

    def to(self, recipient: str) -> list[Delivery]:
        """What has come for that recipient."""
        return [each for each in list(self.deliveries) if recipient in each.recipients]

    def wait_for(self, wanted: Callable[[Delivery], bool], timeout: float = 20.0) -> Delivery:
        """The first delivery that is wanted, waiting for it; TimeoutError names what came instead."""
        return self.wait_until(lambda all_: next(filter(wanted, all_), None), timeout)

    def wait_until(self, found: Callable[[list[Delivery]], T | None], timeout: float = 20.0) -> T:
        """Waits until `found` makes something true of all deliveries, and returns that."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not (result := found(self.deliveries)):
                if not self._changed.wait(deadline - time.monotonic()):
                    came = [(each.reverse_path, each.recipients) for each in self.deliveries]
                    raise TimeoutError(f"not delivered within {timeout} s; what came: {came}")
            return result

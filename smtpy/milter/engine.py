"""What runs a milter, in libmilter's place: calls a `Milter.Base` for each packet, and answers what it says to that.

A milter is written for pymilter, with its callbacks, constants, decorators and context. What is not used is the way
libmilter runs it: a thread of a pool for every packet, which has to get hold of the interpreter each time, and a write
for every edit. With ten sessions that made 366 system calls a message (156 futex, 111 poll) and took 2.95 ms of CPU,
against 29 and 2.59 ms here, where a connection is a conversation of `smtpy.serving` as with lookup and policy: what
Postfix says in one piece is read in one piece, and all edits of a message are one write.

The end of a message may have to wait for DNS or the database, which an event loop must not. So it is asked for twice:
`eom_at_once` answers from memory or raises MustWait; then `eom` is called in a thread, where it may wait.

Unlike in libmilter, whoever makes a callback fail is hung up on; Postfix makes a 451 of that. Only version 6 of the
protocol is spoken, as Postfix has had it since 2.6. Left out is what nobody here uses: DATA, unknown commands, another
body, abort() and close().
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import Milter

from smtpy.milter import packets
from smtpy.milter.context import Context
from smtpy.milter.packets import Packets, packet
from smtpy.serving import Answer
from smtpy.wire import Violation

VERSION = 6
THREADS = 128  # messages that wait; more than Postfix has smtpds (default_process_limit is 100)

log = logging.getLogger("smtpy.milter")


class MustWait(Exception):
    """The end of this message takes what is not in memory. Nothing has been done or said about it yet."""


class Base(Milter.Base):  # type: ignore[misc]  # pymilter has no types
    """pymilter's, with one callback more."""

    def eom_at_once(self) -> int:
        """`eom` without waiting. Raises MustWait."""
        raise MustWait


class Connection:
    """A `smtpy.wire.Reader`. Its requests are what was answered to a step, or itself, at the end of a message."""

    def __init__(self, factory: Callable[[], Base]) -> None:
        self._packets = Packets()
        self.feed, self.pending = self._packets.feed, self._packets.pending
        self._context = Context()
        self._milter = factory()
        self._milter._setctx(self._context)
        self._had: set[bytes] = set()  # the steps so far, of this message and before any

    def next(self) -> "Asked | None":
        """What is to be answered next; None: more bytes are needed. Raises Violation."""
        while came := self._packets.next():
            command, data = came
            step = _STEPS.get(command)
            if step is None or (_AFTER.get(command, b"O") in self._had) == (command == b"O"):
                raise Violation("this command is unknown here")
            self._had.add(command)
            if answer := self._take(step, data):
                return answer
            if command == b"E":
                return self
        return None

    def end(self, *, at_once: bool) -> bytes:
        """Edits and verdict, at the end of a message. Raises MustWait."""
        answer = self._context.said(self._milter.eom_at_once() if at_once else self._milter.eom())
        self._begin()
        return answer

    def _take(self, step: "_Step", data: bytes) -> bytes | None:
        """The answer to a step. What fails in it ends the conversation: Postfix may not be waiting for an answer."""
        try:
            return step(self, data)
        except Violation:
            raise
        except Exception:  # the edge of the process
            log.exception("before the end of a message")
            raise Violation("a step failed") from None

    def _offer(self, data: bytes) -> bytes:
        version, *offered = packets.read_offer(data)
        options = [*offered, 0, 0]
        if version < VERSION or self._milter.negotiate(options) != Milter.CONTINUE:
            raise Violation("Postfix offers too little: 2.6 or later is needed, with milter_protocol = 6")
        return packet(b"O", packets.offer(VERSION, *options[:2]))

    def _macros(self, data: bytes) -> None:
        self._context.learn(*packets.read_macros(data))

    def _connect(self, data: bytes) -> bytes:
        host, client, port = packets.read_client(data)
        if not client:
            return self._said(self._milter.connect(_text(host), socket.AF_UNSPEC, None))
        if ":" in client:
            return self._said(self._milter.connect(_text(host), socket.AF_INET6, (client, port, 0, 0)))
        return self._said(self._milter.connect(_text(host), socket.AF_INET, (client, port)))

    def _hello(self, data: bytes) -> bytes:
        return self._said(self._milter.hello(_text(packets.read_words(data)[0])))

    def _sender(self, data: bytes) -> bytes:
        self._had.discard(b"R")
        return self._said(self._milter.envfrom_bytes(*packets.read_words(data)))

    def _recipient(self, data: bytes) -> bytes:
        return self._said(self._milter.envrcpt_bytes(*packets.read_words(data)))

    def _field(self, data: bytes) -> bytes:
        name, value = packets.read_field(data)
        return self._said(self._milter.header_bytes(name.decode("utf-8", "surrogateescape"), value))

    def _header_end(self, _: bytes) -> bytes:
        return self._said(self._milter.eoh())

    def _body(self, data: bytes) -> bytes:
        return self._said(self._milter.body(data))

    def _last(self, data: bytes) -> None:
        if data:  # the last part of the body may stand here
            self._milter.body(data)

    def _abort(self, _: bytes) -> None:
        self._begin()

    def _begin(self) -> None:
        """A message is at its end, and another may begin."""
        self._context.forget()
        self._had = {b"O"}

    def _said(self, verdict: int) -> bytes:
        return self._context.said(verdict)


_Step = Callable[[Connection, bytes], bytes | None]
_STEPS: Mapping[bytes, _Step] = {
    b"O": Connection._offer,
    b"D": Connection._macros,
    b"C": Connection._connect,
    b"H": Connection._hello,
    b"M": Connection._sender,
    b"R": Connection._recipient,
    b"L": Connection._field,
    b"N": Connection._header_end,
    b"B": Connection._body,
    b"E": Connection._last,
    b"A": Connection._abort,
    b"Q": Connection._abort,  # who takes leave hangs up, too
}
_AFTER = {b"R": b"M", b"L": b"R", b"N": b"R", b"B": b"R", b"E": b"R"}  # what must have come; else the offer

Asked = bytes | Connection


class Engine:
    """Gives the answers: at once, or from a thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "message")

    def answer(self, asked: Asked) -> Answer:
        """The packets, or what will give them."""
        if isinstance(asked, bytes):
            return asked
        try:
            return asked.end(at_once=True)
        except MustWait:
            return self._later(asked)

    async def _later(self, ended: Connection) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: ended.end(at_once=False))


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")

"""Serving many clients from one event loop: sockets, conversations, limits, and an end in which nobody is cut off.

A conversation is a stream of requests, each answered before the next is looked at, as socketmap and policy delegation
have it. A reader cuts the stream into requests and knows no socket; an answerer takes a request and gives the answer,
at once or as a coroutine. While an answer is awaited its client is not read from, so no client can fill memory.

The loop is uvloop's, asyncio's in C: with it the milter took 1.83 ms of CPU a message, 1.95 without.

What breaks the protocol ends its own conversation and no other. Idle, dripping and deaf clients are cut off.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar, cast

from smtpy.net import Endpoint, unix_socket
from smtpy.wire import Reader, Violation

log = logging.getLogger("smtpy.serving")

BACKLOG = 512  # connections that wait to be taken
TURN = 100  # requests of one client that are answered before it is another's turn

R = TypeVar("R")
Answer = bytes | Coroutine[None, None, bytes]


@dataclass(frozen=True, slots=True)
class Limits:
    """`connections` stays below the 1024 descriptors a process has as a rule; seconds are counted from progress."""

    connections: int = 900
    request_seconds: float = 10.0  # for a request begun to end, and for a client to take its answer
    idle_seconds: float = 600.0  # Postfix hangs up by itself after 300 at the most
    grace_seconds: float = 5.0  # for answers in hand when told to stop


class Service(Generic[R]):
    """Everybody who is being served, and how: a `reader` for each client, one `answer` for all."""

    def __init__(self, reader: Callable[[], Reader[R]], answer: Callable[[R], Answer], limits: Limits) -> None:
        self.reader = reader
        self.answer = answer
        self.limits = limits
        self.conversations: set[Conversation[R]] = set()

    def listening(self, endpoints: Iterable[Endpoint], group: int | None = None) -> AbstractAsyncContextManager[None]:
        """Serve on these endpoints while the context lasts, then finish what is in hand. Raises OSError.

        UNIX sockets are for everybody, or for the members of `group`.
        """
        return self._serving(_listening(endpoint, group, partial(Conversation, self)) for endpoint in endpoints)

    def sharing(self, shared: socket.socket) -> AbstractAsyncContextManager[None]:
        """The same on a socket that is bound, and that other processes serve too: it outlasts this one."""
        return self._serving([_sharing(shared, partial(Conversation, self))])

    @contextlib.asynccontextmanager
    async def _serving(self, ways: Iterable[AbstractAsyncContextManager[None]]) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(self._sweep())
        try:
            async with contextlib.AsyncExitStack() as sockets:
                for way in ways:
                    await sockets.enter_async_context(way)
                yield
        finally:
            await self._finish()
            sweeper.cancel()

    async def _finish(self) -> None:
        for each in list(self.conversations):
            each.leave()
        deadline = asyncio.get_running_loop().time() + self.limits.grace_seconds
        while self.conversations and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        for each in list(self.conversations):
            each.cut_off("told to stop")

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(self.limits.request_seconds, self.limits.idle_seconds) / 4)
            now = asyncio.get_running_loop().time()
            for each in list(self.conversations):
                if why := each.overdue(now):
                    each.cut_off(why)


class Conversation(asyncio.Protocol, Generic[R]):
    """One client's requests and answers, in order."""

    def __init__(self, service: Service[R]) -> None:
        self.service = service
        self.loop = asyncio.get_running_loop()
        self.reader = service.reader()
        self.progress = self.loop.time()  # when it last got on: asked, was answered, or stopped taking answers
        self.begun = False  # a request is held in part
        self.deaf = False  # the client does not take its answers
        self.leaving = False
        self.task: asyncio.Task[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if len(self.service.conversations) >= self.service.limits.connections:
            self.cut_off("too many connections")
            return
        self.service.conversations.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.conversations.discard(self)
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        self._go_on()

    def pause_writing(self) -> None:
        self.deaf = True
        self.progress = self.loop.time()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.deaf = False
        self._resume()

    def leave(self) -> None:
        """Hang up as soon as the answer in hand is given."""
        self.leaving = True
        if not self.task:
            self.transport.close()

    def cut_off(self, why: str) -> None:
        """Hang up now."""
        log.info("connection cut off: %s", why)
        self.transport.abort()

    def overdue(self, now: float) -> str | None:
        """Why this client has had its time; None: it has not. An answer that is awaited has a deadline of its own."""
        waited = now - self.progress
        if self.task:
            return None
        if self.deaf or self.begun:
            late = "answer not taken" if self.deaf else "request not ended"
            return late if waited > self.service.limits.request_seconds else None
        return "idle" if waited > self.service.limits.idle_seconds else None

    def _go_on(self) -> None:
        """Answer what is there, until something must be waited for or others have waited for long enough."""
        for _ in range(TURN):
            if self._held_up():
                return
            try:
                request = self.reader.next()
            except Violation as broken:
                log.warning("connection closed: %s", broken)
                self.transport.close()
                return
            if request is None:
                self._await_more()
                return
            self.begun = False
            self._give(self.service.answer(request))
        self.progress = self.loop.time()
        self.transport.pause_reading()
        self.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if not self._held_up():
            self.transport.resume_reading()
            self._go_on()

    def _held_up(self) -> bool:
        return self.task is not None or self.deaf or self.transport.is_closing()

    def _await_more(self) -> None:
        """Time runs from the first byte of a request, so that dripping bytes gain none."""
        if not (self.begun and self.reader.pending()):
            self.begun = self.reader.pending()
            self.progress = self.loop.time()

    def _give(self, answer: Answer) -> None:
        if isinstance(answer, bytes):
            self.transport.write(answer)
            return
        self.transport.pause_reading()
        self.task = self.loop.create_task(answer)
        self.task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[bytes]) -> None:
        self.task = None
        self.progress = self.loop.time()
        if task.cancelled():
            return
        if failed := task.exception():  # as when no thread can be had: better to hang up than to keep silent
            log.error("connection closed: an answer failed", exc_info=failed)
            self.transport.close()
            return
        self.transport.write(task.result())
        if self.leaving:
            self.transport.close()
        self._resume()


class Sparing:
    """Lets one warning through each second and counts the others, so that an outage does not fill the disk."""

    def __init__(self, to: logging.Logger, every: float = 1.0) -> None:
        self._to = to
        self._every = every
        self._next = 0.0
        self._kept = 0

    def warning(self, text: str, *values: object) -> None:
        now = time.monotonic()
        if now < self._next:
            self._kept += 1
            return
        self._to.warning(text + " (%d more since the last)", *values, self._kept)
        self._next, self._kept = now + self._every, 0


def stop_signal() -> asyncio.Event:
    """From now on SIGTERM and SIGINT end nothing but set this."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told


@contextlib.asynccontextmanager
async def _listening(
    endpoint: Endpoint, group: int | None, protocol: Callable[[], asyncio.Protocol]
) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    if endpoint.path is None:
        server = await loop.create_server(protocol, endpoint.host, endpoint.port, backlog=BACKLOG)
    else:
        sock = unix_socket(Path(endpoint.path), group)
        server = await loop.create_unix_server(protocol, sock=sock, backlog=BACKLOG)
    try:
        yield
    finally:
        # Before the socket is closed, while nobody else can have taken the path.
        if endpoint.path is not None:
            Path(endpoint.path).unlink(missing_ok=True)
        server.close()


@contextlib.asynccontextmanager
async def _sharing(shared: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> AsyncIterator[None]:
    # Not create_unix_server(), which from Python 3.13 on removes the path when one process ends.
    server = await asyncio.get_running_loop().create_server(protocol, sock=shared, backlog=BACKLOG)
    try:
        yield
    finally:
        server.close()

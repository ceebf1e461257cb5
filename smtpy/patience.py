"""Asking the directory from an event loop: from memory at once, else in a few threads and within a deadline.

A database that hangs holds up its threads and nobody else: who asks for what memory has is answered, who asks for more
hears Unavailable at the deadline, and at once while as many are waiting as may. The threads are daemons, so that one
stuck in a hung database does not keep the process from ending.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Protocol, TypeVar

from smtpy.directory.questions import Directory, Unavailable
from smtpy.store.cache import NotCached

THREADS = 8  # SQLite answers one at a time, PostgreSQL's pool has about as many connections
WAITING = 256  # questions: a restart under load meets an empty memory with a hundred smtpds asking

T = TypeVar("T")
Question = Callable[[Directory], T]


class Remembering(Directory, Protocol):
    """A directory with a memory."""

    def ready(self) -> Directory:
        """The same answers, from memory alone; raises NotCached where the database would have to be asked."""

    def rest(self) -> Directory:
        """Leaves the database alone for a moment; the same answers as memory last knew them, or NotCached."""


class Patience:
    """Puts questions to a directory. `deadline` in seconds, waiting for a thread included."""

    def __init__(self, directory: Remembering, deadline: float, *, threads: int = THREADS, waiting: int = WAITING):
        self._directory = directory
        self._ready = directory.ready()
        self._deadline = deadline
        self._waiting = waiting
        self._asked: SimpleQueue[tuple[Future[Any], Question[Any]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._work, name=f"directory-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def ask(self, question: Question[T]) -> T | Coroutine[None, None, T]:
        """The answer if memory has it, else a coroutine that gets it. Both raise Unavailable."""
        try:
            return question(self._ready)
        except NotCached:
            return self._wait(question)

    def close(self) -> None:
        """Let the threads go; the one that is stuck goes with the process."""
        for _ in self._threads:
            self._asked.put(None)

    async def _wait(self, question: Question[T]) -> T:
        if self._asked.qsize() >= self._waiting:
            return self._last_known(question, "too many questions are waiting for the database")
        answer: Future[T] = Future()
        self._asked.put((answer, question))
        try:
            return await asyncio.wait_for(asyncio.wrap_future(answer), self._deadline)
        except TimeoutError:
            return self._last_known(question, f"no answer within {self._deadline} s")

    def _last_known(self, question: Question[T], why: str) -> T:
        """A database that hangs is as good as away: what memory holds is given, though it may be old."""
        try:
            return question(self._directory.rest())
        except NotCached:
            raise Unavailable(why) from None

    def _work(self) -> None:
        while asked := self._asked.get():
            answer, question = asked
            if answer.set_running_or_notify_cancel():
                try:
                    answer.set_result(question(self._directory))
                except BaseException as error:  # noqa: BLE001 - handed to whoever asked, and raised there
                    answer.set_exception(error)

"""`smtpy policy`: decisions on sockets, one log line for each that is not plain DUNNO.

What is refused of an address that somebody declared goes to the journal, so that its owner can see who was turned away.
Unknown addresses do not: guessing names must not fill the database; they are counted. The journal is written off the
mail path.
"""

import contextlib
import logging
import time
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import uvloop

from smtpy.config import Settings
from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import TRY_AGAIN, House
from smtpy.patience import Patience
from smtpy.policy.decision import Decision, decide
from smtpy.policy.protocol import Request, Requests, action
from smtpy.pulse import Numbers, Pulse
from smtpy.serving import Answer, Limits, Service, Sparing, stop_signal
from smtpy.spans import note, span
from smtpy.store.directory import open_directory
from smtpy.store.journal import Delivery, Entry, Journal
from smtpy.terms import house_of

NOT_NOW = action(str(TRY_AGAIN))

log = logging.getLogger("smtpy.policy")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when it cannot listen."""
    directory = open_directory(settings)
    patience = Patience(directory, settings.deadline_seconds)
    journal = Journal(directory.engine, every=settings.journal_batch_seconds, buffer=settings.journal_buffer)
    policy = Policy(patience, house_of(settings), settings.message_size_limit, journal)
    try:
        with Pulse(settings.run_dir, "policy", lambda: {**directory.told(), **journal.told(), **policy.numbers.told()}):
            uvloop.run(_serve(settings, policy))
    finally:
        patience.close()
        journal.close(timeout=2.0)
        directory.close()


async def _serve(settings: Settings, policy: "Policy") -> None:
    told = stop_signal()
    limits = Limits(grace_seconds=settings.deadline_seconds + 1)
    async with Service(Requests, policy.answer, limits).listening(settings.policy_listen):
        log.info("ready: %s", " ".join(map(str, settings.policy_listen)))
        await told.wait()


class Policy:
    """Requests in, actions out."""

    def __init__(self, patience: Patience, house: House, max_bytes: int, journal: Journal) -> None:
        self._patience = patience
        self._house = house
        self._max_bytes = max_bytes
        self._journal = journal
        self._failures = Sparing(log)
        self.numbers = Numbers("put_off", "undeclared 5.1.1")

    def answer(self, request: Request) -> Answer:
        """The action, or what will give it."""
        with self._edge(request), span("policy"):
            now, started = datetime.now(UTC), time.perf_counter_ns()
            question = partial(decide, request, house=self._house, max_bytes=self._max_bytes, now=now)
            decided = self._patience.ask(question)
            if isinstance(decided, Decision):
                return self._told(request, decided, now, started)
            return self._later(request, decided, now, started)
        return NOT_NOW

    async def _later(
        self, request: Request, decided: Coroutine[None, None, Decision], now: datetime, started: int
    ) -> bytes:
        with self._edge(request), span("policy", waited=True):
            return self._told(request, await decided, now, started)
        return NOT_NOW

    def _told(self, request: Request, decided: Decision, now: datetime, started: int) -> bytes:
        note(status=decided.reply.status if decided.reply else "")
        if decided.reply:
            log.info(
                "NOQUEUE: from=<%s> to=<%s> action=%r why=%r",
                request.sender,
                decided.address or request.recipient,
                decided.action,
                decided.why,
            )
        if decided.reply and decided.alias_id is not None:
            self._journal.record(entry_of(request, decided, now, (time.perf_counter_ns() - started) // 1000))
        elif decided.reply:
            self.numbers.add(f"undeclared {decided.reply.status}")
        return action(decided.action)

    @contextlib.contextmanager
    def _edge(self, request: Request) -> Iterator[None]:
        """Whatever happens within, the client hears 451 and the others nothing."""
        try:
            yield
        except Unavailable as missing:
            self.numbers.add("put_off")
            self._failures.warning("NOQUEUE: tempfail to=<%s> why=%r", request.recipient, str(missing))
        except Exception:  # the edge of the process
            self.numbers.add("put_off")
            log.exception("NOQUEUE: tempfail to=<%s>", request.recipient)


def entry_of(request: Request, decided: Decision, now: datetime, micros: int) -> Entry:
    """The journal row of a refusal."""
    recipient, key = (str(decided.address), decided.address.key) if decided.address else (request.recipient, "")
    return Entry(
        uuid=str(uuid4()),
        at=now,
        stage="rcpt",
        queue_id=None,
        parent=None,
        client=request.client,
        reverse_path=request.sender,
        message_id=None,
        size=request.size,
        verdict="refuse",
        why=decided.why,
        micros=micros,
        recipients=(Delivery(recipient, key, decided.alias_id, "refuse", (), decided.why),),
    )

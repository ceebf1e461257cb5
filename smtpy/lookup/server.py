"""`smtpy lookup`: the tables on sockets. Answers from memory in the loop, from the database within the deadline.

Postfix itself waits 100 seconds for a socketmap, with an smtpd standing still; so a late answer is TEMP here, long
before. No trouble of ours is ever NOTFOUND: that would be 550 to the client.
"""

import contextlib
import logging
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from functools import partial

import uvloop

from smtpy.config import Settings
from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import House
from smtpy.lookup.netstring import Netstrings, encode
from smtpy.lookup.tables import look_up
from smtpy.patience import Patience
from smtpy.pulse import Numbers, Pulse
from smtpy.serving import Answer, Limits, Service, Sparing, stop_signal
from smtpy.spans import span
from smtpy.store.directory import open_directory
from smtpy.terms import house_of

NOT_NOW = encode(b"TEMP the directory cannot be reached, try again later")

log = logging.getLogger("smtpy.lookup")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when it cannot listen."""
    directory = open_directory(settings)
    patience = Patience(directory, settings.deadline_seconds)
    lookup = Lookup(patience, house_of(settings))
    try:
        with Pulse(settings.run_dir, "lookup", lambda: {**directory.told(), **lookup.numbers.told()}):
            uvloop.run(_serve(settings, lookup))
    finally:
        patience.close()
        directory.close()


async def _serve(settings: Settings, lookup: "Lookup") -> None:
    told = stop_signal()
    limits = Limits(grace_seconds=settings.deadline_seconds + 1)
    async with Service(Netstrings, lookup.answer, limits).listening(settings.lookup_listen):
        log.info("ready: %s", " ".join(map(str, settings.lookup_listen)))
        await told.wait()


class Lookup:
    """Requests in, netstrings out."""

    def __init__(self, patience: Patience, house: House) -> None:
        self._patience = patience
        self._house = house
        self._failures = Sparing(log)
        self.numbers = Numbers("put_off")

    def answer(self, request: bytes) -> Answer:
        """The reply, or what will give it."""
        with self._edge(request), span("lookup"):
            found = self._patience.ask(partial(look_up, request, house=self._house, now=datetime.now(UTC)))
            log.debug("asked=%r", request)
            return encode(found) if isinstance(found, bytes) else self._later(request, found)
        return NOT_NOW

    async def _later(self, request: bytes, found: Coroutine[None, None, bytes]) -> bytes:
        with self._edge(request), span("lookup", waited=True):
            return encode(await found)
        return NOT_NOW

    @contextlib.contextmanager
    def _edge(self, request: bytes) -> Iterator[None]:
        """Whatever happens within, the client hears TEMP and the others nothing."""
        try:
            yield
        except Unavailable as missing:
            self.numbers.add("put_off")
            self._failures.warning("tempfail asked=%r why=%r", request[:200], str(missing))
        except Exception:  # the edge of the process
            self.numbers.add("put_off")
            log.exception("tempfail asked=%r", request[:200])

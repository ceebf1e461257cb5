"""A connection to PostgreSQL that gives up on silence, which libpq cannot do.

`statement_timeout` is the server's to keep; one that is stopped, or behind a network that swallows packets, keeps
nothing.
"""

import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, TypeVar

import psycopg

_T = TypeVar("_T")


class Patient(psycopg.Connection[Any]):
    """A connection whose every wait ends after `patience` seconds: OperationalError, and the connection is closed."""

    patience = 2.5

    def wait(self, gen: Generator[Any, Any, _T], *limits: Any, **named: Any) -> _T:
        return super().wait(self._timed(gen), *limits, **named)

    def _timed(self, gen: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        end = time.monotonic() + self.patience
        send: Callable[[], Any] = partial(next, gen)
        while True:
            try:
                state = send()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            ready = yield state  # psycopg comes back with nothing every 0.1 s, so that we may look at the clock
            if not ready and time.monotonic() > end:
                self.pgconn.finish()
                raise psycopg.OperationalError(f"the server was silent for {self.patience} s")
            send = partial(gen.send, ready)

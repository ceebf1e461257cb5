"""Follows Postfix's log on this host, beside the duties: a thread of its own, since every host has a log of its own.

What the log tells is written in batches with the position behind them, so a worker that is killed loses nothing and
doubles nothing; two workers of a host write the same rows. While the database is away the batch in hand waits, and the
log itself keeps the rest.
"""

import logging
import socket
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import Engine

from smtpy.admin.outages import Outage, named
from smtpy.maillog.read import read
from smtpy.serving import Sparing
from smtpy.store.happenings import Line, Position, keep, position
from smtpy.worker.tail import Tail

LOOK_SECONDS = 0.3  # between two looks whether the log has grown
RETRY_SECONDS = 1.0  # while the database or the log is away

log = logging.getLogger("smtpy.worker")


class Follower:
    """Follows the log at `path` until `stopping` is set."""

    def __init__(self, engine: Engine, path: Path, stopping: Event) -> None:
        self._engine = engine
        self._path = path
        self._stopping = stopping
        self._host = socket.gethostname()
        self._failures = Sparing(log, every=60.0)
        self._thread = Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait for the batch in hand, once `stopping` is set."""
        self._thread.join(timeout)

    def _run(self) -> None:
        """The edge of the thread: whatever happens, it begins anew from what is kept."""
        while not self._stopping.is_set():
            try:
                self._follow()
            except Outage as outage:
                self._failures.warning("log=%s not followed why=%r", self._path, str(outage))
            except OSError as error:
                self._failures.warning("log=%s cannot be read why=%r", self._path, error.strerror)
            except Exception:
                log.exception("log=%s not followed", self._path)
            self._stopping.wait(RETRY_SECONDS)

    def _follow(self) -> None:
        with named():
            place = position(self._engine, self._host, str(self._path))
        tail = Tail(self._path, place)
        try:
            while not self._stopping.is_set():
                found = tail.read()
                if found is None:
                    self._stopping.wait(LOOK_SECONDS)
                else:
                    self._keep(*found)
        finally:
            tail.close()

    def _keep(self, lines: list[tuple[int, bytes]], behind: Position) -> None:
        """Write a batch, however long the database is away."""
        now = datetime.now(UTC)
        told = [Line(offset, octets, logged) for offset, octets in lines if (logged := read(octets, now))]
        while not self._stopping.is_set():
            try:
                with named():
                    keep(self._engine, self._host, str(self._path), told, behind)
            except Outage as outage:
                self._failures.warning("log=%s waits why=%r", self._path, str(outage))
                self._stopping.wait(RETRY_SECONDS)
            else:
                return

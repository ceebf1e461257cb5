"""Checks of DNS for pages: a few at a time, in threads of their own, so that no page waits for longer than it says.

A page starts a check and waits a little, or looks again later: what is found stands in the database. One domain is
checked once at a time, whoever asks for it. Every page that starts one counts towards the same limit (`slowly`).
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any, TypeVar, cast

from flask import Flask, current_app
from sqlalchemy import Engine

from smtpy.admin import sheets
from smtpy.admin.checks import Checked, check
from smtpy.admin.refusals import Refusal
from smtpy.config import Settings
from smtpy.dns import Dns
from smtpy.resolver import Resolver
from smtpy.store.findings import Subject
from smtpy.zone.providers import Provider
from web.limits import limiter

SECONDS = 5.0  # that a check takes, all resolvers together
WAIT_SECONDS = 5.5  # for which a page without JavaScript waits for it
GLANCE_SECONDS = 0.4  # for which a page waits to learn who keeps a domain's DNS
THREADS = 4
MOST_WAITING = 100  # checks asked for and not begun
RATE = "6/minute"

View = TypeVar("View", bound=Callable[..., Any])
Keeper = tuple[Provider | None, tuple[str, ...]]
log = logging.getLogger("smtpy.web")


def slowly(view: View) -> View:
    """A member starts so many checks, of whatever domains."""
    return cast("View", limiter.shared_limit(RATE, "dns", methods=["POST"])(view))


class Checks:
    """The threads, and what they are at."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._pool = ThreadPoolExecutor(THREADS, "dns")
        self._lock = threading.Lock()
        self._at: dict[str, Future[Checked]] = {}
        self._resolver = Resolver(settings.dns_servers, settings.dns_timeout_seconds)

    def start(self, name: str, by: str) -> "Future[Checked] | None":
        """Check that domain of ours, unless it is being checked. None: too much is asked for."""
        with self._lock:
            self._at = {each: future for each, future in self._at.items() if not future.done()}
            if name not in self._at and len(self._at) < MOST_WAITING:
                self._at[name] = self._pool.submit(self._check, name, by)
            return self._at.get(name)

    def runs(self, name: str) -> bool:
        """Whether that domain is being checked, by this process. To be asked before what was found is read."""
        with self._lock:
            return name in self._at and not self._at[name].done()

    def wait(self, name: str, by: str) -> Checked | None:
        """The same as `start`, and what came of it; None: nothing yet."""
        future = self.start(name, by)
        try:
            return future.result(WAIT_SECONDS) if future else None
        except (TooLate, Refusal):  # a refusal: it went meanwhile
            return None

    def keeper(self, name: str) -> Keeper:
        """Who keeps the DNS of a domain, if that is told at once; the resolver remembers it for the next page."""
        future = self._pool.submit(sheets.keeper, self._resolver, name, SECONDS)
        try:
            return future.result(GLANCE_SECONDS)
        except TooLate:
            return None, ()

    def within(self, seconds: float) -> Dns:
        """A way to ask DNS of what the mail path would, with that much time in all."""
        return self._resolver.within(seconds)

    def _check(self, name: str, by: str) -> Checked:
        share = SECONDS / len(self._settings.check_resolvers)
        try:
            return check(self._engine, Subject(name, ours=True), self._settings, by, share)
        except Refusal:
            raise
        except Exception:
            log.exception("check domain=%s failed", name)  # nobody may be waiting for it
            raise


def init_app(app: Flask) -> None:
    """Threads begin with the first check, so after the server has forked."""
    house = app.extensions["smtpy"]
    app.extensions["smtpy.checks"] = Checks(house.settings, house.engine)


def checks() -> Checks:
    """Those of the application that answers this request."""
    found: Checks = current_app.extensions["smtpy.checks"]
    return found

"""Can the web process work, and what does the service lack? For orchestrators: some words, within a few seconds.

Only the database keeps pages from working. The others are told all the same: who watches one address sees them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Engine

from smtpy.admin.change import reading
from smtpy.admin.outages import Outage, named
from smtpy.config import Settings
from smtpy.doctor.reach import touch
from smtpy.net import Endpoint
from smtpy.store import migrate
from smtpy.store.leases import held_until
from smtpy.worker.duties import CHECKING

SECONDS = 1.0  # for each part to answer
LATE = timedelta(minutes=10)  # for which a duty may be overdue


@dataclass(frozen=True, slots=True)
class Lack:
    """A part that is not as it should be; `fatal`: no page works without."""

    part: str
    why: str
    fatal: bool = False


def lacking(engine: Engine, settings: Settings) -> tuple[Lack, ...]:
    """What does not work, what matters most first; empty if all does."""
    return (*_database(engine), *_counters(settings), *_sockets(settings), *_worker(engine))


def _database(engine: Engine) -> Iterator[Lack]:
    try:
        with named():
            fit = migrate.fit(engine)
    except Outage:
        yield Lack("database", "does not answer", fatal=True)
        return
    if fit is migrate.Fit.BEHIND:
        yield Lack("database", "has not the tables of this version; run `smtpy init`", fatal=True)
    elif fit is migrate.Fit.AHEAD:
        yield Lack("database", "is of a newer version than this one; install that version here, too", fatal=True)


def _counters(settings: Settings) -> Iterator[Lack]:
    if settings.limits_url.startswith("redis"):
        asked = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
        try:
            # redis+unix:///path is what those say who count; the client itself says unix:///path
            with redis.Redis.from_url(settings.limits_url.removeprefix("redis+"), **asked) as client:
                client.ping()
        except redis.RedisError:
            yield Lack("redis", "does not answer; each process counts for itself")


def _sockets(settings: Settings) -> Iterator[Lack]:
    """The queue helper may be missing: not everybody wants one."""
    parts = {"lookup": settings.lookup_listen, "policy": settings.policy_listen, "milter": (settings.milter_listen,)}
    for part, endpoints in parts.items():
        if not all(map(_answers, endpoints)):
            yield Lack(part, "does not answer; senders are told to try again")


def _answers(endpoint: Endpoint) -> bool:
    try:
        touch(endpoint, SECONDS)
    except OSError:
        return False
    return True


def _worker(engine: Engine) -> Iterator[Lack]:
    try:
        with named(), reading(engine) as session:
            until = held_until(session, CHECKING)
    except Outage:
        return
    if until is None or until < datetime.now(UTC) - LATE:
        yield Lack("worker", "has not looked at DNS lately")

"""What is kept for how long, and the rounds in which the rest goes; the worker's duty, and `smtpy purge` by hand.

Kept for good is the audit trail, which is a proof; of the trash the addresses, which are not given to others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from smtpy.admin import trash
from smtpy.config import Settings
from smtpy.store import parts, retention

ANNOUNCED = timedelta(days=30)  # after its end


@dataclass(frozen=True, slots=True)
class Kept:
    """A kind of rows, and when what goes of it was."""

    name: str
    purge: retention.Purge
    before: datetime


def kinds(settings: Settings, now: datetime) -> Iterator[Kept]:
    """What is to go by these settings."""
    if settings.journal_days:
        days = timedelta(days=settings.journal_days)
        slack = span(settings)
        yield Kept("messages", partial(retention.journal, slack=slack), now - days)
        yield Kept("events", partial(retention.events, slack=slack), now - days)
    yield Kept("senders", retention.senders, now - timedelta(days=settings.srs_max_age_days))
    yield Kept("announcements", retention.announcements, now - ANNOUNCED)
    if settings.trash_days:
        before = now - timedelta(days=settings.trash_days)
        yield Kept("aliases", trash.aliases, before)
        yield Kept("domains", trash.domains, before)
        yield Kept("mailboxes", trash.mailboxes, before)
        yield Kept("users", trash.users, before)


def span(settings: Settings) -> timedelta:
    """For how long a part of the journal is in use."""
    return timedelta(days=settings.journal_days) / parts.PARTS


def purge(engine: Engine, kept: Kept, rest: Callable[[], bool], rounds: int | None = None) -> int:
    """Have it gone, a batch at a time, `rounds` at most; how many rows went.

    `rest` is called between two batches: it lets others write, and says whether to go on.
    """
    gone = 0
    while rounds is None or rounds > 0:
        went = kept.purge(engine, kept.before, retention.BATCH)
        gone += went
        rounds = None if rounds is None else rounds - 1
        if went < retention.BATCH or not rest():
            break
    return gone

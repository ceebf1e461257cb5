"""The duties: how often each is to be done, and what it is. A new one is a function and a row of the table.

A duty looks for what is due and does it, a bounded part at a time; the rest is still due the next time. It may be done
twice and end half-way: each step stands by itself.
"""

import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event

from sqlalchemy import Engine

from smtpy.admin import keys, links, queue, retention, sessions, signing_in
from smtpy.admin.change import Change, change, reading
from smtpy.admin.checks import Checked, check
from smtpy.admin.outages import Outage, named
from smtpy.admin.pairs import KeyView
from smtpy.admin.refusals import Refusal
from smtpy.backup.keeping import found_in, name_of, superfluous
from smtpy.backup.making import make
from smtpy.config import Settings
from smtpy.queue.client import Helper
from smtpy.queue.protocol import Act, Request
from smtpy.store import bounce_counting, counting, parts
from smtpy.store.findings import Subject, due, forget
from smtpy.terms import vault_of
from smtpy.worker.crew import each

ACTOR = "worker"  # in the audit trail
BATCH = 100  # domains of one round
THREADS = 8
ROUNDS = 20  # batches of the journal
PURGED = 200  # batches of one kind, with a pause after each
PAUSE_SECONDS = 0.1  # for others to write
CHECKING = "check domains"  # the duty by which others see whether a worker runs

log = logging.getLogger("smtpy.worker")


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker works with; when `stopping` is set it leaves what it is at."""

    engine: Engine
    settings: Settings
    stopping: Event


@dataclass(frozen=True, slots=True)
class Duty:
    """`every`: from one end to the next beginning, on whichever host. `apart`: waits for no other, and none for it.

    `here`: each host does its own, without a lease.
    """

    name: str
    every: timedelta
    run: Callable[[Post], None]
    apart: bool = False
    here: bool = False


def check_domains(post: Post) -> None:
    """Look at the DNS of all domains whose turn it is. Raises Outage."""
    with named():
        forget(post.engine)
        every = timedelta(hours=post.settings.check_hours)
        with reading(post.engine) as session:
            subjects = due(session, datetime.now(UTC), every, BATCH)
    unreached: dict[str, None] = {}
    for subject, came in each(subjects, lambda subject: _checked(post, subject), THREADS, post.stopping):
        _tell(subject, came)
        if isinstance(came, Checked):
            unreached |= dict.fromkeys(came.unreached)
    if unreached:
        log.warning("check resolvers=%s cannot be reached: see check_resolvers and the firewall", ",".join(unreached))


def _checked(post: Post, subject: Subject) -> Checked:
    with named():
        return check(post.engine, subject, post.settings, ACTOR)


def _tell(subject: Subject, came: Checked | Exception) -> None:
    """One line a domain, others of what came of it. Raises Outage, since without the database nothing can be kept."""
    if isinstance(came, Outage):
        raise came
    if isinstance(came, Refusal):  # it went meanwhile
        return
    if isinstance(came, Exception):
        log.error("check domain=%s failed", subject.name, exc_info=came)
        return
    counted = Counter(finding.status.value for finding in came.findings)
    words = " ".join(f"{status}={number}" for status, number in sorted(counted.items()))
    bad = ", ".join(f"{finding.kind} {finding.status}" for finding in came.findings if finding.bad)
    log.log(logging.WARNING if bad else logging.INFO, "check domain=%s %s why=%r", subject.name, words, bad)
    if came.proven:
        log.info("prove domain=%s: its mail comes here from now on", subject.name)
    if came.refusal:
        log.warning("prove domain=%s not done why=%r", subject.name, came.refusal)
    if came.used:
        log.info("use domain=%s keys=%s: they sign from now on", subject.name, _selectors(came.used))
    if came.lingering:
        since = min(key.created_at for key in came.lingering).isoformat(timespec="minutes")
        told = (subject.name, _selectors(came.lingering), since)
        log.warning("wait domain=%s keys=%s since=%s: not yet seen in DNS", *told)


def _selectors(pair: Sequence[KeyView]) -> str:
    return ",".join(key.selector for key in pair)


def rotate_keys(post: Post) -> None:
    """A new pair for each domain that has no keys, or whose keys have signed for long enough. Raises Outage."""
    days = post.settings.key_rotation_days
    before = datetime.now(UTC) - timedelta(days=days) if days else None
    with named(), reading(post.engine) as session:
        names = keys.overdue(session, before)
    for name in names:
        if post.stopping.is_set():
            return
        with contextlib.suppress(Refusal), named(), _changing(post) as c:  # somebody was faster
            made = keys.rotate(c, name)
            log.info("rotate domain=%s keys=%s: to be published", name, _selectors(made))


def purge_keys(post: Post) -> None:
    """Retired keys go when nothing that they signed is still on its way. Raises Outage."""
    before = datetime.now(UTC) - timedelta(days=post.settings.key_retire_days)
    with named(), _changing(post) as c:
        for gone in keys.purge(c, before):
            log.info("purge domain=%s key=%s", gone.domain, gone.selector)


def count_journal(post: Post) -> None:
    """What the journal and Postfix's log amount to, for the pages. Raises Outage."""
    counts: tuple[Callable[[], int], ...] = (
        lambda: counting.count(post.engine, counting.BATCH),
        lambda: bounce_counting.count(post.engine, datetime.now(UTC), counting.BATCH),
    )
    with named():
        for count in counts:
            for _ in range(ROUNDS):  # then it is the turn of other duties
                if post.stopping.is_set() or count() < counting.BATCH:
                    break


def purge_signing_in(post: Post) -> None:
    """Sessions and links that have ended go, and failed tries of more than a month ago. Raises Outage."""
    now = datetime.now(UTC)
    with named():
        sessions.purge(post.engine, now)
        links.purge(post.engine, now)
        signing_in.forget_failures(post.engine, now - signing_in.REMEMBERED)


def divide_journal(post: Post) -> None:
    """On PostgreSQL a part of the journal is closed when it holds a tenth of what is kept. Raises Outage."""
    if post.settings.journal_days:
        with named():
            for begun in parts.divide(post.engine, datetime.now(UTC), retention.span(post.settings)):
                log.info("divide part=%s: begun", begun)


def purge_history(post: Post) -> None:
    """Messages, what became of them and the like go when they have been kept for long enough. Raises Outage."""
    for kept in retention.kinds(post.settings, datetime.now(UTC)):
        with named():
            gone = retention.purge(post.engine, kept, lambda: not post.stopping.wait(PAUSE_SECONDS), PURGED)
        if gone:
            log.info("purge %s=%d older than %s", kept.name, gone, kept.before.isoformat(timespec="minutes"))


def purge_held(post: Post) -> None:
    """What is on hold in this host's queue is deleted so long after it came, and noted; since when it has been on hold
    Postfix does not tell. Raises Outage."""
    if not post.settings.held_days:
        return
    desk, before = Helper(post.settings.queue_listen), time.time() - 86_400 * post.settings.held_days
    held = queue.page(desk, Request(Act.LIST, queue="hold", limit=BATCH, by=ACTOR)).messages  # oldest first
    for message in held:
        if message.arrived >= before or post.stopping.is_set():
            return
        with contextlib.suppress(Refusal), named(), _changing(post) as c:  # somebody was faster
            queue.act(c, desk, Act.DELETE, message.id)
            log.info("purge held=%s from=<%s>: nobody released it", message.id, message.sender)


def back_up(post: Post) -> None:
    """A new file in backup_dir when the newest is old enough, and those gone that need not stay. Raises Outage."""
    folder, now = post.settings.backup_dir, datetime.now(UTC)
    if not folder:
        return
    there = {at: path for at, path in found_in(folder).items() if at <= now}  # not those of a clock that was ahead
    if there and now - max(there) < timedelta(hours=post.settings.backup_hours):
        return
    try:
        with named():
            made = make(folder / name_of(post.settings.hostname, now), post.engine, post.settings, now)
    except OSError as error:
        log.error("back up folder=%s not done why=%r", folder, error.strerror)  # the folder is full, or away
        return
    log.info("back up file=%s rows=%d octets=%d", made.path, made.rows, made.octets)
    there[now] = made.path
    for gone in superfluous(there):
        there[gone].unlink(missing_ok=True)
        log.info("back up file=%s: gone, there are newer ones", there[gone])


def _changing(post: Post) -> contextlib.AbstractContextManager[Change]:
    return change(post.engine, by=ACTOR, hostname=post.settings.hostname, vault=vault_of(post.settings))


DUTIES = (
    Duty("count journal", timedelta(seconds=2), count_journal, apart=True),
    Duty(CHECKING, timedelta(minutes=1), check_domains),
    Duty("rotate keys", timedelta(hours=1), rotate_keys),
    Duty("purge keys", timedelta(hours=1), purge_keys),
    Duty("purge signing in", timedelta(hours=1), purge_signing_in),
    Duty("back up", timedelta(minutes=10), back_up, apart=True),
    Duty("divide journal", timedelta(hours=1), divide_journal),
    Duty("purge history", timedelta(minutes=10), purge_history),
    Duty("purge held", timedelta(minutes=10), purge_held, here=True),
)

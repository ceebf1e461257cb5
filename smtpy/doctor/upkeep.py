"""What `smtpy doctor` says of what needs care from time to time: keys, DNS, the worker that looks after both.

Here the database is read, and nothing else.
"""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from sqlalchemy import Engine

from smtpy.admin import change, domains, keys, sealed
from smtpy.admin.checks import PATIENCE
from smtpy.admin.pairs import selectors, since
from smtpy.config import Settings
from smtpy.doctor.finding import WARNING, Finding
from smtpy.store.findings import failing
from smtpy.store.happenings import position
from smtpy.store.leases import held_until
from smtpy.terms import vault_of
from smtpy.worker.duties import CHECKING

MAX_NAMED = 5  # domains in a line
MAX_TOLD = 50  # records that are not as they must be, and keys that wait
FOLLOWED_SECONDS = 2.0  # in which a line of the log is read
IDLE = timedelta(minutes=30)  # a worker looks for domains to check each minute; a long round takes less than that


def upkeep(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """What the database tells."""
    yield from _keys(settings, engine)
    yield from _unsigned(engine)
    yield from _lingering(engine)
    yield from _zones(engine)
    yield from _worker(engine)
    if settings.postfix_log:
        yield from _log(engine, settings.postfix_log)


def _keys(settings: Settings, engine: Engine) -> Iterator[Finding]:
    """What the vault does not open signs nothing, and mail goes out all the same; or lets nobody in."""
    with change.reading(engine) as session:
        lost = keys.unopened(session, vault_of(settings))
        apps = sealed.unopened(session, vault_of(settings)).get(sealed.APPS)
    if apps:
        words = f"encryption_keys do not open the apps of {apps} people, whose recovery codes alone let them in"
        fix = "give the lost encryption key back, or run `smtpy user reset-mfa` for each and have them set it up anew"
        yield Finding("keys", os.EX_CONFIG, words, fix)
    if not lost:
        yield Finding("keys", os.EX_OK, "encryption_keys open all signing keys")
        return
    named = _first(list(dict.fromkeys(each.domain for each in lost)))
    words = f"encryption_keys do not open {len(lost)} signing keys, so mail goes out unsigned from {named}"
    fix = "give the lost encryption key back, or make new keys by `smtpy key rotate`, one domain after the other"
    yield Finding("keys", os.EX_CONFIG, words, fix)


def _unsigned(engine: Engine) -> Iterator[Finding]:
    """A domain that never had keys, or whose first ones nobody has published."""
    with change.reading(engine) as session:
        names = keys.unsigned(session)
    if names:
        words = f"no key is in use for {len(names)} domains, whose mail goes out unsigned: {_first(names)}"
        fix = "publish what `smtpy domain dns` prints, then run `smtpy domain check`"
        yield Finding("keys", WARNING, words, fix)


def _lingering(engine: Engine) -> Iterator[Finding]:
    """New keys that are not in DNS, or not rightly, though there was time."""
    with change.reading(engine) as session:
        found = keys.lingering(session, datetime.now(UTC) - PATIENCE)
    for domain, pair in groupby(found[:MAX_TOLD], key=lambda each: each.domain):
        waiting = list(pair)
        words = f"key {selectors(waiting)} of {domain} {since(waiting)}"
        yield Finding("keys", WARNING, words, f"run `smtpy domain check {domain}`, which says what to do")


def _zones(engine: Engine) -> Iterator[Finding]:
    """What `smtpy worker` and `domain check` found in DNS; what nobody has checked is not asked for here."""
    with change.reading(engine) as session:
        found = failing(session, MAX_TOLD)
    for subject in dict.fromkeys(each.subject for each in found):
        ill = [each for each in found if each.subject == subject]
        kinds = ", ".join(dict.fromkeys(f"{each.kind} {each.status}" for each in ill))
        times = max(each.failures for each in ill)
        noun = "mailbox" if any(each.kind == "replies" for each in ill) else "domain"
        words = f"{subject}: {kinds}, as the last {times} checks found" if times > 1 else f"{subject}: {kinds}"
        yield Finding("dns", WARNING, words, f"run `smtpy {noun} check`, which says what to do")


def _worker(engine: Engine) -> Iterator[Finding]:
    """Told by its lease, which it takes anew each minute, on whichever host."""
    with change.reading(engine) as session:
        until, needed = held_until(session, CHECKING), domains.page(session, limit=1)
    if until is not None and until >= datetime.now(UTC) - IDLE:
        yield Finding("worker", os.EX_OK, "`smtpy worker` looks after DNS and keys")
        return
    if not needed:
        return
    words = "has never run" if until is None else f"has not run since {until:%Y-%m-%d %H:%M}"
    fix = "start `smtpy worker`, or check DNS yourself by `smtpy domain check`"
    yield Finding("worker", WARNING, f"`smtpy worker` {words}, so nobody looks after DNS and keys", fix)


def _log(engine: Engine, path: Path) -> Iterator[Finding]:
    """Whether somebody on this host has read what Postfix has logged here by now; a moment is left for it."""
    try:
        status = path.stat()
    except OSError as error:
        words = f"postfix_log={path}: {error.strerror}, so nobody sees what became of mail"
        yield Finding("log", WARNING, words, "correct postfix_log, or start Postfix")
        return
    for seconds in (0, FOLLOWED_SECONDS):
        time.sleep(seconds)
        read = position(engine, socket.gethostname(), str(path))
        if read and read.file == f"{status.st_dev}:{status.st_ino}" and read.offset >= status.st_size:
            yield Finding("log", os.EX_OK, f"{path} is followed")
            return
    fix = "start `smtpy worker` on this host, as a user who may read that file; see postfix/README.md"
    yield Finding("log", WARNING, f"{path} is not followed to its end, so nobody sees what became of mail", fix)


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_NAMED]) + (", ..." if len(names) > MAX_NAMED else "")

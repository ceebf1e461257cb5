"""All checks: one after the other, or at once and within a time. Each is a row of CHECKS."""

import logging
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from smtpy.config import Settings
from smtpy.doctor import (
    backups,
    blocklists,
    clock,
    database,
    disk,
    files,
    hostname,
    mta,
    resolvers,
    services,
    smtpd,
    standby,
    web,
)
from smtpy.doctor.finding import WARNING, Finding

log = logging.getLogger("smtpy.doctor")


@dataclass(frozen=True, slots=True)
class Installation:
    """What is looked at. `secrets`: the files that hold some; `postfix`: its folder, else its own choice."""

    settings: Settings
    secrets: tuple[Path, ...]
    postfix: Path | None


Check = Callable[[Installation], Iterator[Finding]]


def _settings(here: Installation) -> Iterator[Finding]:
    yield Finding("settings", os.EX_OK, f"those of {here.settings.hostname} are good")


# Causes before consequences: of several errors the first may well be the cause of the others.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", _settings),
    ("files", lambda here: files.examine(here.settings, here.secrets)),
    ("clock", lambda _: clock.examine()),
    ("disk", lambda here: disk.examine(here.settings, here.postfix)),
    ("database", lambda here: database.examine(here.settings)),
    ("standby", lambda here: standby.examine(here.settings)),
    ("backups", lambda here: backups.examine(here.settings)),
    ("resolvers", lambda here: resolvers.examine(here.settings)),
    ("lookup", lambda here: services.lookup(here.settings)),
    ("policy", lambda here: services.policy(here.settings)),
    ("milter", lambda here: services.milter(here.settings)),
    ("queue", lambda here: services.queue(here.settings)),
    ("postfix", lambda here: mta.examine(here.settings, here.postfix)),
    ("smtpd", lambda here: smtpd.examine(here.settings, here.postfix)),
    ("web", lambda here: web.examine(here.settings)),
    ("hostname", lambda here: hostname.examine(here.settings, here.postfix)),
    ("blocklists", lambda here: blocklists.examine(here.settings, here.postfix)),
)


def examine(here: Installation, subjects: Collection[str] = ()) -> Iterator[Finding]:
    """All findings, one check after the other; or those of the checks with these names."""
    for name, check in CHECKS:
        if name in (subjects or (name,)):
            yield from check(here)


def within(here: Installation, seconds: float) -> list[Finding]:
    """All findings, in the same order, all checks at once; of those that do not end in time, that they did not."""
    done: SimpleQueue[tuple[str, list[Finding]]] = SimpleQueue()
    for subject, check in CHECKS:
        # a daemon, so that a check that hangs keeps no process from ending
        Thread(target=_run, args=(done, subject, check, here), name=f"doctor-{subject}", daemon=True).start()
    found: dict[str, list[Finding]] = {}
    deadline = monotonic() + seconds
    while len(found) < len(CHECKS):
        try:
            subject, said = done.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            break
        found[subject] = said
    return [each for subject, _ in CHECKS for each in found.get(subject, [_late(subject, seconds)])]


def _run(done: "SimpleQueue[tuple[str, list[Finding]]]", subject: str, check: Check, here: Installation) -> None:
    try:
        done.put((subject, list(check(here))))
    except Exception:
        log.exception("the check of %s failed", subject)
        words = "this check itself failed; the fault is ours, and it is in the log"
        done.put((subject, [Finding(subject, WARNING, words, "run `smtpy doctor` at a terminal")]))


def _late(subject: str, seconds: float) -> Finding:
    words = f"nothing was found out within {seconds:g} s"
    return Finding(subject, WARNING, words, "look again, or run `smtpy doctor` at a terminal")

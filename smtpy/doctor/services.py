"""SMTPy's own services: each asked on each of its sockets; its answer must not be "try again"."""

import os
from collections.abc import Callable, Iterator

from smtpy.config import Settings
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.reach import ask_lookup, ask_policy, touch
from smtpy.net import Endpoint
from smtpy.queue.client import Helper, NoHelper
from smtpy.queue.decision import AGES
from smtpy.queue.protocol import Act, Listing, Refused, Request
from smtpy.wire import Violation

DAY = 86_400  # seconds


def _patience(settings: Settings) -> float:
    """A service that is cut off from the database says so within its deadline."""
    return settings.deadline_seconds + 2


def lookup(settings: Settings) -> Iterator[Finding]:
    """Whether a name that nobody has is no domain of ours."""
    for each in settings.lookup_listen:
        yield _asked("lookup", each, lambda each: ask_lookup(each, "doctor.invalid", _patience(settings)))


def policy(settings: Settings) -> Iterator[Finding]:
    """Whether the postmaster may be written to."""
    recipient = f"postmaster@{settings.hostname}"
    for each in settings.policy_listen:
        yield _asked("policy", each, lambda each: ask_policy(each, recipient, _patience(settings)))


def milter(settings: Settings) -> Iterator[Finding]:
    """Whether it takes a connection."""
    yield _asked("milter", settings.milter_listen, lambda each: touch(each, _patience(settings)))


def _asked(service: str, endpoint: Endpoint, ask: Callable[[Endpoint], str]) -> Finding:
    start = f"start `smtpy {service}` with these settings"
    try:
        reply = ask(endpoint)
    except PermissionError:
        return Finding(service, os.EX_NOPERM, f"this user may not use {endpoint}", "run `smtpy doctor` as one who may")
    except (OSError, Violation) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Finding(service, os.EX_UNAVAILABLE, f"{endpoint} does not answer ({reason})", start)
    if reply.startswith(("NOTFOUND", "DUNNO", "connected")):
        return Finding(service, os.EX_OK, f"{endpoint} answers")
    return Finding(service, os.EX_TEMPFAIL, f"{endpoint} says {reply}", f"see the log of `smtpy {service}`")


def queue(settings: Settings) -> Iterator[Finding]:
    """The web pages see and mend Postfix's queue through the helper alone; mail needs neither."""
    try:
        answer = Helper(settings.queue_listen).ask(Request(Act.LIST, limit=1, by="doctor"))
    except NoHelper as missing:
        words, _, fix = str(missing).partition("; ")
        yield Finding("queue", WARNING, f"{words}, so the web pages cannot show Postfix's queue", fix)
        return
    if not isinstance(answer, Listing):
        words = answer.words if isinstance(answer, Refused) else "it answered something else"
        yield Finding("queue", WARNING, f"{settings.queue_listen}: {words}", "see the log of `smtpy queue serve`")
        return
    yield Finding("queue", os.EX_OK, f"{settings.queue_listen} answers, {answer.total} in the queue")
    day = AGES.index(DAY) + 1
    if old := sum(answer.ages[day:]):
        words = f"{old} messages have waited for more than a day"
        yield Finding("queue", WARNING, words, "see why by `smtpy queue list`")

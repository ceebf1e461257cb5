"""`smtpy worker`: the duties, most one after the other, while this worker has their lease; and the host's mail log.

Any number of workers may run, on any hosts: a lease in the database says who does a duty, and from when it may be done
again. SIGTERM ends the process at once, whatever is waited for: what hangs goes with the process, which holds nothing
that a half-done step would leave wrong.
"""

import logging
import os
import signal
import socket
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from smtpy.admin.outages import Outage, named
from smtpy.config import Settings
from smtpy.pulse import Numbers, Pulse
from smtpy.serving import Sparing
from smtpy.store.engine import open_engine
from smtpy.store.leases import leave, take
from smtpy.worker.duties import DUTIES, Duty, Post
from smtpy.worker.follower import Follower

LEASE = timedelta(minutes=5)  # a duty takes less; after that its holder is taken to be dead
LOOK_SECONDS = 0.5  # between two looks at what is due
RETRY_SECONDS = 5.0  # until a duty that another worker has, or that failed, is asked for again
GRACE_SECONDS = 1.0  # for the worker to leave what it is at
_STOP = {signal.SIGTERM, signal.SIGINT}

log = logging.getLogger("smtpy.worker")


def serve(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # for all threads to come: it is this one that waits for them
    worker = Worker(settings)
    with Pulse(settings.run_dir, "worker", worker.numbers.told):
        worker.start()
        log.info("ready: %s", ", ".join(worker.does))
        signal.sigwait(_STOP)
        worker.stop()


class Worker:
    """A thread that does what is due, one for each duty apart, and one that follows Postfix's log if it is here.

    Counting is apart: people look at what it finds, and DNS servers that do not answer take minutes. So is making a
    backup, which takes minutes itself.
    """

    def __init__(self, settings: Settings) -> None:
        engine = open_engine(settings.database_url, deadline=settings.deadline_seconds)
        self._post = Post(engine, settings, Event())
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._not_before: defaultdict[str, float] = defaultdict(float)
        self._failures = Sparing(log)
        self.numbers = Numbers(*(_counted(duty, done=done) for duty in DUTIES for done in (True, False)))
        shifts = [tuple(duty for duty in DUTIES if not duty.apart), *((duty,) for duty in DUTIES if duty.apart)]
        self._threads = [Thread(target=self._run, args=(shift,), name="worker", daemon=True) for shift in shifts]
        path = settings.postfix_log
        self._follower = Follower(engine, path, self._post.stopping) if path else None

    @property
    def does(self) -> list[str]:
        """What it does, in words."""
        return [*(duty.name for duty in DUTIES), *(["follow the log"] if self._follower else [])]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()
        if self._follower:
            self._follower.start()

    def stop(self) -> None:
        """Leave what can be left at once, and forget the rest."""
        self._post.stopping.set()
        for thread in self._threads:
            thread.join(GRACE_SECONDS / len(self._threads))
        if self._follower:
            self._follower.join(GRACE_SECONDS / 2)

    def _run(self, duties: tuple[Duty, ...]) -> None:
        while not self._post.stopping.is_set():
            for duty in duties:
                if time.monotonic() >= self._not_before[duty.name] and not self._post.stopping.is_set():
                    self._not_before[duty.name] = time.monotonic() + RETRY_SECONDS
                    self._turn(duty)
            self._post.stopping.wait(LOOK_SECONDS)

    def _turn(self, duty: Duty) -> None:
        """The edge of the process: whatever happens to one duty, the others are done."""
        done = False
        try:
            with named():
                if not self._do(duty):
                    return
                done = True
        except Outage as outage:
            self._failures.warning("duty=%r not done why=%r", duty.name, str(outage))
        except Exception:
            log.exception("duty=%r failed", duty.name)
        self.numbers.add(_counted(duty, done=done))

    def _do(self, duty: Duty) -> bool:
        """False: it is another worker's, or not its time yet."""
        if duty.here:
            duty.run(self._post)
            self._not_before[duty.name] = time.monotonic() + duty.every.total_seconds()
            return True
        now = datetime.now(UTC)
        if not take(self._post.engine, duty.name, self._holder, now, now + LEASE):
            return False
        try:
            duty.run(self._post)
        finally:  # half done and left, it is anybody's at once
            pause = timedelta() if self._post.stopping.is_set() else duty.every
            leave(self._post.engine, duty.name, self._holder, datetime.now(UTC) + pause)
        return True


def _counted(duty: Duty, *, done: bool) -> str:
    """How that is told in the pulse."""
    return f"duties {duty.name.replace(' ', '_')} {'done' if done else 'failed'}"

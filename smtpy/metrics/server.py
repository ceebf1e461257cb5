"""`smtpy metrics`: HTTP for Prometheus. A visit counts what is new, looks at the queue, and tells what it knows.

What cannot be asked now is left out of the answer, or stands still, and is no error of the visit: a monitoring that
falls silent with the database tells nothing. Counting is one visit's at a time; the doctor looks once a minute, in a
thread of its own, since what does not answer takes its time.
"""

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Lock, Thread

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from smtpy import pulse
from smtpy.admin.outages import Outage, named
from smtpy.config import Settings
from smtpy.doctor import rounds
from smtpy.doctor.finding import WARNING, Finding
from smtpy.metrics.processes import processes
from smtpy.metrics.table import DATABASE, DNS, DOCTOR, LOOKED, QUEUE, WAITING
from smtpy.metrics.tally import Tally, gauge
from smtpy.queue.client import Helper, NoHelper
from smtpy.queue.decision import AGES
from smtpy.queue.protocol import Act, Listing, Request
from smtpy.serving import Sparing
from smtpy.store import metering
from smtpy.store.engine import open_engine

EVERY_SECONDS = 60.0  # between two looks of the doctor
LOOK_SECONDS = 20.0  # for all that it looks at, at once
QUEUE_SECONDS = 5.0  # Prometheus gives up a visit after ten, as a rule
QUEUES = ("incoming", "active", "deferred", "hold")
TURNS = 20  # batches of a visit; the rest is counted at the next
_STOP = {signal.SIGTERM, signal.SIGINT}

log = logging.getLogger("smtpy.metrics")


def serve(settings: Settings, secrets: tuple[Path, ...]) -> None:
    """Answer until SIGTERM or SIGINT. `secrets`: the files that hold some. Raises OSError when it cannot listen."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # for all threads to come: it is this one that waits for them
    doctor = Doctor(rounds.Installation(settings, secrets, settings.postfix_dir))
    registry = CollectorRegistry()
    exporter = Exporter(settings, doctor)
    registry.register(exporter)
    endpoint = settings.metrics_listen
    server, thread = start_http_server(endpoint.port, endpoint.host, registry)
    doctor.start()
    log.info("ready: %s", endpoint)
    signal.sigwait(_STOP)
    server.shutdown()
    thread.join()
    server.server_close()
    exporter.close()


class Doctor:
    """What `smtpy doctor` found, looked at again from time to time."""

    def __init__(self, here: rounds.Installation) -> None:
        self._here = here
        self._found: tuple[float, list[Finding]] | None = None
        self._thread = Thread(target=self._run, name="doctor", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def look(self) -> None:
        """Look once."""
        self._found = time.time(), rounds.within(self._here, LOOK_SECONDS)

    def _run(self) -> None:
        while True:
            self.look()
            time.sleep(EVERY_SECONDS)

    def families(self) -> Iterator[Family]:
        """The worst of each subject; nothing before the first look is over."""
        if self._found:
            at, found = self._found
            worst: Counter[tuple[str, ...]] = Counter()
            for each in found:
                worst[(each.subject,)] = max(worst[(each.subject,)], severity(each.code))
            yield gauge(DOCTOR, worst)
            yield gauge(LOOKED, {(): at})


def severity(code: int) -> int:
    """0 well, 1 a warning, 2 an error."""
    return 0 if code == os.EX_OK else 1 if code == WARNING else 2


class Exporter(Collector):
    """All that a visit is told."""

    def __init__(self, settings: Settings, doctor: Doctor) -> None:
        self._engine = open_engine(settings.database_url, deadline=settings.deadline_seconds)
        self._helper = Helper(settings.queue_listen, QUEUE_SECONDS)
        self._doctor = doctor
        self._folder = settings.run_dir
        self._tally = Tally()
        self._place: metering.Place | None = None
        self._failures = Sparing(log, every=60.0)
        self._lock = Lock()
        try:  # what comes from now on counts, though nobody may ask for a while
            self._count()
        except Outage as outage:
            self._failures.warning("counters wait why=%r", str(outage))

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def collect(self) -> Iterator[Family]:
        """prometheus_client's own name for a visit."""
        try:
            with self._lock:
                yield from (*self._database(), *self._tally.families())
            yield from (*processes(pulse.told(self._folder)), *self._queue(), *self._doctor.families())
        except Exception:  # the edge of the process; Prometheus hears 500
            log.exception("a visit failed")
            raise

    def _database(self) -> Iterator[Family]:
        try:
            self._count()
            with named():
                records = metering.dns(self._engine)
        except Outage as outage:
            self._failures.warning("counters stand still why=%r", str(outage))
            yield gauge(DATABASE, {(): 0})
            return
        yield gauge(DATABASE, {(): 1})
        yield gauge(DNS, {(kind, status): number for (kind, status), number in records.items()})

    def _count(self) -> None:
        """Count what is new, a bounded part of it. Raises Outage."""
        with named():
            if self._place is None:
                self._place = metering.end(self._engine)
            for _ in range(TURNS):
                found = metering.fresh(self._engine, self._place)
                if found.until == self._place:
                    break
                self._tally.add(found)
                self._place = found.until

    def _queue(self) -> Iterator[Family]:
        try:
            answer = self._helper.ask(Request(Act.LIST, limit=1, by="metrics"))
        except NoHelper:  # its subject at the doctor's says so
            return
        if isinstance(answer, Listing):
            queues = {**dict.fromkeys(QUEUES, 0), **answer.queues}  # none is a number, too
            yield gauge(QUEUE, {(queue,): number for queue, number in queues.items()})
            yield gauge(WAITING, {(str(edge),): sum(answer.ages[at:]) for at, edge in enumerate(AGES, 1) if edge})

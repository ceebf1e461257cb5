"""`smtpy milter`: one UNIX socket, N worker processes, each an event loop of its own.

The parent binds the socket and forks; the children share it, so that a worker that dies takes only the messages in its
hands (Postfix answers 451 for those) while the others serve and a new one is forked. A worker opens its database, and
makes its threads, after the fork, for neither survives one. A worker told to stop finishes what it has in hand and
writes what is left for the journal. After GRACE_SECONDS it is killed, which costs its clients no more than a 451.
"""

import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import uvloop

from smtpy import spans
from smtpy.config import Settings
from smtpy.milter.desk import Desk, open_desk
from smtpy.milter.engine import Asked, Connection, Engine
from smtpy.milter.session import Session
from smtpy.net import unix_socket
from smtpy.pulse import Pulse
from smtpy.serving import BACKLOG, Limits, Service, stop_signal

GRACE_SECONDS = 3.5  # for a worker: one second for what it has in hand, two for the journal
RESPAWN_SECONDS = 0.5  # a worker that dies sooner than this after its start is not replaced faster
# From the greeting to the end of a message nothing need come from Postfix, whose client may write slowly. Nor the rest
# of a packet: what awaits no answer waits in a buffer of 4096 octets, whose end may be in the middle of a recipient.
PATIENCE_SECONDS = 7210.0  # as libmilter has it
LIMITS = Limits(request_seconds=PATIENCE_SECONDS, idle_seconds=PATIENCE_SECONDS, grace_seconds=1.0)
_PR_SET_PDEATHSIG = 1  # prctl(2)
_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}

log = logging.getLogger("smtpy.milter")


def serve(settings: Settings, workers: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when it cannot listen."""
    # A TCP socket costs 44 to 88 ms a message: small writes meet delayed acknowledgements.
    if settings.milter_listen.path is None:
        raise SystemExit("smtpy milter: milter_listen must be a UNIX socket (unix:/path)")
    path = Path(settings.milter_listen.path)
    with unix_socket(path) as shared:
        shared.listen(BACKLOG)
        try:
            Crew(settings, workers or settings.milter_workers, shared).run()
        finally:
            path.unlink(missing_ok=True)


class Crew:
    """The parent: keeps N workers alive until told to stop. Waits for signals, so that none can come between."""

    def __init__(self, settings: Settings, size: int, shared: socket.socket) -> None:
        self.settings = settings
        self.size = size
        self.shared = shared
        self.started: dict[int, float] = {}

    def run(self) -> None:
        """Fork, wait, fork again; returns when every worker has gone after SIGTERM or SIGINT."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        for _ in range(self.size):
            self._spawn()
        log.info("ready: %d workers on %s", self.size, self.settings.milter_listen)
        while signal.sigwait(_WATCHED) == signal.SIGCHLD:
            for pid, status in self._ended():
                self._replace(pid, status)
        self._end()

    def _ended(self) -> Iterator[tuple[int, int]]:
        """The workers that have ended; one SIGCHLD may stand for several."""
        for pid in list(self.started):
            gone, status = os.waitpid(pid, os.WNOHANG)
            if gone:
                yield pid, status

    def _replace(self, pid: int, status: int) -> None:
        log.error("worker %d ended with status %d, starting another", pid, os.waitstatus_to_exitcode(status))
        time.sleep(max(0.0, self.started.pop(pid) + RESPAWN_SECONDS - time.monotonic()))
        self._spawn()

    def _spawn(self) -> None:
        pid = os.fork()
        if pid == 0:
            _work(self.settings, self.shared)
        self.started[pid] = time.monotonic()

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.started and (left := deadline - time.monotonic()) > 0:
            signal.sigtimedwait({signal.SIGCHLD}, left)
            for pid, _ in list(self._ended()):
                del self.started[pid]
        self._signal(signal.SIGKILL)
        for pid in self.started:
            os.waitpid(pid, 0)

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.started:
            os.kill(pid, number)


def _work(settings: Settings, shared: socket.socket) -> None:
    """A worker's whole life; never returns."""
    status = os.EX_SOFTWARE
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        desk = open_desk(settings)
        gc.freeze()  # or the collector looks at all that is here for good again and again: a tenth of a message's time
        with Pulse(settings.run_dir, "milter", desk.told):
            uvloop.run(_serve(desk, shared))
        desk.close()
        spans.end()
        status = os.EX_OK
    except Exception:  # the edge of the process: say why it ends, the parent starts another
        log.exception("worker failed")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(status)  # the parent's exit handlers are not ours to run, nor is a thread that hangs ours to wait for


async def _serve(desk: Desk, shared: socket.socket) -> None:
    told = stop_signal()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)  # as the parent had them
    service: Service[Asked] = Service(partial(Connection, partial(Session, desk)), Engine().answer, LIMITS)
    async with service.sharing(shared):
        await told.wait()

"""`smtpy milter`: one UNIX socket, N worker processes, each a libmilter of its own.

The parent opens the socket and forks; the children share it, so that a worker that dies takes only the messages in its
hands (Postfix answers 451 for those) while the others serve and a new one is forked. libmilter makes its threads in
main(), after the fork, and the worker opens its database there too: neither threads nor connections survive a fork.

Seen on libmilter 8.17.1: two workers whose poll() woke for one connection race to accept(); the loser blocks in it and
never looks at its stop flag. Hence the non-blocking listen descriptor. A worker told to stop looks at that flag when
its poll() returns: after five seconds, or at the next connection, so the parent makes one. Then it writes what is left
for the journal. After GRACE_SECONDS it is killed, which costs its clients no more than a 451.
"""

import contextlib
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
from typing import Any, cast

import Milter
import milter

from smtpy.config import Settings
from smtpy.milter.desk import open_desk
from smtpy.milter.session import Session

GRACE_SECONDS = 3.0
WAKE_SECONDS = 0.05
RESPAWN_SECONDS = 0.5  # a worker that dies sooner than this after its start is not replaced faster
_PR_SET_PDEATHSIG = 1  # prctl(2)
_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}

log = logging.getLogger("smtpy.milter")


def serve(settings: Settings, workers: int | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    path = _socket_path(settings)
    _refuse_a_second_server(path)
    _listen(path)
    crew = Crew(settings, workers or settings.milter_workers)
    try:
        crew.run()
    finally:
        path.unlink(missing_ok=True)


class Crew:
    """The parent: keeps N workers alive until told to stop. Waits for signals, so that none can come between."""

    def __init__(self, settings: Settings, size: int) -> None:
        self.settings = settings
        self.size = size
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
            _work(self.settings)
        self.started[pid] = time.monotonic()

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self.started and time.monotonic() < deadline:
            self._wake()
            signal.sigtimedwait({signal.SIGCHLD}, WAKE_SECONDS)
            for pid, _ in list(self._ended()):
                del self.started[pid]
        self._signal(signal.SIGKILL)
        for pid in self.started:
            os.waitpid(pid, 0)

    def _wake(self) -> None:
        """Have every worker look at its stop flag, by a connection that says nothing."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as nobody:
            nobody.setblocking(False)
            nobody.connect(str(_socket_path(self.settings)))

    def _signal(self, number: signal.Signals) -> None:
        for pid in self.started:
            os.kill(pid, number)


def _work(settings: Settings) -> None:
    """A worker's whole life; never returns."""
    status = os.EX_SOFTWARE
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        # The parent's signal mask stays: threads of ours would take SIGTERM in its default way, and rows not yet
        # written would be lost. libmilter's own thread waits for it.
        desk = open_desk(settings)
        gc.freeze()  # or the collector looks at all that is here for good again and again: a tenth of a message's time
        Milter.factory = partial(Session, desk)
        milter.main()  # returns after SIGTERM
        desk.close()
        status = os.EX_OK
    except Exception:  # the edge of the process: say why it ends, the parent starts another
        log.exception("worker failed")
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(status)  # the parent's exit handlers are not ours to run


def _socket_path(settings: Settings) -> Path:
    # A TCP socket costs 44 to 88 ms a message: libmilter's small writes meet delayed acknowledgements.
    if settings.milter_listen.path is None:
        raise SystemExit("smtpy milter: milter_listen must be a UNIX socket (unix:/path)")
    return Path(settings.milter_listen.path)


def _refuse_a_second_server(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return
    raise SystemExit(f"smtpy milter: another server listens on {path}; stop it first")


def _listen(path: Path) -> None:
    """Register the callbacks and open the socket, readable and writable for Postfix whoever it runs as."""
    milter.set_flags(milter.CURR_ACTS)
    milter.set_connect_callback(Milter.connect_callback)
    milter.set_helo_callback(lambda ctx, name: _session(ctx).hello(name))
    milter.set_envfrom_callback(lambda ctx, *words: _session(ctx).envfrom_bytes(*words))
    milter.set_envrcpt_callback(lambda ctx, *words: _session(ctx).envrcpt_bytes(*words))
    milter.set_header_callback(lambda ctx, name, value: _session(ctx).header_bytes(name, value))
    milter.set_eoh_callback(lambda ctx: _session(ctx).eoh())
    milter.set_body_callback(lambda ctx, chunk: _session(ctx).body(chunk))
    milter.set_eom_callback(lambda ctx: _session(ctx).eom())
    milter.set_close_callback(Milter.close_callback)
    milter.set_exception_policy(milter.TEMPFAIL)
    milter.setconn(f"unix:{path}")
    milter.register("smtpy", negotiate=Milter.negotiate_callback)
    mask = os.umask(0)
    try:
        milter.opensocket(True)
    finally:
        os.umask(mask)
    _unblock()


def _session(context: Any) -> Session:
    """The session of a connection; a peer that skips the greeting gets one too, and no traceback."""
    session = context.getpriv()
    if session is None:
        session = Milter.factory()
        session._setctx(context)
    return cast(Session, session)


def _unblock() -> None:
    """Make the listen descriptor non-blocking (see above); libmilter gives no other way to reach it."""
    for entry in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # no socket, or closed since it was listed
            found = socket.socket(fileno=int(entry.name))
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                found.setblocking(False)
            found.detach()

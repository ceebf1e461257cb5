"""Processes of the benchmark: started under the account, waited for until ready, stopped by their ids.

Each leads a session of its own, so that Ctrl-C reaches only the benchmark, which then stops them in order. Should it be
killed outright, the kernel tells those that have not changed user since (PR_SET_PDEATHSIG).
"""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.accounting import Account
from bench.machine import Failed, until

STOP_SECONDS = 10.0
TAIL = 2000  # octets of a log that are shown when something fails


@dataclass(frozen=True, slots=True)
class Service:
    """A command of a component; `ready(log text)` says when it works."""

    component: str
    command: tuple[str, ...]
    ready: Callable[[str], bool]


def said_ready(log: str) -> bool:
    """SMTPy's services say so."""
    return "ready" in log


def answers(address: str | tuple[str, int]) -> Callable[[str], bool]:
    """Whether somebody takes connections there: a path, or host and port."""

    def ready(_: str) -> bool:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        with contextlib.closing(socket.socket(family)) as probe, contextlib.suppress(OSError):
            probe.settimeout(5)
            probe.connect(address)
            return True
        return False

    return ready


def run(command: list[str], environ: Mapping[str, str] | None = None) -> str:
    """A command that has to succeed; what it printed."""
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{command[0]}: {error}") from None
    if done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{(done.stdout + done.stderr)[-TAIL:]}")
    return done.stdout


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """A signal to stop is heard at the end of the block: a process that was begun is one that is known."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    came: list[int] = []
    for each in before:
        signal.signal(each, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if came:
        signal.raise_signal(came[0])


class Processes:
    """Those that run now, with a log for each component in `folder`."""

    def __init__(self, folder: Path, account: Account) -> None:
        self.folder, self.account = folder, account
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def spawn(
        self, component: str, command: tuple[str, ...], environ: Mapping[str, str] | None = None, *, piped: bool = False
    ) -> subprocess.Popen[bytes]:
        """Started and counted; `piped` gives its standard output to the caller instead of the log."""
        with self._log(component).open("ab") as log, undisturbed():
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self.account.entry(component), *command],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else log,
                stderr=log,
                start_new_session=True,
            )
            self._running.append((component, process))
            self.account.started(component, process.pid)
        return process

    def start(self, service: Service, environ: Mapping[str, str] | None = None) -> Callable[[], bool]:
        """Started; the result tells whether it is ready, and fails when it has ended."""
        written = self._log(service.component).stat().st_size if self._log(service.component).exists() else 0
        process = self.spawn(service.component, service.command, environ)

        def ready() -> bool:
            said = self._log(service.component).read_bytes()[written:].decode(errors="replace")
            if process.poll() is not None:
                raise Failed(f"{service.component} ended with status {process.returncode}\n{said[-TAIL:]}")
            return service.ready(said)

        return ready

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """SIGTERM, and SIGKILL to its session when that is not enough or leaves a child."""
        component = next(name for name, each in self._running if each is process)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
        self._running.remove((component, process))
        with contextlib.suppress(Failed):  # closing the account reports those that stay
            until(lambda: component == "load" or not self.account.pids(component), "end", STOP_SECONDS)

    def stop_all(self) -> None:
        """The last started first."""
        while self._running:
            self.stop(self._running[-1][1])

    def _log(self, component: str) -> Path:
        return self.folder / f"{component}.log"

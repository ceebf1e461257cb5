"""Running Postfix's queue commands: by their full path, never by a shell, each with a deadline and little room to talk.

What is too long to be read through is told as far as it was read. Needs root for all but listing and flushing.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Timer
from typing import IO

from smtpy.queue.decision import LATE, LIST, MAX_LETTER, Command, Ran, commands, listing, outcome
from smtpy.queue.protocol import Act, Answer, Refused, Request, read_request, write_request

SECONDS = 10.0  # for one command
MAX_MESSAGES = 100_000  # read through for a listing
MAX_LINE = 4 * 1024 * 1024  # octets of a message with all its recipients and reasons; of a longer one we know nothing
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
ENVIRON = {"PATH": PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC"}  # no MAIL_CONFIG, and nothing else of ours

NOT_INSTALLED = Refused("failed", "Postfix is not installed here; run this where it is")


@dataclass(frozen=True, slots=True)
class Postfix:
    """The Postfix of one configuration folder; None: the one Postfix itself would use."""

    folder: Path | None = None
    seconds: float = SECONDS

    def ask(self, request: Request) -> Answer:
        """Do it. Takes no longer than `seconds` for each of at most two commands."""
        checked = read_request(write_request(request))  # whoever made it: nothing else is run as root
        if isinstance(checked, Refused):
            return checked
        try:
            return self._listed(checked) if checked.act is Act.LIST else self._done(checked)
        except FileNotFoundError:
            return NOT_INSTALLED

    def _done(self, request: Request) -> Answer:
        ran: list[Ran] = []
        for command in commands(request):
            ran.append(self._run(command))
            if (answer := outcome(request, ran)) is not None:
                return answer
        raise AssertionError("the last command always comes to something")

    def _run(self, command: Command) -> Ran:
        with self._running(command) as (process, said, complained):
            told = said.read(MAX_LETTER)
            said.close()  # who has more to say is ended by that
            words = complained.read(MAX_LETTER)
            status = process.wait()
        full = len(told) == MAX_LETTER
        return Ran(0 if full else None if status == -signal.SIGKILL else status, told, words)

    def _listed(self, request: Request) -> Answer:
        with self._running(LIST) as (process, said, complained):
            lines = islice(iter(partial(said.readline, MAX_LINE), b""), MAX_MESSAGES)
            found = listing(request, lines, time.time())
            more = bool(said.read(1))
            said.close()
            words = complained.read(MAX_LETTER)
            status = process.wait()
        if status > 0:
            return outcome(request, [Ran(status, b"", words)]) or LATE
        return replace(found, whole=not more and status == 0)

    @contextmanager
    def _running(self, command: Command) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]]:
        program = shutil.which(command[0], path=PATH)
        if program is None:
            raise FileNotFoundError(command[0])
        where = ["-c", str(self.folder)] if self.folder else []
        with (
            subprocess.Popen(  # noqa: S603 - words of ours, and an id of letters and digits
                [program, *where, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRON,
                cwd=os.sep,
            ) as process
        ):
            assert process.stdout  # noqa: S101 - tells the type checker
            assert process.stderr  # noqa: S101 - a pipe was asked for
            timer = Timer(self.seconds, process.kill)
            timer.daemon = True
            timer.start()
            try:
                yield process, process.stdout, process.stderr
            finally:
                timer.cancel()
                process.kill()

"""`smtpy queue serve`: the queue helper, as root, for those whom the mode of its socket lets in.

One message of the log for each act, with who it is said to be for. Postfix's commands run in two threads, so that
a queue that takes long to read through does not keep somebody from putting a message on hold.
"""

import asyncio
import contextlib
import grp
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from smtpy.config import Settings
from smtpy.queue.postfix import SECONDS, Postfix
from smtpy.queue.protocol import Act, Answer, Lines, Refused, Request, read_request, write_answer
from smtpy.serving import Limits, Service, stop_signal

CONNECTIONS = 32
THREADS = 2
DEFECT = Refused("failed", "something is wrong with the queue helper; see its log")
READS = (Act.LIST, Act.SHOW)  # of which the log says nothing unless it is to say all

log = logging.getLogger("smtpy.queue")


def serve(settings: Settings, folder: Path | None) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError when it cannot listen, KeyError when there is no such group."""
    group = group_of(settings)
    with ThreadPoolExecutor(THREADS, "queue") as crew:
        uvloop.run(_serve(settings, group, Helper(Postfix(folder), crew)))


async def _serve(settings: Settings, group: int, helper: "Helper") -> None:
    told = stop_signal()
    limits = Limits(connections=CONNECTIONS, idle_seconds=60.0, grace_seconds=2 * SECONDS + 1)
    service: Service[bytes] = Service(Lines, helper.answer, limits)
    async with service.listening([settings.queue_listen], group):
        log.info("ready: %s for group %s", settings.queue_listen, group)
        await told.wait()


def group_of(settings: Settings) -> int:
    """The group that may ask: that of queue_group, else that of run_dir. Raises OSError, KeyError."""
    return grp.getgrnam(settings.queue_group).gr_gid if settings.queue_group else settings.run_dir.stat().st_gid


class Helper:
    """Lines in, lines out."""

    def __init__(self, postfix: Postfix, crew: ThreadPoolExecutor) -> None:
        self._postfix = postfix
        self._crew = crew

    async def answer(self, line: bytes) -> bytes:
        """Do what the line asks for."""
        answer: Answer = DEFECT
        with _edge():
            request = read_request(line)
            if isinstance(request, Refused):
                log.warning("refused why=%r", request.words)
                answer = request
            else:
                answer = await asyncio.get_running_loop().run_in_executor(self._crew, self._postfix.ask, request)
                _note(request, answer)
        return write_answer(answer)


def _note(request: Request, answer: Answer) -> None:
    level = logging.DEBUG if request.act in READS else logging.INFO
    why = f" why={answer.words!r}" if isinstance(answer, Refused) else ""
    log.log(level, "%s: %s by=<%s> %s%s", request.id or "ALL", request.act, request.by, answer.kind, why)


@contextlib.contextmanager
def _edge() -> Iterator[None]:
    """Whatever happens within, the client hears that it failed and the others nothing."""
    try:
        yield
    except Exception:  # the edge of the process
        log.exception("a request failed")

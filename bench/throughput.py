"""Many messages at once: smtp-source to the stack, smtp-sink behind it; the sink's last message stops the clock.

The sink prints its counter, so that it need not end to tell: `smtp-sink -M` ends without answering the last message,
which stays in the queue. Processor time is counted until a second after, since journals are written and queue files
removed behind the delivery.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import author
from bench.accounting import Daemons, memory_mb
from bench.machine import PROCESSORS, Failed, busy
from bench.network import HOST
from bench.processes import Processes
from bench.stacks import DOMAIN, Stack

SESSIONS = 10
BEHIND_SECONDS = 1.0  # what is written behind: the journal gathers rows for 0.3 s
LOOK_SECONDS = 0.25
LIMIT_SECONDS = 120.0
COUNTER = re.compile(rb"mesg=(\d+)\r")


@dataclass(frozen=True, slots=True)
class Load:
    """`count` messages of `size` octets. Each to the same `recipients` aliases, or `each_its_own`."""

    size: int
    recipients: int
    count: int
    each_its_own: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One measurement; times in seconds for all `count` messages. `foreign`: other work's share of the machine."""

    count: int
    delivered: float
    accepted: float
    cpu: dict[str, float]
    daemons: dict[str, float]
    memory_mb: float
    foreign: float


class Sink:
    """smtp-sink, and the messages it has taken since the last `reset`."""

    def __init__(self, processes: Processes, port: int) -> None:
        command = ("smtp-sink", "-4", "-c", "-u", "nobody", f"127.0.0.1:{port}", "1024")
        self._process = processes.spawn("load", command, piped=True)
        self._processes = processes
        self._said = b""
        self._total = self._before = 0
        assert self._process.stdout  # noqa: S101 - piped
        self._pipe = self._process.stdout.fileno()
        os.set_blocking(self._pipe, False)

    def taken(self) -> int:
        """Messages, three recipients or one."""
        while True:
            try:
                more = os.read(self._pipe, 65536)
            except BlockingIOError:
                return self._total - self._before
            if not more:
                raise Failed("smtp-sink ended")
            self._total, self._said = count(self._total, self._said + more)

    def reset(self) -> None:
        """Count from here."""
        self.taken()
        self._before = self._total

    def stop(self) -> None:
        """End it."""
        self._processes.stop(self._process)


def count(total: int, said: bytes) -> tuple[int, bytes]:
    """The last counter in what smtp-sink has said, else `total`; and what to put before its next words."""
    counters = COUNTER.findall(said)
    return int(counters[-1]) if counters else total, said[said.rfind(b"\r") + 1 :]


def source(stack: Stack, load: Load, folder: Path) -> tuple[str, ...]:
    """The command that sends the load, a new connection for each message; the message lies in `folder`."""
    to = f"alias@{DOMAIN}"
    numbered = ("-N",) if load.each_its_own else ()
    return (
        *("smtp-source", "-4", "-s", str(SESSIONS), "-m", str(load.count), "-r", str(load.recipients), *numbered),
        *("-F", str(author.file(folder, load.size, to)), "-M", author.DOMAIN),
        *("-f", author.SENDER, "-t", to, f"{HOST}:{stack.port}"),
    )


def measure(stack: Stack, sink: Sink, load: Load, generator: Processes) -> Run:
    """Run the load through the stack, which is up and idle."""
    account = stack.account
    sink.reset()
    parts = (*stack.components, "load")
    command = source(stack, load, generator.folder)
    before = {each: account.seconds(each) for each in parts}
    daemons = Daemons(account, "postfix")
    machine, own, start = busy(), time.process_time(), time.perf_counter()
    sender = generator.spawn("load", command)
    accepted = _watch(stack, sink, load.count, sender, daemons)
    delivered = time.perf_counter() - start
    _end(stack, sink, load.count, sender, daemons)
    generator.stop(sender)
    cpu = {each: account.seconds(each) - before[each] for each in parts}
    known = sum(cpu.values()) + time.process_time() - own
    foreign = max(0.0, busy() - machine - known) / (time.perf_counter() - start) / PROCESSORS
    del cpu["load"]
    memory = sum(memory_mb(account.pids(each)) for each in cpu)
    split = daemons.split(cpu["postfix"])
    return Run(load.count, delivered, (accepted or delivered + start) - start, cpu, split, memory, foreign)


def _watch(stack: Stack, sink: Sink, wanted: int, sender: "subprocess.Popen[bytes]", daemons: Daemons) -> float | None:
    """Until the sink has all messages; when the sender was done, if it was seen to be."""
    accepted = None
    next_look = time.perf_counter() + LOOK_SECONDS
    limit = next_look + LIMIT_SECONDS
    while sink.taken() < wanted:
        now = time.perf_counter()
        if accepted is None and sender.poll() is not None:
            accepted = now
        if sender.returncode or now > limit:
            raise stack.failed(f"{sink.taken()} of {wanted} messages came, smtp-source: {sender.returncode}")
        if now > next_look:
            daemons.look()
            next_look += LOOK_SECONDS
        time.sleep(0.004)
    return accepted


def _end(stack: Stack, sink: Sink, wanted: int, sender: "subprocess.Popen[bytes]", daemons: Daemons) -> None:
    """What is done behind the delivery; Failed when more came than was sent, or not all could be."""
    daemons.look()
    end = time.perf_counter() + BEHIND_SECONDS
    while (rest := end - time.perf_counter()) > 0:
        time.sleep(min(LOOK_SECONDS, rest))
        daemons.look()
    if sender.wait() or stack.queued() or sink.taken() != wanted:
        raise stack.failed(f"{sink.taken()} messages came for {wanted}; something is left in the queue, or was split")

"""The machine: how busy it is, its free ports, and patience with other people's work on it.

A benchmark that shares the processors measures the neighbours too, so a run begins on an idle machine, and one that
was disturbed is known as such.
"""

import contextlib
import os
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

TICKS = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count() or 1
IDLE = 0.12  # share of all processors in use, below which the machine counts as idle
LOOK_SECONDS = 0.4
PORTS = range(20_000, 32_000)  # below what Linux gives to outgoing connections

T = TypeVar("T")


class Failed(Exception):
    """The benchmark cannot go on; says why, with the end of the log that knows."""


def busy_seconds(stat: str) -> float:
    """Processor time in use since boot, by the first line of /proc/stat: all but idle and iowait."""
    ticks = [int(each) for each in stat.splitlines()[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / TICKS


def busy() -> float:
    """The same, now."""
    return busy_seconds(Path("/proc/stat").read_text(encoding="ascii"))


def until(condition: Callable[[], T | None], what: str, timeout: float = 20.0, pause: float = 0.02) -> T:
    """Waits for a true value and returns it; Failed names `what` did not come."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {timeout:.0f} s")
        time.sleep(pause)
    return result


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 on which nobody listens, and which no outgoing connection takes meanwhile."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            found.append(port)
        if len(found) == count:
            return found
    raise Failed(f"no {count} free ports of 127.0.0.1")


class Patience:
    """The seconds that a whole benchmark may wait for an idle machine."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def wait_idle(self) -> None:
        """Until the machine is idle; when patience has run out, one look and no more."""
        while True:
            before, start = busy(), time.monotonic()
            time.sleep(LOOK_SECONDS)
            spent = time.monotonic() - start
            if (busy() - before) / spent / PROCESSORS < IDLE or self.left <= 0:
                return
            self.left -= spent

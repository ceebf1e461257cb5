"""Processor time and memory by component, a component being one or more process trees.

A control group for each (cgroups(7): v1 cpuacct, or v2) counts to the nanosecond and forgets nobody. Where none may be
made, /proc has to do: a process counts with its living descendants and those it has waited for.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from bench.machine import TICKS, until

PROC = Path("/proc")
TREE_V1 = Path("/sys/fs/cgroup/cpuacct")
TREE_V2 = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Process:
    """What /proc/PID/stat says; seconds of processor time, `waited` that of children which have ended."""

    pid: int
    name: str
    parent: int
    seconds: float
    waited: float


def parse_stat(text: str) -> Process:
    """proc(5). The name stands in parentheses and may itself contain them, so the last one counts."""
    head, _, tail = text.rpartition(") ")
    pid, _, name = head.partition(" (")
    words = tail.split()
    own, waited = int(words[11]) + int(words[12]), int(words[13]) + int(words[14])
    return Process(int(pid), name, int(words[1]), own / TICKS, waited / TICKS)


def look(pids: Iterable[int]) -> list[Process]:
    """Those of the processes that are still there."""
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append(parse_stat((PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")))
    return found


def descendants(processes: Iterable[Process], roots: Iterable[int]) -> list[Process]:
    """The roots and all below them."""
    children: dict[int, list[Process]] = {}
    for each in processes:
        children.setdefault(each.parent, []).append(each)
    family = [each for siblings in children.values() for each in siblings if each.pid in set(roots)]
    for each in family:  # grows as it goes
        family += children.get(each.pid, [])
    return family


def memory_mb(pids: Iterable[int]) -> float:
    """Proportional set size in MiB: a page shared by n processes counts 1/n for each."""
    kilobytes = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            rollup = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
            kilobytes += sum(int(each) for each in re.findall(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE))
    return kilobytes / 1024


class Account(Protocol):
    """Where components are accounted. `entry` is what to put before a command, so that it is counted from its start."""

    def entry(self, component: str) -> list[str]: ...
    def started(self, component: str, pid: int) -> None: ...
    def seconds(self, component: str) -> float: ...
    def pids(self, component: str) -> list[int]: ...
    def close(self) -> None: ...


class Groups:
    """Account by control groups below `tree`; `read` takes the seconds from the text of `usage`."""

    def __init__(self, tree: Path, usage: str, read: Callable[[str], float]) -> None:
        self._tree, self._usage, self._read = tree, usage, read
        self._made: dict[str, Path] = {}
        self.pids("load")  # OSError now rather than in the middle

    def _group(self, component: str) -> Path:
        if component not in self._made:
            group = self._tree / f"smtpy-bench-{os.getpid()}-{component}"
            group.mkdir()
            self._made[component] = group
        return self._made[component]

    def entry(self, component: str) -> list[str]:
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self._group(component) / "cgroup.procs")]

    def started(self, component: str, pid: int) -> None:
        """It has entered by itself."""

    def seconds(self, component: str) -> float:
        return self._read((self._group(component) / self._usage).read_text(encoding="ascii"))

    def pids(self, component: str) -> list[int]:
        return [int(each) for each in (self._group(component) / "cgroup.procs").read_text(encoding="ascii").split()]

    def close(self) -> None:
        for component, group in self._made.items():
            until(partial(self._is_empty, component), f"{component}: end of all processes")
            group.rmdir()
        self._made.clear()

    def _is_empty(self, component: str) -> bool:
        return not self.pids(component)


class Trees:
    """Account by /proc."""

    def __init__(self) -> None:
        self._roots: dict[str, list[int]] = {}

    def entry(self, component: str) -> list[str]:
        return []

    def started(self, component: str, pid: int) -> None:
        self._roots.setdefault(component, []).append(pid)

    def _family(self, component: str) -> list[Process]:
        everybody = look(int(each.name) for each in PROC.iterdir() if each.name.isdigit())
        return descendants(everybody, self._roots.get(component, ()))

    def seconds(self, component: str) -> float:
        return sum(each.seconds + each.waited for each in self._family(component))

    def pids(self, component: str) -> list[int]:
        return [each.pid for each in self._family(component)]

    def close(self) -> None:
        """Nothing was made."""


def nanoseconds(text: str) -> float:
    """cpuacct.usage of v1, in seconds."""
    return int(text) / 1e9


def usage_usec(text: str) -> float:
    """cpu.stat of v2, in seconds; the line is there whether or not the controller is on."""
    fields = dict(line.split() for line in text.splitlines())
    return int(fields["usage_usec"]) / 1e6


def open_account() -> Account:
    """The most exact one that this machine allows."""
    choices = ((TREE_V1, "cpuacct.usage", nanoseconds), (TREE_V2, "cpu.stat", usage_usec))
    for tree, usage, read in choices:
        if (tree / usage).exists() or (tree / "cgroup.controllers").exists():
            with contextlib.suppress(OSError):
                return Groups(tree, usage, read)
    return Trees()


class Daemons:
    """Shares of a component's processor time by the name of the program, from looks at /proc while it works.

    What a process does between the last look and its end is missed, so only the proportions are used: see `split`.
    """

    def __init__(self, account: Account, component: str) -> None:
        self._account, self._component = account, component
        self._first: dict[int, float] = {}
        self._last: dict[int, Process] = {}
        self.look()
        self._first = {pid: each.seconds for pid, each in self._last.items()}

    def look(self) -> None:
        """To be called every now and then."""
        self._last |= {each.pid: each for each in look(self._account.pids(self._component))}

    def split(self, seconds: float) -> dict[str, float]:
        """`seconds` divided among the names."""
        seen: dict[str, float] = {}
        for pid, each in self._last.items():
            seen[each.name] = seen.get(each.name, 0.0) + each.seconds - self._first.get(pid, 0.0)
        return divide(seconds, seen)


def divide(total: float, shares: Mapping[str, float]) -> dict[str, float]:
    """`total` in proportion to `shares`, the largest first; those that are nothing left out."""
    whole = sum(shares.values())
    ordered = sorted(shares.items(), key=lambda item: -item[1])
    return {name: total * share / whole for name, share in ordered if share > 0}

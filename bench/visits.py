"""The plan and its carrying out: which stacks, which loads, one visit a stack each round.

A stack runs only while it is visited, so that none costs the others anything; rounds interleave the stacks, so that a
machine which grows slower does so for all, and each round another one is first.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import latency, throughput
from bench.accounting import Account
from bench.machine import Patience
from bench.peers import Diy, Rspamd
from bench.processes import Processes
from bench.report import Measured, Results, Subject
from bench.stacks import Smtpy, Stack
from bench.throughput import Load, Sink

ALIASES = 10_000
MANY = 1_000_000
Make = Callable[[Path, Account, int], Stack]
STACKS: dict[str, Make] = {
    "bare": Stack,
    "smtpy": partial(Smtpy, rows=ALIASES),
    "diy-lmdb": partial(Diy, rows=ALIASES),
    "rspamd": partial(Rspamd, rows=ALIASES),
}
SCALING = "aliases"  # the name of a comparison rather than a stack: these, with a load that no cache knows
SCALED: dict[str, Make] = {
    "bare": STACKS["bare"],
    "smtpy": STACKS["smtpy"],
    "many": partial(Smtpy, rows=MANY),
}
WARM = Load(size=1024, recipients=1, count=60)


@dataclass(frozen=True, slots=True)
class Visit:
    """A stack and the loads it gets each round; `lone`: how many messages one by one."""

    stack: Stack
    loads: tuple[Load, ...]
    lone: int


def plan(chosen: argparse.Namespace, folder: Path, account: Account, sink_port: int) -> Iterator[Visit]:
    """The stacks that were asked for and can be had, laid out. The load that no cache knows comes first."""
    usual = tuple(Load(size, each, chosen.count) for size in chosen.sizes for each in chosen.recipients)
    cold = (Load(min(chosen.sizes), 1, chosen.count, each_its_own=True),)
    scaled = SCALED if SCALING in chosen.stacks else {}
    for name, make in {**STACKS, **scaled}.items():
        loads = (cold if name in scaled else ()) + (usual if name in chosen.stacks else ())
        if not loads:
            continue
        stack = make(folder, account, sink_port)
        if missing := [each for each in stack.needs if not shutil.which(each)]:
            say(f"{name} is left out, for want of {' and '.join(missing)}")
            continue
        say(f"preparing {stack.label}")
        stack.lay()
        yield Visit(stack, loads, chosen.lone)


def carry_out(visits: list[Visit], rounds: int, patience: Patience, generator: Processes, sink_port: int) -> Results:
    """Every round every stack."""
    results = Results()
    for number in range(rounds):
        turned = number % len(visits)
        for visit in visits[turned:] + visits[:turned]:
            say(f"round {number + 1} of {rounds}: {visit.stack.label}")
            _visit(visit, patience, generator, sink_port, results)
    order = [_subject(visit.stack, load) for visit in visits for load in visit.loads]
    return {subject: results[subject] for subject in order}


def _visit(visit: Visit, patience: Patience, generator: Processes, sink_port: int, results: Results) -> None:
    """Up, warm, many at once, one by one, down."""
    stack = visit.stack
    sink = Sink(generator, sink_port)
    stack.start()
    throughput.measure(stack, sink, WARM, generator)
    for load in visit.loads:
        patience.wait_idle()
        measured = results.setdefault(_subject(stack, load), Measured())
        measured.runs.append(throughput.measure(stack, sink, load, generator))
    sink.stop()
    for load in visit.loads:
        patience.wait_idle()
        lone = Load(load.size, load.recipients, visit.lone, load.each_its_own)
        results[_subject(stack, load)].latencies.extend(latency.measure(stack, sink_port, lone))
    stack.stop()


def _subject(stack: Stack, load: Load) -> Subject:
    return Subject(stack.name, stack.aliases, load.size, load.recipients, load.each_its_own)


def say(text: str) -> None:
    """What goes on, on stderr: the report alone is on stdout."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

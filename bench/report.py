"""From runs to rows, ratios between rows. Pure; bench.words says them.

A row is the median of its runs. A run during which other work took more than DISTURBED of the machine counts only where
there is no better one; `disturbed` says how many there were.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.throughput import Run

DISTURBED = 0.1
BARE = "bare"


@dataclass(frozen=True, slots=True)
class Subject:
    """A stack under a load. `each_its_own`: each message goes to aliases that no other has used."""

    stack: str
    aliases: int
    size: int
    recipients: int
    each_its_own: bool = False


@dataclass(slots=True)
class Measured:
    """All that was measured of a subject; latencies in seconds."""

    runs: list[Run] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)


Results = dict[Subject, Measured]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table and of the JSON. `ratio`: messages a second against bare Postfix under the same load.

    `scaling`: processor time a message against the same stack and load with the fewest aliases.
    """

    stack: str
    size: int
    recipients: int
    messages_per_s: float
    ratio: float | None
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    aliases: int
    each_its_own: bool
    scaling: float | None
    accepted_per_s: float
    cpu_by_component: dict[str, float]
    cpu_by_daemon: dict[str, float]
    memory_mb: float
    runs: int
    disturbed: int

    def same_load(self, other: "Row") -> bool:
        """Whether the two may be compared."""
        mine = (self.size, self.recipients, self.each_its_own)
        return mine == (other.size, other.recipients, other.each_its_own)


def quiet(runs: Sequence[Run]) -> Sequence[Run]:
    """The undisturbed ones, or all."""
    return [each for each in runs if each.foreign <= DISTURBED] or runs


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so large a share does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def speed(measured: Measured) -> float:
    """Messages a second until the sink has the last one."""
    return median(each.count / each.delivered for each in quiet(measured.runs))


def cost(measured: Measured) -> float:
    """Milliseconds of processor time a message, of all components."""
    return median(sum(each.cpu.values()) / each.count for each in quiet(measured.runs)) * 1000


def rows(results: Results) -> list[Row]:
    """A row for each subject."""
    return [_row(subject, measured, results) for subject, measured in results.items()]


def _row(subject: Subject, measured: Measured, results: Results) -> Row:
    runs = quiet(measured.runs)
    return Row(
        stack=subject.stack,
        size=subject.size,
        recipients=subject.recipients,
        messages_per_s=round(speed(measured), 1),
        ratio=_ratio(subject, results),
        cpu_ms=round(cost(measured), 3),
        p50_ms=round(percentile(measured.latencies, 0.5) * 1000, 2),
        p99_ms=round(percentile(measured.latencies, 0.99) * 1000, 2),
        aliases=subject.aliases,
        each_its_own=subject.each_its_own,
        scaling=_scaling(subject, results),
        accepted_per_s=round(median(each.count / each.accepted for each in runs), 1),
        cpu_by_component=_medians([_milliseconds(each.cpu, each.count) for each in runs]),
        cpu_by_daemon=_medians([_milliseconds(each.daemons, each.count) for each in runs]),
        memory_mb=round(median(each.memory_mb for each in runs), 1),
        runs=len(measured.runs),
        disturbed=len([each for each in measured.runs if each.foreign > DISTURBED]),
    )


def _ratio(subject: Subject, results: Results) -> float | None:
    bare = Subject(BARE, 0, subject.size, subject.recipients, subject.each_its_own)
    return round(speed(results[subject]) / speed(results[bare]), 3) if bare in results else None


def _scaling(subject: Subject, results: Results) -> float | None:
    def load(of: Subject) -> tuple[object, ...]:
        return of.stack, of.size, of.recipients, of.each_its_own

    fewest = min((each for each in results if load(each) == load(subject)), key=lambda each: each.aliases)
    return None if fewest == subject else round(cost(results[subject]) / cost(results[fewest]), 3)


def _milliseconds(seconds: Mapping[str, float], count: int) -> dict[str, float]:
    return {name: each / count * 1000 for name, each in seconds.items()}


def _medians(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in parts for name in each)
    return {name: round(median(each.get(name, 0.0) for each in parts), 3) for name in names}


def excess(row: Row, bare: Row) -> dict[str, float]:
    """What a stack spends beyond bare Postfix, in ms a message by component and daemon, the largest first."""
    more = {name: each for name, each in row.cpu_by_component.items() if name != "postfix"}
    for name in row.cpu_by_daemon | bare.cpu_by_daemon:
        more[name] = row.cpu_by_daemon.get(name, 0.0) - bare.cpu_by_daemon.get(name, 0.0)
    return dict(sorted(more.items(), key=lambda item: -item[1]))

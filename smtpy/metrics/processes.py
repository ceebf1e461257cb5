"""What processes tell of themselves (smtpy.pulse), as Prometheus has it: each by its pid, since counters of one that
ended must not seem to go back.
"""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from smtpy.metrics.table import (
    ANSWERING,
    ANSWERS,
    DUTIES,
    LOST,
    PUT_OFF,
    REFUSED,
    REQUESTS,
    UNDECLARED,
    UNWRITTEN,
    WATCHING,
    Metric,
)
from smtpy.metrics.tally import Labels, empty, gauge
from smtpy.pulse import Told

# By what name the values of each are told; labels stand behind it.
COUNTED = {
    ANSWERS: "answers",
    LOST: "lost",
    PUT_OFF: "put_off",
    UNDECLARED: "undeclared",
    REQUESTS: "requests",
    REFUSED: "refused",
    DUTIES: "duties",
}
GAUGED = {WATCHING: "watching", UNWRITTEN: "waiting"}


def processes(all_told: Iterable[Told]) -> Iterator[Family]:
    """All of it."""
    told = list(all_told)
    for metric, name in COUNTED.items():
        family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for each in told:
            for labels, number in _labelled(each, name):
                family.add_metric((*_who(metric, each), *labels), number)
        yield family
    for metric, name in GAUGED.items():
        yield gauge(metric, {_who(metric, each): each.values[name] for each in told if name in each.values})
    yield _answering(told)


def _who(metric: Metric, each: Told) -> Labels:
    return (each.process, each.pid) if "process" in metric.labels else (each.pid,)


def _labelled(each: Told, name: str) -> Iterator[tuple[Sequence[str], float]]:
    """Values of that name, which its labels follow."""
    for key, value in each.values.items():
        first, *labels = key.split()
        if first == name:
            yield labels, value


def _answering(told: Iterable[Told]) -> Family:
    """Of each number of an edge, how many came under it."""
    family = HistogramMetricFamily(ANSWERING.name, ANSWERING.meaning, labels=ANSWERING.labels)
    for each in told:
        if "answering seconds" in each.values:
            histogram = empty(ANSWERING)
            for (edge,), number in _labelled(each, "answering"):
                if edge == "seconds":
                    histogram.total = number
                else:
                    histogram.numbers[int(edge)] = int(number)
            family.add_metric((each.pid,), list(histogram.buckets()), histogram.total)
    return family

"""What processes tell of themselves (smtpy.pulse), as Prometheus has it: each by its pid, since counters of one that
ended must not seem to go back.
"""

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from smtpy.metrics.table import ANSWERING, ANSWERS, LOST, REFUSED, REQUESTS, UNWRITTEN, WATCHING, Metric
from smtpy.metrics.tally import empty, gauge
from smtpy.pulse import Told

SOURCES = ("memory", "database", "stale")


def processes(all_told: Iterable[Told]) -> Iterator[Family]:
    """All of it."""
    told = list(all_told)
    answers, lost, requests, refused = map(_counter, (ANSWERS, LOST, REQUESTS, REFUSED))
    for each in told:
        for source in SOURCES:
            if source in each.values:
                answers.add_metric((each.process, each.pid, source), each.values[source])
        if "lost" in each.values:
            lost.add_metric((each.process, each.pid), each.values["lost"])
        for labels, number in _labelled(each, "requests"):
            requests.add_metric((each.pid, *labels), number)
        for labels, number in _labelled(each, "refused"):
            refused.add_metric((each.pid, *labels), number)
    yield from (answers, lost, requests, refused, _answering(told))
    for metric, name in ((WATCHING, "watching"), (UNWRITTEN, "waiting")):
        yield gauge(metric, {(each.process, each.pid): each.values[name] for each in told if name in each.values})


def _counter(metric: Metric) -> CounterMetricFamily:
    return CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)


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

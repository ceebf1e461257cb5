"""Counters, filled from rows and given out as Prometheus has them. Knows neither database nor network."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from smtpy.metrics.table import (
    AUTHENTICATED,
    DECIDING,
    DELIVERING,
    EVENTS,
    MESSAGES,
    RECIPIENTS,
    Metric,
)
from smtpy.store.metering import Fresh

MAX_REASONS = 100  # different ones, of which each is a series; further ones are OTHER
OTHER = "other"
METHODS = ("spf", "dkim", "dmarc", "arc")
SENT = "sent"
# Shown from the first visit, so that the first of a kind is an increase: from nothing to one Prometheus knows none.
ENDS = (SENT, "deferred", "bounced", "gave up", "dropped")
Labels = tuple[str, ...]

# What differs from message to message, and what is said of all of them.
_VARIABLE = (
    (re.compile(r"\d+ octets, .*"), "too large"),
    (re.compile(r"(alias expired) at .*"), r"\1"),
    (re.compile(r"(DMARC fails|DNS does not tell).*"), r"\1"),
    (re.compile(r"\S*@\S*|\d{4,}"), "*"),
)


@dataclass(slots=True)
class Histogram:
    """Values by the first edge that is not below them; the last number is of those beyond all."""

    edges: tuple[float, ...]
    numbers: list[int]
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.numbers[bisect_left(self.edges, seconds)] += 1
        self.total += seconds

    def buckets(self) -> Iterator[tuple[str, float]]:
        """Edge and how many are not above it, as Prometheus counts."""
        below = 0
        for edge, number in zip((*(str(float(edge)) for edge in self.edges), "+Inf"), self.numbers, strict=True):
            below += number
            yield edge, below


def empty(metric: Metric) -> Histogram:
    """One of nothing yet."""
    return Histogram(metric.edges, [0] * (len(metric.edges) + 1))


@dataclass(slots=True)
class Tally:
    """All that was counted since it was made."""

    counters: dict[Metric, Counter[Labels]] = field(
        default_factory=lambda: {
            MESSAGES: Counter(),
            RECIPIENTS: Counter(),
            AUTHENTICATED: Counter(),
            EVENTS: Counter({(kind,): 0 for kind in ENDS}),
        }
    )
    histograms: dict[tuple[Metric, Labels], Histogram] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    def add(self, fresh: Fresh) -> None:
        """Count what is new."""
        for row in fresh.messages:
            self.counters[MESSAGES][row.stage, row.verdict] += 1
            self._timed(DECIDING, row.micros / 1_000_000, row.stage)
            for method in METHODS:
                if result := getattr(row, method):
                    self.counters[AUTHENTICATED][method, result] += 1
        for decision, why, number in fresh.recipients:
            self.counters[RECIPIENTS][decision, self._reason(why)] += number
        for kind, delay in fresh.events:
            self.counters[EVENTS][(kind,)] += 1
            if kind == SENT and delay is not None:
                self._timed(DELIVERING, delay)

    def _timed(self, metric: Metric, seconds: float, *labels: str) -> None:
        if (metric, labels) not in self.histograms:
            self.histograms[metric, labels] = empty(metric)
        self.histograms[metric, labels].add(seconds)

    def _reason(self, why: str) -> str:
        known = reason(why)
        if known not in self.reasons and len(self.reasons) >= MAX_REASONS:
            return OTHER
        self.reasons.add(known)
        return known

    def families(self) -> Iterator[Family]:
        """As prometheus_client takes them; what has not happened yet has no series."""
        for metric, numbers in self.counters.items():
            counter = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for labels, number in sorted(numbers.items()):
                counter.add_metric(labels, number)
            yield counter
        for metric in (DECIDING, DELIVERING):
            family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for (of, labels), told in sorted(self.histograms.items(), key=lambda each: each[0][1]):
                if of is metric:
                    family.add_metric(labels, list(told.buckets()), told.total)
            yield family


def reason(why: str) -> str:
    """The reason as one of few: its first clause, without sizes, times and names."""
    said = why.partition("; ")[0]
    for pattern, words in _VARIABLE:
        said = pattern.sub(words, said)
    return said


def gauge(metric: Metric, values: Mapping[Labels, float]) -> Family:
    """A gauge with these values by label."""
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family

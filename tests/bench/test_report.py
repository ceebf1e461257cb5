"""From runs to rows and words."""

from dataclasses import replace

import pytest

from bench.report import Measured, Results, Row, Subject, excess, percentile, rows
from bench.throughput import Run
from bench.words import load_of, report

BARE = Subject("bare", 0, 5120, 1)
FEW = Subject("smtpy", 10_000, 5120, 1)
RUN = Run(
    count=1000,
    delivered=2.0,
    accepted=1.0,
    cpu={"postfix": 2.0},
    daemons={"smtpd": 1.2, "cleanup": 0.8},
    memory_mb=40.0,
    foreign=0.01,
)
OURS = replace(
    RUN,
    delivered=2.5,
    cpu={"postfix": 3.0, "milter": 0.6},
    daemons={"cleanup": 1.9, "smtpd": 1.1},
)


def measured(*runs: Run) -> Measured:
    return Measured(list(runs), [0.003, 0.001, 0.002])


def made(results: Results) -> dict[str, Row]:
    return {f"{row.stack} {row.aliases}": row for row in rows(results)}


def test_a_row_has_the_median_and_the_ratio_to_bare_postfix() -> None:
    slower, faster = replace(OURS, delivered=4.0), replace(OURS, delivered=2.0)
    found = made({BARE: measured(RUN), FEW: measured(slower, OURS, faster)})
    ours = found["smtpy 10000"]
    assert (ours.messages_per_s, ours.ratio, ours.runs) == (400.0, 0.8, 3)
    assert (ours.cpu_ms, ours.p50_ms, ours.p99_ms) == (3.6, 2.0, 3.0)
    assert ours.cpu_by_component == {"postfix": 3.0, "milter": 0.6}
    assert found["bare 0"].ratio == 1.0


@pytest.mark.parametrize(
    "other",
    [replace(BARE, size=51200), replace(BARE, recipients=3), replace(BARE, each_its_own=True)],
)
def test_there_is_no_ratio_to_another_load(other: Subject) -> None:
    assert made({other: measured(RUN), FEW: measured(OURS)})["smtpy 10000"].ratio is None


def test_a_disturbed_run_counts_only_where_there_is_no_other() -> None:
    disturbed = replace(RUN, delivered=10.0, foreign=0.5)
    (row,) = rows({BARE: measured(disturbed, RUN, disturbed)})
    assert (row.messages_per_s, row.disturbed) == (500.0, 2)
    (row,) = rows({BARE: measured(disturbed)})
    assert (row.messages_per_s, row.disturbed) == (100.0, 1)


def test_scaling_is_cost_with_the_most_aliases_against_the_fewest() -> None:
    few, many = replace(FEW, each_its_own=True), replace(FEW, each_its_own=True, aliases=1_000_000)
    dearer = replace(OURS, cpu={"postfix": 3.0, "milter": 0.96})
    found = made({few: measured(OURS), many: measured(dearer)})
    assert found["smtpy 10000"].scaling is None
    assert found["smtpy 1000000"].scaling == 1.1


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)])
def test_percentiles_are_values_that_occurred(share: float, value: float) -> None:
    assert percentile([float(each) for each in range(100, 0, -1)], share) == value


def test_what_dominates_is_told_by_component_and_daemon() -> None:
    bare, ours = rows({BARE: measured(RUN), FEW: measured(OURS)})
    more = excess(ours, bare)
    assert list(more) == ["cleanup", "milter", "smtpd"]
    assert more == pytest.approx({"cleanup": 1.1, "milter": 0.6, "smtpd": -0.1})


def test_the_report_has_a_table_for_each_load_and_says_what_dominates() -> None:
    three = replace(BARE, recipients=3, size=51200)
    text = report(rows({BARE: measured(RUN), FEW: measured(OURS), three: measured(replace(RUN, foreign=0.3))}))
    assert "### 5 KB, one recipient\n\n| stack |" in text
    assert "### 50 KB, 3 recipients" in text
    assert (
        "| smtpy | 400 | 0.80 | 3.60 | postfix 3.00 (cleanup 1.90, smtpd 1.10), milter 0.60 | 2.0 | 3.0 | 40 |" in text
    )
    assert "| bare | 500* |" in text
    assert "disturbed 1 of 3 runs" in text
    assert "+1.60 to bare Postfix's 2.00: cleanup +1.10, milter +0.60" in text


def test_loads_are_told_apart_in_words() -> None:
    subjects = [BARE, replace(BARE, recipients=3), replace(BARE, size=51200), replace(BARE, each_its_own=True)]
    assert len({load_of(row) for each in subjects for row in rows({each: measured(RUN)})}) == len(subjects)

"""What stands on the names of metrics: the page that lists them, alert rules, and the dashboard."""

import json
import re
from pathlib import Path

import pytest
import yaml

from docs.reference import metrics
from smtpy.doctor.rounds import CHECKS
from smtpy.metrics.table import METRICS

ROOT = Path(__file__).parents[2]
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "monitoring" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD = json.loads((ROOT / "monitoring" / "grafana.json").read_text(encoding="utf-8"))
PANELS = {panel["title"]: [target["expr"] for target in panel["targets"]] for panel in BOARD["panels"]}
SERIES = {
    each.name + behind: {*each.labels, *(("le",) if behind == "_bucket" else ())}
    for each in METRICS
    for behind in (("_bucket", "_sum", "_count") if each.kind == "histogram" else ("",))
}


def wrong(expression: str) -> list[str]:
    """Series and labels that nobody tells."""
    used = re.findall(r"\b(smtpy_\w+)(?:\{([^}]*)\})?", expression)
    assert used
    bad = [name for name, _ in used if name not in SERIES]
    labels = [(name, label) for name, chosen in used for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", chosen)]
    return bad + [f"{name}: {label}" for name, label in labels if label not in SERIES.get(name, ())]


def test_the_page_lists_every_metric_as_it_is() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [line for line in page.splitlines() if line.startswith("| `")] == list(metrics()), "run `make reference`"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_asks_for_what_there_is_and_says_where_to_look(alert: dict[str, dict[str, str]]) -> None:
    assert wrong(str(alert["expr"])) == []
    assert alert["labels"]["severity"] in {"warning", "critical"}
    see = alert["annotations"]["see"]
    if see.startswith("smtpy doctor"):
        assert set(see.split()[2:]) <= {name for name, _ in CHECKS}
    else:
        assert (ROOT / see).is_file()


@pytest.mark.parametrize("title", PANELS)
def test_a_panel_asks_for_what_there_is(title: str) -> None:
    assert [each for expression in PANELS[title] for each in wrong(expression)] == []


def test_what_nobody_tells_is_found() -> None:
    assert wrong('rate(smtpy_message_total[5m]) / smtpy_queue_messages{age="1"}') == [
        "smtpy_message_total",
        "smtpy_queue_messages: age",
    ]
    assert len({alert["alert"] for alert in ALERTS}) == len(ALERTS) > 5

"""monitoring/vector.toml and loki.alloy: both read what we write, text and JSON, and what Postfix writes."""

import json
import logging
import re
import tomllib
from pathlib import Path

import pytest
import re2
import yaml

from smtpy.cli.logs import FORM, JsonLine, Line
from smtpy.milter.session import log as milter_log
from tests.maillog.samples import REAL

ROOT = Path(__file__).parents[2]
VECTOR = tomllib.loads((ROOT / "monitoring" / "vector.toml").read_text("utf-8"))
ALLOY = (ROOT / "monitoring" / "loki.alloy").read_text("utf-8")
OURS, POSTFIX = (
    re.findall(r"r'(.*?)'\)", VECTOR["transforms"][name]["source"])[0] for name in ("smtpy_lines", "postfix_lines")
)
DEFAULTS = yaml.safe_load((ROOT / "ansible" / "roles" / "smtpy" / "defaults" / "main.yml").read_text("utf-8"))
UNITS = {f"smtpy-{name}" for name in DEFAULTS["smtpy_units"]}


def record(words: str, *values: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(milter_log.name, level, "", 0, words, values, None)


@pytest.mark.parametrize(
    ("said", "level", "queue_id"),
    [
        (record("%s: from=<%s> why=%r", "4bQy7x1JqVz2Rk", "ann@a.example", "exact alias"), "INFO", "4bQy7x1JqVz2Rk"),
        (record("NOQUEUE: tempfail to=<%s>", "ann@a.example", level=logging.WARNING), "WARNING", "NOQUEUE"),
        (record("ready: %d workers on %s", 2, "unix:/run/smtpy/milter.sock"), "INFO", None),
        (record("duty=%r failed", "back up", level=logging.ERROR), "ERROR", None),
    ],
    ids=str,
)
def test_our_lines_are_read_as_text(said: logging.LogRecord, level: str, queue_id: str | None) -> None:
    line = Line(FORM.format(process="milter")).format(said)
    found = re2.match(OURS, line)
    assert found.groupdict() == {"time": line[:24], "level": level, "process": "milter", "queue_id": queue_id}


def test_our_lines_are_read_as_json() -> None:
    told = json.loads(JsonLine("milter").format(record("%s: from=<%s>", "4bQy7x1JqVz2Rk", "ann@a.example")))
    for name in ("time", "level", "process", "queue_id"):
        assert told[name]
        assert f"told.{name}" in VECTOR["transforms"]["smtpy_lines"]["source"]
        assert re.search(rf'stage\.json \{{[^}}]*\b{name} = ""', ALLOY)


def test_postfix_lines_are_read() -> None:
    found = [re2.search(POSTFIX, line) for line in REAL.splitlines()]
    assert all(found)
    assert {each["process"] for each in found} >= {"smtpd", "cleanup", "qmgr", "smtp"}
    named = {each["queue_id"] for each in found if each["queue_id"]}
    assert named
    assert all(re.fullmatch(r"NOQUEUE|[0-9A-Za-z]{6,}", each) for each in named)


def test_both_read_with_the_same_expressions() -> None:
    assert re.findall(r"expression = `(.*)`", ALLOY) == [OURS, POSTFIX]


def test_both_take_the_logs_of_a_host_that_ansible_made() -> None:
    log = DEFAULTS["smtpy_base_settings"]["postfix_log"]
    assert VECTOR["sources"]["postfix"]["include"] == [log]
    (unit,) = re.findall(r'regex\s+= "(.*)"', ALLOY)
    assert all(re2.fullmatch(unit.replace(r"\\", "\\"), f"{each}.service") for each in UNITS)
    assert f'__path__ = "{log}"' in ALLOY


def test_each_part_leads_to_one_that_is_there() -> None:
    parts = {*VECTOR["sources"], *VECTOR["transforms"]}
    asked = [name for kind in ("transforms", "sinks") for part in VECTOR[kind].values() for name in part["inputs"]]
    assert sorted(asked) == sorted(parts)
    made = {".".join(each) for each in re.findall(r'^([\w.]+) "(\w+)" \{', ALLOY, re.M)}
    assert {each.rpartition(".")[0] for each in re.findall(r"loki\.\w+\.\w+\.(?:receiver|rules)", ALLOY)} < made
    assert (ALLOY.count("{") - ALLOY.count("}"), ALLOY.count("[") - ALLOY.count("]")) == (0, 0)

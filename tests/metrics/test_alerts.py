"""The alert rules in Prometheus' own hands (promtool): each rings when it must, when it must, and no other does then.

Series are written as promtool has them: a value a minute, from minute 0 on; `a+bxn` is a, and n times b more. An N is
for as long as the case lasts.
"""

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.metrics.test_pages import ALERTS, PANELS, ROOT

RULES = ROOT / "monitoring" / "alerts.yml"
ONE, TWO = 'instance="mx1:9925"', 'instance="mx2:9925"'
DOWN = f"up{{{ONE},job='smtpy'}}"
DAY = 24 * 60
MINUTES = {"m": 1, "h": 60, "d": DAY}


def doctor(subject: str) -> str:
    """The series of that subject."""
    return f"smtpy_doctor{{{ONE},subject='{subject}'}}"


def events(kind: str, instance: str = ONE) -> str:
    """The series of that kind of event."""
    return f"smtpy_mail_events_total{{{instance},kind='{kind}'}}"


def decided(le: str, instance: str = ONE) -> str:
    """The series of decisions that took as long as that at most."""
    return f"smtpy_decision_seconds_bucket{{{instance},le='{le}',stage='front'}}"


def dns(status: str, instance: str = ONE) -> str:
    """The series of records of one kind in that state."""
    return f"smtpy_dns_records{{{instance},kind='mx',status='{status}'}}"


DATABASE, LOOKED = f"smtpy_database_up{{{ONE}}}", f"smtpy_doctor_looked_seconds{{{ONE}}}"
STALE = f"smtpy_directory_answers_total{{{ONE},process='lookup',pid='7',source='stale'}}"
WATCHING = f"smtpy_directory_watching{{{ONE},process='lookup',pid='7'}}"
LOST = f"smtpy_journal_lost_total{{{ONE},process='milter',pid='8'}}"
PUT_OFF = f"smtpy_put_off_total{{{ONE},process='policy',pid='7'}}"
FAILED = f"smtpy_web_requests_total{{{ONE},endpoint='home.dashboard',pid='9',status='500'}}"
REFUSED = f"smtpy_web_sign_ins_refused_total{{{ONE},pid='9',way='password'}}"
DONE, UNDONE = (f"smtpy_duties_total{{{ONE},duty='back_up',outcome='{how}',pid='5'}}" for how in ("done", "failed"))
WAITING = f"smtpy_queue_waiting{{{ONE},longer_than='43200'}}"

WELL = {
    DOWN: "1xN",
    DATABASE: "1xN",
    LOOKED: "0+60xN",
    **{doctor(subject): "0xN" for subject in ("lookup", "policy", "milter", "database", "dns", "queue")},
    STALE: "3xN",
    WATCHING: "1xN",
    LOST: "2xN",
    PUT_OFF: "3xN",
    FAILED: "2xN",
    REFUSED: "0+3xN",
    DONE: "0+1xN",
    UNDONE: "0+1xN",
    WAITING: "10xN",
    **{events(kind, host): f"0+{n}xN" for host in (ONE, TWO) for kind, n in (("sent", 10), ("bounced", 1))},
    **{decided(le, host): f"0+{n}xN" for host in (ONE, TWO) for le, n in (("2.5", 100), ("+Inf", 104))},
    **{dns(status, host): "0xN" for host in (ONE, TWO) for status in ("ok", "missing", "wrong")},
}


class Case(NamedTuple):
    """`series` are not as in WELL; None: they are not there. `rings`: by minute, what does then, and nothing else."""

    what: str
    series: dict[str, str | None]
    rings: dict[int, set[str]]


CASES = [
    Case("all is well", {}, {5: set(), 90: set()}),
    Case("metrics away", {DOWN: "1x9 0x30"}, {14: set(), 16: {"SmtpyUnwatched"}}),
    Case("metrics never there", dict.fromkeys(WELL), {4: set(), 6: {"SmtpyUnwatched"}}),
    Case("no look of the doctor", {LOOKED: "0x60"}, {15: set(), 17: {"SmtpyUnwatched"}}),
    Case("database away", {DATABASE: "1x9 0x30"}, {11: set(), 13: {"SmtpyDatabaseAway"}}),
    Case("database away for a moment", {DATABASE: "1x9 0 1x30"}, {11: set(), 13: set()}),
    *(
        Case(f"{name} away", {doctor(name): "0x9 2x30"}, {11: set(), 13: {"SmtpyServiceAway"}})
        for name in ("lookup", "policy", "milter")
    ),
    Case("something wrong", {doctor("queue"): "0x9 2x80"}, {19: set(), 21: {"SmtpyError"}, 80: {"SmtpyError"}}),
    Case("the doctor on the database", {doctor("database"): "2x90"}, {80: set()}),  # SmtpyDatabaseAway rings for it
    Case("something to see to", {doctor("dns"): "0x9 1x90"}, {69: set(), 71: {"SmtpyWarning"}}),
    Case("answers from memory", {STALE: "3x9 4+1x30"}, {12: set(), 17: {"SmtpyStale"}}),
    Case("changes are not seen", {WATCHING: "1x9 0x30"}, {14: set(), 16: {"SmtpyStale"}}),
    Case("a dozen is put off", {PUT_OFF: "3x9 15x30"}, {9: set(), 12: {"SmtpyPutOff"}, 30: set()}),
    Case("journal rows lost", {LOST: "2x9 3x30"}, {9: set(), 11: {"SmtpyJournalLost"}, 30: set()}),
    Case("one in 25 is slow", {decided("2.5"): "0+100x90"}, {80: set()}),
    Case(
        "one in ten is slow",
        {decided(le, host): f"0+{n}x90" for host in (ONE, TWO) for le, n in (("2.5", 90), ("5.0", 95), ("+Inf", 100))},
        {9: set(), 21: {"SmtpySlow"}},
    ),
    Case("eleven wait", {WAITING: "10x9 11x60"}, {39: set(), 41: {"SmtpyQueueOld"}}),
    Case("a third bounces", {events("bounced", host): "0+5x90" for host in (ONE, TWO)}, {80: {"SmtpyBounces"}}),
    Case(
        "a third of very little bounces",
        {
            events(kind, host): f"{first}x40 {first + more}x50"
            for host in (ONE, TWO)
            for kind, first, more in (("sent", 5, 30), ("bounced", 0, 15))
        },
        {80: set()},
    ),
    Case("a duty fails each time", {DONE: "9xN", UNDONE: "0x9 1+1xN"}, {9: set(), 20: {"SmtpyDutyFails"}}),
    Case("four pages go wrong", {FAILED: "2x9 6xN"}, {9: set(), 11: {"SmtpyPages"}, 40: set()}),
    Case("four tries a minute fail", {REFUSED: "0+4xN"}, {25: set(), 60: {"SmtpyGuessing"}, 70: {"SmtpyGuessing"}}),
    Case(
        "a record is missing at first, then wrong",
        {dns("missing"): "0x9 3x800 0xN", dns("wrong", TWO): "0x800 1xN"},
        {DAY + 9: set(), DAY + 11: {"SmtpyDns"}},
    ),
]
SAID = {  # by rule: what is not as in WELL; by whose labels; and then in which words
    "SmtpyUnwatched": (
        {DOWN: "0xN"},
        {"instance": "mx1:9925", "job": "smtpy"},
        "smtpy metrics on mx1:9925 does not answer, or looks at nothing any more",
    ),
    "SmtpyServiceAway": (
        {doctor("milter"): "2xN"},
        {"instance": "mx1:9925", "subject": "milter"},
        "milter on mx1:9925 does not answer; mail is put off",
    ),
    "SmtpyError": (
        {doctor("queue"): "2xN"},
        {"instance": "mx1:9925", "subject": "queue"},
        "queue on mx1:9925 is wrong",
    ),
    "SmtpyWarning": (
        {doctor("dns"): "1xN"},
        {"instance": "mx1:9925", "subject": "dns"},
        "dns on mx1:9925 needs care",
    ),
    "SmtpyPutOff": (
        {PUT_OFF: "0+9xN"},
        {"instance": "mx1:9925"},
        "Services on mx1:9925 put mail off, since the directory does not tell or something fails",
    ),
    "SmtpyStale": (
        {STALE: "0+1xN"},
        {"instance": "mx1:9925"},
        "Services on mx1:9925 answer from memory, because the database does not",
    ),
    "SmtpyJournalLost": (
        {LOST: "0+1xN"},
        {"instance": "mx1:9925"},
        "The database does not take the journal in time on mx1:9925; rows are lost, mail is not",
    ),
    "SmtpyQueueOld": (
        {WAITING: "11xN"},
        {"instance": "mx1:9925", "longer_than": "43200"},
        "11 messages on mx1:9925 have waited for more than twelve hours",
    ),
    "SmtpyDutyFails": (
        {DONE: "9xN", UNDONE: "0+9xN"},
        {"duty": "back_up"},
        "The worker fails to back_up, each time; its log says why",
    ),
    "SmtpyPages": (
        {FAILED: "0+300xN"},
        {"instance": "mx1:9925"},
        "Pages on mx1:9925 went wrong 600 times; the log of the web process says why",
    ),
    "SmtpyGuessing": (
        {REFUSED: "0+300xN"},
        {"instance": "mx1:9925"},
        "600 tries to sign in on mx1:9925 failed within an hour: somebody guesses",
    ),
    "SmtpyDns": ({dns("missing"): "3xN"}, {"kind": "mx"}, "3 domains lack a right mx record"),
}


def promtool(*arguments: str) -> tuple[int, str]:
    """Its status, and all that it says."""
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def as_test(case: Case) -> dict[str, object]:
    """The case as promtool reads it."""
    end = max(case.rings)
    beside = WELL if end < DAY else {name: WELL[name] for name in (DOWN, LOOKED)}  # a day of them all takes seconds
    series = {name: values.replace("N", str(end)) for name, values in {**beside, **case.series}.items() if values}
    return {
        "name": case.what,
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(rings)],
            }
            for minute, rings in case.rings.items()
        ],
    }


def judged(path: Path, *cases: dict[str, object]) -> tuple[int, str]:
    """What promtool says of them; JSON is YAML, too."""
    path.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": cases}))
    return promtool("test", "rules", str(path))


def test_rules_ring_when_they_must_and_no_other_does(tmp_path: Path) -> None:
    status, said = judged(tmp_path / "tests.yml", *map(as_test, CASES))
    assert status == 0, said


@pytest.mark.parametrize("instead", [set(), {"SmtpyDns"}, {"SmtpyUnwatched", "SmtpyDns"}], ids=str)
def test_another_ring_than_expected_is_found(tmp_path: Path, instead: set[str]) -> None:
    status, said = judged(tmp_path / "tests.yml", as_test(CASES[1]._replace(rings={16: instead})))
    assert (status, "FAILED" in said) == (1, True)


def test_every_rule_rings_in_some_case_and_is_silent_at_first() -> None:
    ringing = set().union(*(rings for case in CASES for rings in case.rings.values()))
    assert ringing == {str(alert["alert"]) for alert in ALERTS}
    waits = {name for case in CASES for now, then in pairwise(case.rings.values()) if not now for name in then}
    assert waits >= ringing - {"SmtpyBounces"}


@pytest.mark.parametrize("alert", SAID)
def test_what_is_said_names_who_and_how_many(tmp_path: Path, alert: str) -> None:
    changed, labels, words = SAID[alert]
    (rule,) = [each for each in ALERTS if each["alert"] == alert]
    expected = {
        "exp_labels": {"severity": rule["labels"]["severity"], **labels},
        "exp_annotations": {"summary": words, "see": rule["annotations"]["see"]},
    }
    minutes = 2 + int(rule.get("for", "0m")[:-1]) * MINUTES[rule.get("for", "0m")[-1]]
    case = as_test(Case(alert, changed, {minutes: set()}))
    asked = {"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": [expected]}
    status, said = judged(tmp_path / "tests.yml", {**case, "promql_expr_test": [], "alert_rule_test": [asked]})
    assert status == 0, said


def test_every_rule_with_places_to_fill_is_among_these() -> None:
    assert SAID.keys() == {alert["alert"] for alert in ALERTS if "{{" in alert["annotations"]["summary"]}


def test_rules_and_queries_of_the_dashboard_are_promql(tmp_path: Path) -> None:
    assert promtool("check", "rules", "--lint-fatal", str(RULES))[0] == 0
    queries = [query.replace("$__rate_interval", "1m") for panel in PANELS.values() for query in panel]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    board = tmp_path / "board.yml"
    board.write_text(json.dumps({"groups": [{"name": "board", "rules": rules}]}))
    status, said = promtool("check", "rules", "--lint-fatal", str(board))
    assert (status, f"{len(queries)} rules found" in said) == (0, True), said

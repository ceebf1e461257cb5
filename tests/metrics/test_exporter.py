"""What a visit is told: each row once, on both databases, and nothing about anybody."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, delete, text

from smtpy.config import Settings
from smtpy.metrics.server import Doctor, Exporter
from smtpy.metrics.table import METRICS, REFUSED
from smtpy.metrics.tally import MAX_REASONS, OTHER, reason
from smtpy.store import bounce_counting, counting
from smtpy.store.checks import DomainCheck
from smtpy.store.records import JournalRow
from tests.store.test_bounce_counting import LATER, happen
from tests.store.test_counting import put
from tests.store.test_journal import delivery, entry
from tests.store.town import NOW
from web.figures import Figures

Samples = dict[tuple[str, ...], float]


def told(exporter: Exporter) -> bytes:
    """What a visit is told, as it is."""
    registry = CollectorRegistry()
    registry.register(exporter)
    return generate_latest(registry)


def visit(exporter: Exporter) -> Samples:
    """(name, label value, ...): number; labels in alphabetical order, as they are told."""
    families = text_string_to_metric_families(told(exporter).decode())
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def counted(engine: Engine) -> None:
    """The worker has counted all that is there."""
    counting.count(engine)
    bounce_counting.count(engine, LATER)


def of(samples: Samples, name: str) -> Samples:
    return {labels[1:]: value for labels, value in samples.items() if labels[0] == name}


def test_messages_and_recipients_are_counted_once(engine: Engine, exporter: Exporter) -> None:
    put(
        engine,
        entry(1, delivery(why="exact alias"), delivery("b@our.example", why="exact alias"), dmarc="pass", micros=3000),
        entry(2, delivery(decision="refuse", why="alias is switched off"), verdict="refuse", stage="rcpt", micros=20),
    )
    assert of(visit(exporter), "smtpy_messages_total") == {}  # another row may still come before them
    counted(engine)
    for _ in range(2):
        samples = visit(exporter)
        assert of(samples, "smtpy_messages_total") == {("front", "accept"): 1, ("rcpt", "refuse"): 1}
        assert of(samples, "smtpy_recipients_total") == {
            ("forward", "exact alias"): 2,
            ("refuse", "alias is switched off"): 1,
        }
        assert of(samples, "smtpy_authentication_total") == {("dmarc", "pass"): 1}
    buckets = of(samples, "smtpy_decision_seconds_bucket")
    assert (buckets["0.0025", "front"], buckets["0.005", "front"], buckets["+Inf", "front"]) == (0, 1, 1)
    assert of(samples, "smtpy_decision_seconds_sum") == {("front",): 0.003, ("rcpt",): 0.00002}


def test_what_was_there_before_is_not_counted(engine: Engine, settings: Settings, doctor: Doctor) -> None:
    put(engine, entry(1, delivery()))
    counted(engine)
    later = Exporter(settings, doctor)
    put(engine, entry(2, delivery()))
    counted(engine)
    assert of(visit(later), "smtpy_messages_total") == {("front", "accept"): 1}
    later.close()


def test_numbers_that_are_given_again_are_counted_again(engine: Engine, exporter: Exporter) -> None:
    """SQLite gives them again when the last rows are gone."""
    for _ in range(2):
        put(engine, entry(1, delivery()))
        counted(engine)
        before = visit(exporter)
        with engine.begin() as connection:
            connection.execute(delete(JournalRow))
        counted(engine)
        visit(exporter)
    assert of(before, "smtpy_messages_total") == {("front", "accept"): 2}


def test_what_the_log_told(engine: Engine, exporter: Exporter) -> None:
    for kind, delay in (("queued", None), ("deferred", 3.0), ("sent", 4.0), ("sent", 50.0), ("bounced", 1.0)):
        happen(engine, kind=kind, delay=delay)
    counted(engine)
    samples = visit(exporter)
    told = {("queued",): 1, ("deferred",): 1, ("sent",): 2, ("bounced",): 1, ("gave up",): 0, ("dropped",): 0}
    assert of(samples, "smtpy_mail_events_total") == told
    assert of(samples, "smtpy_delivery_seconds_count") == {(): 2}
    assert of(samples, "smtpy_delivery_seconds_sum") == {(): 54}


def test_records_and_findings(engine: Engine, exporter: Exporter, doctor: Doctor) -> None:
    row: dict[str, Any] = {"name": "", "required": True, "expected": "", "found": [], "todo": "", "checked_at": NOW}
    with engine.begin() as connection:
        for subject, kind, status in (
            ("a.example", "mx", "ok"),
            ("b.example", "mx", "ok"),
            ("a.example", "spf", "wrong"),
        ):
            values = {"subject": subject, "kind": kind, "status": status, "failures": 0}
            connection.execute(DomainCheck.__table__.insert().values(**row, **values))  # type: ignore[attr-defined]
    assert of(visit(exporter), "smtpy_doctor") == {}
    doctor.look()
    samples = visit(exporter)
    assert of(samples, "smtpy_dns_records") == {("mx", "ok"): 2, ("spf", "wrong"): 1}
    assert of(samples, "smtpy_doctor") == {("database",): 0, ("dns",): 1, ("milter",): 2}
    assert samples["smtpy_database_up",] == 1


def test_a_database_that_is_away_silences_no_visit(
    engine: Engine, exporter: Exporter, settings: Settings, doctor: Doctor
) -> None:
    put(engine, entry(1, delivery()))
    counted(engine)
    visit(exporter)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE journal_positions RENAME TO elsewhere"))
    begun_without = Exporter(settings, doctor)
    for each in (exporter, begun_without):
        assert visit(each)["smtpy_database_up",] == 0
    begun_without.close()
    assert of(visit(exporter), "smtpy_messages_total") == {("front", "accept"): 1}


def test_reasons_are_few(engine: Engine, exporter: Exporter) -> None:
    put(
        engine,
        entry(1, *(delivery(f"{number}@our.example", why=f"rule {number}") for number in range(MAX_REASONS + 5))),
    )
    counted(engine)
    reasons = of(visit(exporter), "smtpy_recipients_total")
    assert len(reasons) == MAX_REASONS + 1
    assert reasons["forward", OTHER] == 5


REASONS = {
    "exact alias; From is rewritten, since DMARC would fail at the mailbox otherwise": "exact alias",
    "2001 octets, the domain takes 2000": "too large",
    "alias expired at 2020-01-01 00:00 UTC": "alias expired",
    "DMARC fails; bank.example asks to reject": "DMARC fails",
    "DNS does not tell whether this is from bank.example": "DNS does not tell",
    "no way for bob@a.example": "no way for *",
    "more than 30 hops": "more than 30 hops",
}


@pytest.mark.parametrize(("why", "short"), REASONS.items(), ids=list(REASONS))
def test_a_reason_tells_of_no_message(why: str, short: str) -> None:
    assert reason(why) == short


def test_what_processes_tell_of_themselves(exporter: Exporter, tmp_path: Path) -> None:
    counted = {"memory": 7, "database": 2, "stale": 1}
    memory = {**{f"answers {source}": number for source, number in counted.items()}, "watching": True}
    (tmp_path / "lookup.12.pulse").write_text(json.dumps({**memory, "put_off": 5}))
    (tmp_path / "policy.23.pulse").write_text(json.dumps({"put_off": 6, "undeclared 5.1.1": 8}))
    (tmp_path / "milter.34.pulse").write_text(json.dumps({**memory, "watching": False, "lost": 3, "waiting": 4}))
    samples = visit(exporter)
    assert of(samples, "smtpy_directory_answers_total") == {
        (pid, process, source): counted[source]
        for pid, process in (("12", "lookup"), ("34", "milter"))
        for source in ("memory", "database", "stale")
    }
    assert of(samples, "smtpy_directory_watching") == {("12", "lookup"): 1, ("34", "milter"): 0}
    assert of(samples, "smtpy_journal_lost_total") == {("34", "milter"): 3}
    assert of(samples, "smtpy_journal_waiting") == {("34", "milter"): 4}
    assert of(samples, "smtpy_put_off_total") == {("12", "lookup"): 5, ("23", "policy"): 6}
    assert of(samples, "smtpy_undeclared_total") == {("23", "5.1.1"): 8}


def test_what_the_pages_tell_of_themselves(exporter: Exporter, tmp_path: Path) -> None:
    for pid in ("56", "78"):
        figures = Figures()
        for endpoint, status, seconds in (("home.dashboard", 200, 0.02), ("none", 404, 0.3), ("static", 304, None)):
            figures.answered(endpoint, status, seconds)
        figures.add("refused code")
        (tmp_path / f"web.{pid}.pulse").write_text(json.dumps(figures.told()))
    samples = visit(exporter)
    answered = (("home.dashboard", "200"), ("none", "404"), ("static", "304"))
    assert of(samples, "smtpy_web_requests_total") == {
        (endpoint, pid, status): 1 for pid in ("56", "78") for endpoint, status in answered
    }
    refused = {("56", "password"): 0, ("56", "code"): 1, ("56", "passkey"): 0}
    assert {labels: number for labels, number in of(samples, REFUSED.name).items() if "56" in labels} == refused
    buckets = of(samples, "smtpy_web_answer_seconds_bucket")
    assert [buckets[edge, "78"] for edge in ("0.01", "0.025", "0.25", "0.5", "+Inf")] == [0, 1, 1, 2, 2]
    assert samples["smtpy_web_answer_seconds_sum", "78"] == pytest.approx(0.32)
    assert of(samples, "smtpy_directory_answers_total") == {}


def test_every_metric_is_in_the_table(engine: Engine, exporter: Exporter, doctor: Doctor) -> None:
    doctor.look()
    exporter._helper = Waiting()  # type: ignore[assignment]
    families = {family.name: family.type for family in exporter.collect()}
    assert families == {each.name.removesuffix("_total"): each.kind for each in METRICS}
    assert of(visit(exporter), "smtpy_queue_waiting")["86400",] == 3
    queues = {("incoming",): 0, ("active",): 0, ("deferred",): 4, ("hold",): 0}
    assert of(visit(exporter), "smtpy_queue_messages") == queues
    judged = subprocess.run(["promtool", "check", "metrics"], input=told(exporter), capture_output=True, check=False)
    assert (judged.returncode, judged.stderr) == (0, b"")


class Waiting:
    """A queue helper of a queue in which three messages are older than a day, one of them older than three."""

    def ask(self, _request: object) -> Any:
        from smtpy.queue.protocol import Listing

        return Listing(4, 4, {"deferred": 4}, (1, 0, 0, 0, 0, 2, 1), ())

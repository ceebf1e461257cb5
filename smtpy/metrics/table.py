"""Every metric: name, kind, labels and what it means. docs/metrics.md is compared with this."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """`name` as Prometheus shows it; a histogram's has `_bucket`, `_sum` and `_count` behind it. `edges` in seconds."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()


MESSAGES = Metric(
    "smtpy_messages_total",
    "counter",
    "Messages decided about: at RCPT TO (rcpt, refusals only), at their end (front), in the second pass (split).",
    ("stage", "verdict"),
)
RECIPIENTS = Metric(
    "smtpy_recipients_total",
    "counter",
    "Recipients decided about, and why: as `smtpy log` says it, without what differs from message to message.",
    ("decision", "reason"),
)
DECIDING = Metric(
    "smtpy_decision_seconds",
    "histogram",
    "Time from the end of a message to its answer, waiting for DNS and the database included; for rcpt, of policy.",
    ("stage",),
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
AUTHENTICATED = Metric(
    "smtpy_authentication_total",
    "counter",
    "What SPF, DKIM, DMARC and ARC said of messages from outside.",
    ("method", "result"),
)
EVENTS = Metric(
    "smtpy_mail_events_total",
    "counter",
    "What Postfix's log told: attempts by how they ended (sent, deferred, bounced ...), and what befell messages.",
    ("kind",),
)
DELIVERING = Metric(
    "smtpy_delivery_seconds",
    "histogram",
    "Time from the arrival of a message to the delivery of a copy (sent).",
    (),
    (1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400),
)
ANSWERS = Metric(
    "smtpy_directory_answers_total",
    "counter",
    "Answers about addresses and domains, from memory, from the database, or stale: from memory because it was away.",
    ("process", "pid", "source"),
)
WATCHING = Metric(
    "smtpy_directory_watching",
    "gauge",
    "Whether the process sees changes of the directory now; if not, its memory may be behind.",
    ("process", "pid"),
)
LOST = Metric(
    "smtpy_journal_lost_total",
    "counter",
    "Journal rows given up, because the database did not take them in time.",
    ("process", "pid"),
)
UNWRITTEN = Metric("smtpy_journal_waiting", "gauge", "Journal rows that wait to be written.", ("process", "pid"))
PUT_OFF = Metric(
    "smtpy_put_off_total",
    "counter",
    "Questions of Postfix answered by 451, because the directory did not tell, or something went wrong.",
    ("process", "pid"),
)
UNDECLARED = Metric(
    "smtpy_undeclared_total",
    "counter",
    "Recipients refused that nobody has declared, who leave no row in the journal; 5.1.1 are those who guess.",
    ("pid", "status"),
)
REQUESTS = Metric(
    "smtpy_web_requests_total",
    "counter",
    "Requests that the web pages answered, by page and status; 429 is one too many, 503 a database that is away.",
    ("pid", "endpoint", "status"),
)
ANSWERING = Metric(
    "smtpy_web_answer_seconds",
    "histogram",
    "Time to the answer of a web page, those for machines left out.",
    ("pid",),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED = Metric(
    "smtpy_web_sign_ins_refused_total",
    "counter",
    "Tries to show who one is that failed: by password, code or passkey.",
    ("pid", "way"),
)
DUTIES = Metric(
    "smtpy_duties_total",
    "counter",
    "Rounds of the worker's duties, by how they ended: done, or failed, as while the database is away.",
    ("pid", "duty", "outcome"),
)
DATABASE = Metric(
    "smtpy_database_up", "gauge", "Whether the database answered this visit; if not, counters stand still."
)
DNS = Metric(
    "smtpy_dns_records",
    "gauge",
    "Records that checks of DNS found in that state (ok, warning, unknown, missing, wrong), those of all domains.",
    ("kind", "status"),
)
QUEUE = Metric(
    "smtpy_queue_messages",
    "gauge",
    "Messages in Postfix's queue, by its own names of queues; needs the queue helper.",
    ("queue",),
)
WAITING = Metric(
    "smtpy_queue_waiting",
    "gauge",
    "Messages in Postfix's queue that have waited for longer than that many seconds; needs the queue helper.",
    ("longer_than",),
)
DOCTOR = Metric(
    "smtpy_doctor",
    "gauge",
    "The worst that `smtpy doctor` finds about a subject: 0 nothing, 1 a warning, 2 an error.",
    ("subject",),
)
LOOKED = Metric("smtpy_doctor_looked_seconds", "gauge", "When it looked last, in seconds since 1970.")

METRICS = (
    *(MESSAGES, RECIPIENTS, DECIDING, AUTHENTICATED, EVENTS, DELIVERING),
    *(ANSWERS, WATCHING, LOST, UNWRITTEN, PUT_OFF, UNDECLARED, REQUESTS, ANSWERING, REFUSED, DUTIES),
    *(DATABASE, DNS, QUEUE, WAITING, DOCTOR, LOOKED),
)

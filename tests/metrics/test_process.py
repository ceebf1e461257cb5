"""`smtpy metrics` beside a whole SMTPy: a message that is sent, refused and delivered is counted, and so is a page."""

import os
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.stand import SERVICES, StandFactory
from tests.waiting import free_ports, until

ANSWERS = "smtpy_directory_answers_total"
LETTER = b"From: alice@sender.example\r\nSubject: one\r\n\r\nHello\r\n"


Series = dict[tuple[str, ...], float]


def visitor(port: int) -> Callable[[], Series]:
    """What is told at that port, by name and labels."""

    def visit() -> Series:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        told = answer.read().decode()
        connection.close()
        assert answer.status == 200, told
        families = text_string_to_metric_families(told)
        return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}

    return visit


def _answers(series: Series, process: str) -> float:
    return sum(number for labels, number in series.items() if labels[0] == ANSWERS and process in labels)


def test_mail_is_counted_and_the_process_ends(own_stand: StandFactory) -> None:
    (port,) = free_ports(1)
    stand = own_stand(
        (*SERVICES, "worker", "web", "metrics"), settings={"SMTPY_METRICS_LISTEN": f"inet:127.0.0.1:{port}"}
    )
    visit = visitor(port)
    assert visit()["smtpy_database_up",] == 1
    page = urlopen(f"{stand.origin}/auth/sign-in", timeout=30)  # noqa: S310 - ours
    page.close()
    stand.declare("sales@our.example", "ann@inbox.example")
    assert stand.send("alice@sender.example", ["sales@our.example"], LETTER).accepted
    stand.cli("alias", "off", "sales@our.example")
    letter = ("alice@sender.example", ["sales@our.example"], LETTER)
    # Who hears of it first, lookup, policy or milter, says no at first; only policy says 5.2.1 to RCPT.
    until(lambda: stand.send(*letter).rcpt[0].status == "5.2.1", "refused by policy")
    expected = {
        ("smtpy_recipients_total", "forward", "exact alias"),
        ("smtpy_recipients_total", "refuse", "alias is switched off"),
        ("smtpy_messages_total", "front", "accept"),
        ("smtpy_messages_total", "rcpt", "refuse"),
    }
    until(lambda: visit().keys() >= expected, "decisions counted", timeout=30)
    until(lambda: visit()["smtpy_mail_events_total", "sent"] >= 1, "delivery counted", timeout=60)
    until(lambda: visit().get(("smtpy_doctor", "lookup")) == 0, "a look of the doctor", timeout=40)
    for process in SERVICES:
        until(lambda process=process: _answers(visit(), process) > 0, f"answers of {process} counted")
    counted = ("smtpy_duties_total", "count_journal", "done", str(stand.pid("worker")))
    until(lambda: visit().get(counted, 0) > 0, "a duty counted")
    (pid,) = stand.workers("web")
    until(lambda: visit().get(("smtpy_web_requests_total", "signing.sign_in", str(pid), "200")) == 1, "page counted")
    for process, series in (("milter", ANSWERS), ("web", "smtpy_web_requests_total")):
        stand.stop(process)
        assert not [labels for labels in visit() if labels[0] == series and {process, str(pid)} & set(labels)]
        assert list((stand.folder / "run").glob(f"{process}.*")) == []
    assert stand.stop("metrics") == os.EX_OK

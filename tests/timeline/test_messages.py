"""A message's timeline on a real Postfix: whatever can become of it is told, through both passes."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stand import SMTPY
from tests.timeline.conftest import FULL, LATER, PATIENCE, SENDER, Place
from tests.waiting import until

ANN, BEN = "ann@inbox.example", "ben@inbox.example"


def kinds(found: dict[str, Any], way: str = "front") -> list[str]:
    return [each["kind"] for each in found["steps"] if each["way"] == way]


def test_delivered(place: Place) -> None:
    name = place.send("team@our.example")
    found = place.becomes(name, {("team@our.example", ANN): "delivered", ("team@our.example", BEN): "delivered"})
    until(lambda: kinds(place.log(name)[0])[-1] == "finished", "finished", PATIENCE)
    [found] = place.log(name)
    assert found["state"] == "delivered"
    assert kinds(found) == [
        *("received", "verdicts", "decided", "signed", "queued", "delivered", "delivered", "finished")
    ]
    assert {each["words"] for each in found["ends"]} == {"250 2.0.0 Ok: kept"}
    for about in (found["queue_id"], f"<{name}>", found["uuid"]):
        assert place.log(about) == [found], about
    assert found in place.log("team@our.example")
    assert found in place.log(ANN)


def test_the_tutorial_shows_it_as_it_is(place: Place) -> None:
    """The same fields and the same steps, whatever their values."""
    page = Path(__file__).parents[2] / "docs" / "tutorial.md"
    [shown] = [text for text in re.findall(r"^```text\n(.*?)^```", page.read_text(), re.M | re.S) if "finished" in text]
    name = place.send("ann@our.example")
    until(lambda: place.log(name) and kinds(place.log(name)[0])[-1:] == ["finished"], "finished", PATIENCE)
    told = place.stand.cli("log", f"<{name}>").stdout
    for shape in (r"\b([a-z]+)=", r"^(?: {4}(\S+?)[ =]| {6}\S+ (\w+))"):
        assert re.findall(shape, told, re.M) == re.findall(shape, shown, re.M)


def test_deferred_with_the_words_then_delivered(place: Place) -> None:
    place.stand.declare("nap@our.example", "nap@inbox.example")
    place.stand.inbox.replies["nap@inbox.example"] = LATER
    name, to = place.send("nap@our.example"), ("nap@our.example", "nap@inbox.example")
    found = place.becomes(name, {to: "deferred"})
    [end] = found["ends"]
    assert LATER in end["words"]
    assert end["dsn"] == "4.2.0"
    del place.stand.inbox.replies["nap@inbox.example"]
    place.stand.flush()
    found = place.becomes(name, {to: "delivered"})
    assert [each for each in kinds(found) if each in ("deferred", "delivered")] == ["deferred", "delivered"]


def test_bounced_and_returned_to_the_sender(place: Place) -> None:
    name = place.send("full@our.example")
    found = place.becomes(name, {("full@our.example", "full@inbox.example"): "returned"})
    assert FULL in found["ends"][0]["words"]

    def told() -> bool:
        return "delivered" in kinds(place.log(name)[0], "report")

    until(told, "the report is delivered", PATIENCE)
    [report] = [each for each in place.log(name)[0]["steps"] if each["kind"] == "returned"]
    report_id = report["words"].rpartition(" ")[2]
    assert [each["uuid"] for each in place.log(report_id)] == [found["uuid"]]


def test_both_passes_of_a_split_message_and_each_recipients_end(place: Place) -> None:
    name = place.send("ann@our.example", "ben@two.example", "full@two.example", "quiet@our.example")
    found = place.becomes(
        name,
        {
            ("ann@our.example", ANN): "delivered",
            ("ben@two.example", BEN): "delivered",
            ("full@two.example", "full@inbox.example"): "returned",
            ("quiet@our.example", "drop@drop.invalid"): "dropped",
        },
    )
    assert len(found["passes"]) == 3
    assert kinds(found, "split").count("decided") == 3
    for each in found["passes"]:
        assert [one["uuid"] for one in place.log(each["queue_id"])] == [found["uuid"]]


def test_a_refusal_at_rcpt(place: Place) -> None:
    name, data = place.message()
    answers = place.stand.send(SENDER, ["off@our.example", "ann@our.example", "no@our.example"], data)
    assert [each.code for each in answers.rcpt] == [550, 250, 550]
    found = place.becomes(name, {("ann@our.example", ANN): "delivered"})
    assert [each["recipient"] for each in found["steps"] if each["kind"] == "refused"] == ["no@our.example"]

    def refused() -> list[str]:
        return [each["state"] for each in place.log("off@our.example")]

    until(lambda: "refused" in refused(), "the refusal", PATIENCE)


def test_held_by_hand_and_released(place: Place) -> None:
    place.stand.declare("kept@our.example", "kept@inbox.example")
    place.stand.inbox.replies["kept@inbox.example"] = LATER
    name, to = place.send("kept@our.example"), ("kept@our.example", "kept@inbox.example")
    queue_id = place.becomes(name, {to: "deferred"})["queue_id"]
    postsuper = ("postsuper", "-c", str(place.stand.etc))
    place.stand._as_root(*postsuper, "-h", queue_id)
    place.becomes(name, {to: "held"})
    del place.stand.inbox.replies["kept@inbox.example"]
    place.stand.release(queue_id)
    found = place.becomes(name, {to: "delivered"})
    assert [each for each in kinds(found) if each in ("held", "released")] == ["held", "released"]


def test_following_tells_each_step_as_it_comes(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as to:
        command = [SMTPY, "log", "ann@our.example", "-f", "--limit", "1"]
        following = subprocess.Popen(command, env=place.stand.environ, stdout=to, stderr=to)
    try:
        place.send("ann@our.example")
        until(lambda: " finished" in out.read_text(), "followed to the end", PATIENCE)
        queue_id = out.read_text().splitlines()[-1].partition(":")[0]
        steps = [line.split()[3] for line in out.read_text().splitlines() if line.startswith(queue_id)]
        assert steps == ["received", "verdicts", "decided", "signed", "queued", "delivered", "finished"]
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 0
        assert "Traceback" not in out.read_text()
    finally:
        following.kill()
        following.wait()


def test_the_sum_of_all_that_holds(place: Place) -> None:
    """Mail that waits is in the queue; a queue file that vanishes is missing, and named."""
    place.send("later@our.example")
    code, found = place.audit()
    assert (code, found["missing"], found["holds"]) == (0, [], True)
    assert found["counted"]["queued"] >= 1
    assert found["accepted"] == sum(found["counted"].values())
    code, found = place.audit("--since", "2020-01-01T00:00:00Z", "--until", "2020-01-01T01:00:00Z")
    assert (code, found["messages"], found["until"][:16]) == (0, 0, "2020-01-01T01:00")


@pytest.mark.parametrize("in_log", [True, False])
def test_a_queue_file_that_vanished_is_missing(own_place: Place, in_log: bool) -> None:
    if not in_log:
        own_place.stand.kill("worker")
    name = own_place.send("later@our.example")
    until(lambda: own_place.stand.queue() and own_place.log(name), "taken", PATIENCE)
    [waiting] = own_place.stand.queue()
    queue_id = waiting["queue_id"]
    until(lambda: own_place.stand.queue()[0]["queue_name"] == "deferred", "deferred", PATIENCE)
    own_place.stand._as_root("find", str(own_place.stand.etc.parent / "queue"), "-name", queue_id, "-delete")
    code, found = own_place.audit()
    assert code == 1
    assert [(each["queue_id"], each["recipient"]) for each in found["missing"]] == [(queue_id, "later@our.example")]
    text = own_place.stand.cli("audit", "mail", "--postfix", str(own_place.stand.etc.parent))
    assert text.returncode == 1
    assert f"{queue_id} to=<later@our.example> -> later@inbox.example: last known as" in text.stdout


def test_held_by_a_rule_and_released(place: Place) -> None:
    """What an owner has held where DMARC fails waits, with its row, until somebody lets it go."""
    place.stand.zone.names |= {
        "suspect.example": {"TXT": ["v=spf1 -all"]},
        "_dmarc.suspect.example": {"TXT": ["v=DMARC1; p=reject"]},
    }
    place.stand.declare("calm@hold.example", "calm@inbox.example")
    assert place.stand.cli("domain", "set", "hold.example", "--on-reject", "hold").returncode == 0
    name, data = place.message()
    data = data.replace(b"From: alice@sender.example", b"From: alice@suspect.example")

    def taken() -> bool:
        return place.stand.send("alice@suspect.example", ["calm@hold.example"], data).accepted

    until(taken, "the choice is known", PATIENCE)
    to = ("calm@hold.example", "calm@inbox.example")
    queue_id = place.becomes(name, {to: "held"})["queue_id"]
    code, found = place.audit()
    assert (code, found["counted"]["recorded"] >= 1) == (0, True)
    place.stand.release(queue_id)
    found = place.becomes(name, {to: "delivered"})
    assert [each for each in kinds(found) if each in ("held", "released", "delivered")] == [
        "held",
        "released",
        "delivered",
    ]

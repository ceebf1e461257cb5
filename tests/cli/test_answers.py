"""`resolve`, `explain` and `log`: the answers of the functions that decide, told to people."""

import json
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from smtpy.config import load
from smtpy.store.engine import open_engine
from smtpy.store.journal import Delivery, Entry, Journal
from smtpy.terms import srs_of
from tests.cli.conftest import ANN, INBOX, Run
from tests.dns import Zone
from tests.nameserver import Nameserver

MESSAGE = b"From: a@sender.example\r\nSMTPy-Trace: forged\r\nSubject: hello\r\n\r\nSubject: body\r\n"

RESOLVED = {
    "sales@our.example": (os.EX_OK, "forward", "250 2.1.5 Ok", "exact alias"),
    "SALES+x@OUR.example": (os.EX_OK, "forward", "250 2.1.5 Ok", "alias with an extension"),
    "abuse@our.example": (os.EX_OK, "forward", "250 2.1.5 Ok", "abuse of the domain"),
    "postmaster": (os.EX_OK, "forward", "250 2.1.5 Ok", "role of this host"),
    "none@our.example": (os.EX_NOUSER, "refused", "550 5.1.1 No such address here", "no alias"),
    "off@our.example": (os.EX_NOUSER, "refused", "550 5.2.1 This address is switched off", "switched off"),
    "rest@our.example": (os.EX_TEMPFAIL, "refused", "450 4.2.1", "switched off"),
    "drop@our.example": (os.EX_OK, "drop", "250 2.1.5 Ok", "switched off"),
    "past@our.example": (os.EX_NOUSER, "refused", "550 5.2.1 This address has expired", "expired"),
    "a%b@our.example": (os.EX_NOUSER, "refused", "550 5.1.3", "routing characters"),
    "srs0=x@our.example": (os.EX_NOUSER, "refused", "550 5.1.1 This return address is forged", ""),
    "x@elsewhere.example": (os.EX_NOHOST, "foreign", "Postfix decides", "not a domain of ours"),
    "a..b@our.example": (os.EX_NOUSER, "refused", "550 5.1.1 No such address here", "no alias"),
    "<@relay.example:sales@our.example>": (os.EX_OK, "forward", "250 2.1.5 Ok", "exact alias"),
    f"{'a' * 65}@our.example": (os.EX_NOUSER, "refused", "553 5.1.3", "too long"),
    "x@our..example": (os.EX_NOUSER, "malformed", "553 5.1.3", "no address"),
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zone]:
    """The DNS of these tests, which the commands ask."""
    with Nameserver(Zone({})) as server:
        monkeypatch.setenv("SMTPY_DNS_SERVERS", f"{server.host}:{server.port}")
        yield server.zone


@pytest.fixture
def town(house: Run, world: Zone) -> Run:
    for name, words in {
        "off": ("--when-off", "reject"),
        "rest": ("--when-off", "defer"),
        "drop": ("--when-off", "drop"),
        "past": ("--expires", "2020-01-01"),
    }.items():
        assert house("alias", "add", f"{name}@our.example", "--to", INBOX, *words).exit_code == 0
        if name != "past":
            house("alias", "off", f"{name}@our.example")
    house("domain", "add", "second.example", "--owner", ANN)
    house("alias", "add", "other@second.example", "--to", INBOX)
    return house


@pytest.mark.parametrize(("address", "end"), RESOLVED.items(), ids=list(RESOLVED))
def test_resolve(town: Run, address: str, end: tuple[int, str, str, str]) -> None:
    code, resolution, answer, why = end
    done = town("resolve", address, "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["resolution"]) == (code, resolution)
    assert found["answer"].startswith(answer)
    assert why in found["why"]
    assert answer in town("resolve", address).output


def test_resolve_knows_size_and_sender(town: Run) -> None:
    assert json.loads(town("resolve", "sales@our.example", "--size", "99999999", "--json").stdout)["answer"].startswith(
        "552"
    )
    leaving = json.loads(explain(town, "sales@our.example").stdout)["passes"][0]["reverse_path"]
    back = json.loads(town("resolve", leaving, "--json").stdout)
    assert (back["answer"], back["goes_to"]) == ("250 2.1.5 Ok", ["s@sender.example"])
    assert town("resolve", leaving, "--from", "eve@sender.example").exit_code == os.EX_NOUSER


def test_resolve_opens_return_addresses_of_any_length(town: Run, config: Path) -> None:
    """Those that PostSRSd made are as long as they are."""
    sender = f"{'s' * 60}@sender.example"
    day = (datetime.now(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    back = f"{srs_of(load(config, {})).forward(*sender.split('@'), day)}@our.example"
    found = json.loads(town("resolve", back, "--json").stdout)
    assert (found["resolution"], found["answer"], found["goes_to"]) == ("return", "250 2.1.5 Ok", [sender])


def explain(smtpy: Run, *recipients: str, sender: str = "<s@sender.example>", words: tuple[str, ...] = ("--json",)):  # type: ignore[no-untyped-def]
    to = [word for each in recipients for word in ("--to", each)]
    return smtpy("explain", "-", "--from", sender, *to, *words, stdin=MESSAGE)


def test_explain_one_plan_in_place(town: Run) -> None:
    done = explain(town, "<sales@our.example>", "none@our.example")
    found = json.loads(done.stdout)
    assert done.exit_code == os.EX_OK
    assert [said["answer"][:3] for said in found["recipients"]] == ["250", "550"]
    (only,) = found["passes"]
    assert (only["stage"], only["verdict"], only["answer"]) == ("front", "accept", "250 2.0.0 Ok")
    assert only["goes_to"] == [INBOX]
    assert only["reverse_path"].startswith("SRS0=")
    assert [line for line in only["header"] if line[0] == "-"] == ["- SMTPy-Trace: forged"]
    added = [line.split()[1] for line in only["header"] if line[0] == "+" and line[2] != "\t"]
    assert added == ["SMTPy-Trace:", "Authentication-Results:"]
    assert only["signed"] == "no, our.example has no key in use"
    assert "  Subject: hello" in only["header"]
    assert not any("body" in line for line in only["header"])


def test_explain_several_plans_through_the_second_pass(town: Run) -> None:
    found = json.loads(explain(town, "sales@our.example", "other@second.example").stdout)
    front, *copies = found["passes"]
    assert sorted(front["goes_to"]) == ["other=second.example@split.invalid", "sales=our.example@split.invalid"]
    assert front["reverse_path"] == "s@sender.example"
    assert [(each["stage"], each["goes_to"]) for each in copies] == [("split", [INBOX])] * 2
    ways = sorted(each["reverse_path"].rpartition("@")[2] for each in copies)
    assert ways == ["our.example", "second.example"]


def test_explain_ends_where_a_mailbox_leads_back_to_the_second_pass(town: Run, config: Path) -> None:
    """No such mailbox is taken now; an earlier version took it."""
    with sqlite3.connect(config.parent.parent / "state" / "smtpy.db") as database:
        database.execute("UPDATE mailboxes SET address = 'sales=our.example@split.invalid'")
    database.close()
    found = json.loads(explain(town, "sales@our.example", "other@second.example").stdout)
    assert [each["stage"] for each in found["passes"]] == ["front", "split", "split"]


def test_explain_tells_who_vouches_before_and_after(town: Run, world: Zone) -> None:
    world.names |= {
        "sender.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]},
        "_dmarc.sender.example": {"TXT": ["v=DMARC1; p=reject"]},
        "our.example": {"TXT": ["v=spf1 a:mx.our.example -all"]},
        "mx.our.example": {"A": ["203.0.113.1"]},
    }
    for key in json.loads(town("key", "list", "our.example", "--json").stdout):
        world.names[f"{key['selector']}._domainkey.our.example"] = {"TXT": [key["record"]]}
    assert town("key", "use", "our.example", "--now").exit_code == os.EX_OK
    found = json.loads(explain(town, "sales@our.example", words=("--json", "--client", "198.51.100.1")).stdout)
    before = {each["method"]: each["result"] for each in found["authentication"]}
    assert before == {"spf": "pass", "dkim": "none", "arc": "none", "dmarc": "pass"}
    (only,) = found["passes"]
    assert '+ From: "a@sender.example via sales@our.example" <sales@our.example>' in only["header"]
    after = [(each["method"], each["result"]) for each in only["where_it_arrives"]]
    assert after == [("spf", "pass"), ("dkim", "pass"), ("dkim", "pass"), ("arc", "pass"), ("dmarc", "none")]
    forged = json.loads(explain(town, "sales@our.example", words=("--json", "--client", "203.0.113.9")).stdout)
    assert forged["passes"][0]["answer"].startswith("550 5.7.26 ")


def test_explain_drop_and_nobody(town: Run) -> None:
    dropped = json.loads(explain(town, "drop@our.example").stdout)
    assert dropped["passes"][0]["goes_to"] == ["drop@drop.invalid"]
    refused = explain(town, "none@our.example", "rest@our.example")
    assert refused.exit_code == os.EX_NOUSER
    assert json.loads(refused.stdout)["passes"] == []


def test_explain_in_words(town: Run) -> None:
    told = explain(town, "sales@our.example", words=()).stdout.splitlines()
    assert told[:3] == [
        "MAIL FROM:<s@sender.example>",
        "RCPT TO:<sales@our.example>",
        "    250 2.1.5 Ok (exact alias)",
    ]
    assert "end of message, front pass" in told


def test_explain_of_no_file(town: Run) -> None:
    done = town("explain", "/none/at/all.eml", "--to", "sales@our.example")
    assert (done.exit_code, "No such file" in done.output) == (os.EX_USAGE, True)


@pytest.fixture
def entry(house: Run, config: Path) -> Entry:
    """A row of the journal."""
    row = Entry(
        uuid=str(uuid4()),
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        stage="front",
        queue_id="4F2xAbC",
        parent=None,
        client="192.0.2.7",
        reverse_path="s@sender.example",
        message_id="<m1@sender.example>",
        size=1234,
        verdict="accept",
        why="forward: exact alias",
        micros=900,
        recipients=(Delivery("Sales@our.example", "sales@our.example", 1, "forward", (INBOX,), "exact alias"),),
    )
    engine = open_engine(load(config, {}).database_url)
    journal = Journal(engine, every=0.01, buffer=10)
    journal.record_now(row)
    journal.close(timeout=5)
    engine.dispose()
    return row


def test_log_finds_a_message_by_all_its_names(house: Run, entry: Entry) -> None:
    for about in ("4F2xAbC", "<m1@sender.example>", "m1@sender.example", "SALES@our.example", entry.uuid):
        found = json.loads(house("log", about, "--json").stdout)
        assert [each["uuid"] for each in found] == [entry.uuid], about
    text = house("log").output
    for words in ("2026-01-02 03:04:05 4F2xAbC accepted from=<s@sender.example>", f"forward -> {INBOX}: exact alias"):
        assert words in text


def test_log_of_nothing(house: Run, entry: Entry) -> None:
    done = house("log", "none@our.example")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "nothing is recorded about none@our.example\n"
    assert house("log", "--limit", "1").stderr == ""
    assert json.loads(house("log", "--before", "1", "--json").stdout) == []

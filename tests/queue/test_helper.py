"""The queue helper on real Postfix: as a process, through its client, by the command; and those it must not serve."""

import json
import logging
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from unittest.mock import patch

import pytest

from smtpy.config import load
from smtpy.net import Endpoint
from smtpy.queue.client import Helper, NoHelper
from smtpy.queue.postfix import Postfix
from smtpy.queue.protocol import Act, Answer, Done, Letter, Listing, Message, Refused, Request
from smtpy.store.engine import open_engine
from smtpy.worker.duties import Post, purge_held
from tests.cli.conftest import run
from tests.stand import Stand
from tests.waiting import until

NOT_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="another user is made by root")


@pytest.fixture(scope="module")
def house() -> Iterator[Stand]:
    """A whole SMTPy with its helper, whose mail gets no further than the queue."""
    one = Stand(
        postfix=("smtp_tls_security_level = none", "default_transport = smtp:[127.0.0.1]:1", "relayhost =",
                 "smtp_dns_support_level = disabled", "smtp_host_lookup = native")
    )  # fmt: skip
    try:
        one.open()
        one.start("queue")
        one.declare("sales@our.example", "ann@inbox.example")
        yield one
    finally:
        one.close()


@pytest.fixture
def helper(house: Stand) -> Helper:
    return Helper(Endpoint(path=str(house.folder / "run" / "queue.sock")))


def deferred(house: Stand, helper: Helper, subject: str) -> Message:
    """A message that has been tried and waits, as the helper tells it."""
    data = f"Subject: {subject}\r\n\r\nthe body of {subject}\r\n".encode()
    answers = house.send("bob@sender.example", ["sales@our.example"], data, client="127.0.0.1")
    assert answers.accepted
    name = str(answers.data).rpartition(" ")[2]
    return until(lambda: found(helper, name, "deferred"), f"{name} deferred")


def found(helper: Helper, name: str, queue: str) -> Message | None:
    listing = helper.ask(Request(Act.LIST, limit=500))
    assert isinstance(listing, Listing)
    return next((each for each in listing.messages if each.id == name and each.queue == queue), None)


def test_a_deferred_message_is_listed_with_reason_and_age(house: Stand, helper: Helper) -> None:
    before = int(time.time())
    message = deferred(house, helper, "reasons")
    (recipient,) = message.recipients
    assert recipient.address == "ann@inbox.example"
    assert "Connection refused" in recipient.reason
    assert before - 2 <= message.arrived <= time.time()
    listing = helper.ask(Request(Act.LIST, about="connection REFUSED", queue="deferred"))
    assert isinstance(listing, Listing)
    assert message.id in [each.id for each in listing.messages]
    assert listing.ages[0] == listing.total >= 1
    assert listing.whole


def test_a_message_is_shown_without_its_body(house: Stand, helper: Helper) -> None:
    message = deferred(house, helper, "hush")
    letter = helper.ask(Request(Act.SHOW, message.id))
    assert isinstance(letter, Letter)
    assert ("recipient", "ann@inbox.example") in letter.envelope
    assert ("Subject", "hush") in letter.header
    assert letter.queue == "deferred"
    assert "body of" not in repr(letter)


def test_hold_release_retry_delete(house: Stand, helper: Helper) -> None:
    name = deferred(house, helper, "acts").id
    assert helper.ask(Request(Act.HOLD, name, by="web:ann@people.example")) == Done()
    assert found(helper, name, "hold")
    assert why(helper.ask(Request(Act.HOLD, name))) == "gone"
    assert why(helper.ask(Request(Act.RETRY, name))) == "gone"
    assert helper.ask(Request(Act.RELEASE, name)) == Done()
    until(lambda: found(helper, name, "deferred"), "deferred again")
    assert why(helper.ask(Request(Act.RELEASE, name))) == "gone"
    tried = house.maillog().count(f"{name}: to=")
    until(
        lambda: house.maillog().count(f"{name}: to=") > tried or helper.ask(Request(Act.RETRY, name)) != Done(), "try"
    )
    assert helper.ask(Request(Act.FLUSH)) == Done()
    until(lambda: found(helper, name, "deferred"), "deferred again")
    assert helper.ask(Request(Act.DELETE, name)) == Done()
    for act in (Act.DELETE, Act.SHOW, Act.RETRY, Act.RELEASE, Act.HOLD):
        assert why(helper.ask(Request(act, name))) == "gone"
    assert f"{name}: hold by=<web:ann@people.example> done" in house.log("queue")
    assert f"{name}: delete by=<> done" in house.log("queue")


def why(answer: Answer) -> str:
    return answer.why if isinstance(answer, Refused) else answer.kind


@pytest.mark.parametrize("name", ["ALL", "-", "../../etc/passwd", "$(id)", "4jb9zj3lS3zJbRW;id"])
def test_a_bad_id_does_nothing(house: Stand, helper: Helper, name: str) -> None:
    message = deferred(house, helper, "safe")
    for desk in (helper, Postfix(house.etc)):
        for act in (Act.DELETE, Act.HOLD, Act.SHOW):
            assert why(desk.ask(Request(act, name))) == "malformed"
    assert found(helper, message.id, "deferred")


def test_only_its_group_may_ask(house: Stand, helper: Helper) -> None:
    path = Path(str(helper.endpoint.path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert path.stat().st_gid == path.parent.stat().st_gid
    assert path.stat().st_uid == 0


@NOT_ROOT
def test_a_stranger_is_told_what_group_it_takes(house: Stand, helper: Helper) -> None:
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(65_534)
    os.seteuid(65_534)
    try:
        with pytest.raises(NoHelper, match="queue_group"):
            helper.ask(Request(Act.LIST))
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def test_without_the_helper_the_refusal_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(NoHelper, match="start `smtpy queue serve` as root"):
        Helper(Endpoint(path=str(tmp_path / "queue.sock"))).ask(Request(Act.LIST))


def test_no_postfix_is_a_failure_and_no_traceback(tmp_path: Path) -> None:
    answer = Postfix(tmp_path).ask(Request(Act.LIST))
    assert isinstance(answer, Refused)
    assert answer.why == "failed"
    assert "main.cf" in answer.words


def test_a_command_that_takes_too_long_is_ended(house: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("postsuper", "postqueue"):
        (tmp_path / name).write_text("#!/bin/sh\nexec sleep 60\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr("smtpy.queue.postfix.PATH", str(tmp_path))
    began = time.monotonic()
    assert why(Postfix(house.etc, seconds=0.2).ask(Request(Act.HOLD, "ABCDEF12"))) == "failed"
    listing = Postfix(house.etc, seconds=0.2).ask(Request(Act.LIST))
    assert isinstance(listing, Listing)
    assert not listing.whole
    assert time.monotonic() - began < 5


# --- The command ------------------------------------------------------------------------------------------------


def test_the_command_at_a_terminal(house: Stand, helper: Helper) -> None:
    name = deferred(house, helper, "by hand").id
    where = ("--postfix", str(house.etc.parent))

    def smtpy(*words: str) -> str:
        done = run("--config", str(house.config), "queue", *words, *where)
        assert done.exit_code == 0, done.output
        return done.output

    assert name in smtpy("list", "refused")
    listed = json.loads(run("--config", str(house.config), "queue", "list", "--json", *where).stdout)
    assert name in [each["id"] for each in listed["messages"]]
    assert "Subject: by hand" in smtpy("show", name)
    assert smtpy("hold", name) == f"message {name} is on hold\n"
    assert smtpy("release", name) == f"message {name} is released\n"
    smtpy("flush")
    until(lambda: found(helper, name, "deferred"), "deferred again")
    assert smtpy("retry", name) == f"message {name} is being tried\n"
    until(lambda: found(helper, name, "deferred"), "deferred again")
    assert smtpy("delete", name) == f"message {name} is deleted\n"
    gone = run("--config", str(house.config), "queue", "delete", name, *where)
    assert (gone.exit_code, "is in the queue" in gone.output) == (os.EX_NOUSER, True)
    bad = run("--config", str(house.config), "queue", "delete", "ALL", *where)
    assert (bad.exit_code, bad.output) == (os.EX_DATAERR, "smtpy: ALL: This is no queue id.\n")
    assert acts(house, name) == ["queue.hold", "queue.release", "queue.retry", "queue.delete"]


def acts(house: Stand, name: str) -> list[str]:
    """What the audit trail says was done to a message."""
    engine = open_engine(f"sqlite:///{house.folder}/state/smtpy.db")
    try:
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT act, before FROM audit WHERE subject = ? ORDER BY id", (f"message {name}",)
            )
            told = rows.all()
    finally:
        engine.dispose()
    assert json.loads(told[-1].before) == {
        "sender": told_sender(told[-1].before), "recipients": ["ann@inbox.example"], "queue": "deferred",
    }  # fmt: skip
    return [row.act for row in told]


def told_sender(before: str) -> str:
    sender = str(json.loads(before)["sender"])
    assert sender.startswith("SRS0=")
    return sender


def test_what_nobody_released_goes_after_held_days(
    house: Stand, helper: Helper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "smtpy.worker")
    held, waiting = deferred(house, helper, "held"), deferred(house, helper, "waits")
    assert helper.ask(Request(Act.HOLD, held.id)) == Done()
    settings = load(None, house.environ)
    engine = open_engine(settings.database_url)
    try:
        for days, age, there in ((0, 9, True), (2, 0, True), (2, 9, False)):
            with patch("time.time", lambda age=age: held.arrived + age * 86_400.0):
                purge_held(Post(engine, settings.model_copy(update={"held_days": days}), Event()))
            assert bool(found(helper, held.id, "hold")) is there
    finally:
        engine.dispose()
    assert found(helper, waiting.id, "deferred")
    assert f"purge held={held.id} from=<SRS0=" in caplog.text
    until(lambda: f"{held.id}: removed" in house.maillog(), "told by Postfix")


@NOT_ROOT
def test_who_is_not_root_is_sent_to_the_helper(house: Stand, tmp_path: Path) -> None:
    command = ["setpriv", "--reuid", "65534", "--clear-groups", str(Path(sys.executable).parent / "smtpy")]
    environ = {**house.environ, "SMTPY_CONFIG": ""}
    for name in ("secret_keys", "srs_secrets", "encryption_keys"):
        environ[f"SMTPY_{name.upper()}"] = "k" * 32
    environ |= {
        "SMTPY_HOSTNAME": "mx.our.example",
        "SMTPY_POSTMASTER": "p@inbox.example",
        "SMTPY_RUN_DIR": str(tmp_path),
    }
    done = subprocess.run([*command, "queue", "list"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == os.EX_TEMPFAIL, done.stderr
    done = subprocess.run([*command, "queue", "serve"], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == os.EX_NOPERM
    assert "needs root" in done.stderr

"""docs/replies.md has an entry for each reply that a sender may hear from us, and for no other.

Ours stand in the source. Those of Postfix are heard from a real one, here or in tests/postfix.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import smtpy
from smtpy.admin import domains, members
from smtpy.admin.change import change
from smtpy.admin.scope import Viewer
from smtpy.config import load
from smtpy.mail.reply import Reply
from smtpy.store.engine import open_engine
from tests.dialog import Answer
from tests.docs.pages import ROOT
from tests.failures.test_full_queue import FULL_MEANWHILE
from tests.postfix.test_certificate import NO_MILTER, NO_TLS
from tests.postfix.test_guards import ABSENT, UNKNOWN
from tests.stand import HOSTNAME, Stand

HEADING = re.compile(r"^### ([45]\d\d [45]\.\d+\.\d+ .+)$", re.M)
OWNER, SHOP, SOON = "replies@people.example", "shop@replies.example", "soon-replies.example"
HOPS = b"Received: from there\r\n" * 51
# What a stranger says, and to the last of it Postfix answers, before or without asking us.
DIALOGS = {
    "554 5.7.1 Relay access denied": ("EHLO c.example", "MAIL FROM:<>", "RCPT TO:<x@elsewhere.example>"),
    "454 4.7.1 Relay access denied": ("EHLO c.example", "MAIL FROM:<>", f"RCPT TO:<x@{SOON}>"),
    "554 5.5.1 Error: no valid recipients": ("EHLO c.example", "MAIL FROM:<>", "RCPT TO:<x@replies.example>", "DATA"),
    "552 5.3.4 Message size exceeds fixed limit": ("EHLO c.example", "MAIL FROM:<> SIZE=26214401"),
    "501 5.1.7 Bad sender address syntax": ("EHLO c.example", "MAIL FROM:a@sender.example"),
    "501 5.1.3 Bad recipient address syntax": ("EHLO c.example", "MAIL FROM:<>", f"RCPT TO:{SHOP}"),
    "502 5.5.1 VRFY command is disabled": ("EHLO c.example", f"VRFY {SHOP}"),
    "503 5.5.1 Error: send HELO/EHLO first": ("MAIL FROM:<>",),
    "554 5.5.0 Error: SMTP protocol synchronization": ("EHLO c.example\r\nNOOP",),  # EHLO is the last of a group
}
# The same of a Postfix whose limits are as tight as these.
TIGHT = ("smtpd_client_connection_count_limit = 1", "smtpd_hard_error_limit = 1", "smtpd_timeout = 1s")
FULL = "queue_minfree = 1000000000000000"


def entries() -> list[str]:
    return HEADING.findall((ROOT / "docs" / "replies.md").read_text("utf-8"))


def ours() -> Iterator[str]:
    """Every Reply that is a constant of a module."""
    for module in walk_packages(smtpy.__path__, "smtpy."):
        yield from (str(value) for value in vars(import_module(module.name)).values() if isinstance(value, Reply))


def plain(answer: Answer | str) -> str:
    """Without the address, the client and our name, which are others each time."""
    return re.sub(rf"<[^>]*>: |Recipient address rejected: |{re.escape(HOSTNAME)} | from \S+$", "", str(answer))


HEARD_ELSEWHERE = {
    *(plain(each) for each in (UNKNOWN, FULL_MEANWHILE, *(answer for answer, _ in ABSENT.values()))),
    *(NO_TLS, NO_MILTER),
}
HEARD_HERE = {
    *DIALOGS,
    "554 5.4.0 Error: too many hops",
    "421 4.7.0 Error: too many connections",
    "421 4.7.0 Error: too many errors",
    "421 4.4.2 Error: timeout exceeded",
    "452 4.3.1 Insufficient system storage",
}


def test_each_reply_has_one_entry_and_no_entry_is_of_another() -> None:
    found = entries()
    assert sorted(found) == sorted({*ours(), *HEARD_HERE, *HEARD_ELSEWHERE})


def test_each_entry_says_what_somebody_can_do() -> None:
    page = (ROOT / "docs" / "replies.md").read_text("utf-8")
    parts = [part for part in re.split(r"^(?=#{2,3} )", page, flags=re.M) if HEADING.match(part)]
    assert len(parts) == len(entries())
    assert [part.splitlines()[0] for part in parts if not re.search(r"^\*(Owner|Operator)", part, re.M)] == []


@pytest.fixture(scope="module")
def town(stand: Stand) -> Stand:
    """With an alias, and a domain that its member has announced and not shown yet."""
    stand.declare(SHOP, "box@inbox.example", owner=OWNER)
    engine = open_engine(load(stand.config, stand.environ).database_url)
    with change(engine, by="test") as c:
        member = Viewer(members.find(c.session, OWNER).id)
    with change(engine, by="test", viewer=member) as c:
        domains.add(c, SOON, owner=OWNER)
    engine.dispose()
    return stand


@pytest.mark.parametrize("reply", DIALOGS)
def test_what_postfix_says_of_itself(town: Stand, reply: str) -> None:
    with town.dialog(client="127.0.0.2") as dialog:
        dialog.answer()
        answers = [dialog.command(line) for line in DIALOGS[reply]]
    assert plain(answers[-1]) == reply


def test_who_comes_round_and_round(town: Stand) -> None:
    answers = town.send("a@sender.example", [SHOP], HOPS + b"From: a@sender.example\r\n\r\nhello\r\n")
    assert plain(answers.data or "") == "554 5.4.0 Error: too many hops"


def test_what_postfix_says_when_it_is_too_much() -> None:
    one = Stand(services=(), postfix=(*TIGHT, FULL))
    try:
        one.open()
        with one.dialog(client="127.0.0.2") as slow:
            slow.answer()
            with one.dialog(client="127.0.0.2") as second:
                assert plain(second.answer()) == "421 4.7.0 Error: too many connections"
            assert plain(slow.answer()) == "421 4.4.2 Error: timeout exceeded"
        with one.dialog(client="127.0.0.3") as dialog:
            dialog.hello()
            assert plain(dialog.command("MAIL FROM:<>")) == "452 4.3.1 Insufficient system storage"
            assert plain(dialog.answer()) == "421 4.7.0 Error: too many errors"
    finally:
        one.close()

"""The milter killed or hung at every point of a message: 4xx, nothing queued, nothing delivered, and once later."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.dialog import Answer, Dialog
from tests.failures.conftest import Opener
from tests.failures.village import (
    ALIASES,
    ANN,
    QUIET,
    Letter,
    assert_arrives,
    assert_put_off,
    decisive,
    recovers,
    write,
)
from tests.stand import Stand
from tests.waiting import until

MILTER_TIMEOUTS = tuple(f"milter_{each}_timeout = 2s" for each in ("connect", "command", "content"))
STEPS = ("greeting", "MAIL", "RCPT", "DATA", "message")


def steps(dialog: Dialog, letter: Letter) -> Iterator[Answer]:
    """One transaction; each answer is what the server said to the step of that name."""
    yield dialog.hello()
    yield dialog.command(f"MAIL FROM:<{letter.sender}>")
    yield dialog.command(f"RCPT TO:<{letter.recipients[0]}>")
    yield dialog.command("DATA")
    dialog.raw(letter.data + b".\r\n")
    yield dialog.answer()


def until_it_fails(conversation: Iterator[Answer]) -> list[Answer]:
    """The answers, up to the first that is not positive."""
    answers = []
    for answer in conversation:
        answers.append(answer)
        if answer.code >= 400:
            break
    return answers


@pytest.mark.parametrize("reached", range(len(STEPS)), ids=[f"before {step}" for step in STEPS])
def test_killed_before_end_of_message(village: Stand, reached: int) -> None:
    letter = write(ANN)
    with village.dialog(client="127.0.0.2") as dialog:
        conversation = steps(dialog, letter)
        for _ in range(reached):
            assert next(conversation).code < 400
        village.kill("milter")
        assert_put_off(village, letter, *until_it_fails(conversation))
    village.start("milter")
    assert_arrives(village, letter, letter.send(village))


def test_killed_within_end_of_message(village: Stand) -> None:
    """Postfix has told the whole message and waits for what becomes of it."""
    letter = write(ANN)
    with at_the_dot(village, letter) as dialog:
        village.signal("milter", signal.SIGSTOP)
        dialog.raw(letter.data + b".\r\n")
        until(lambda: letter.mark in village.maillog(), "message with cleanup")
        village.kill("milter")
        assert_put_off(village, letter, dialog.answer())
    village.start("milter")
    assert_arrives(village, letter, letter.send(village))


def test_killed_when_its_edits_are_made(village: Stand) -> None:
    """Reverse-path and recipients are changed already; the row of the dropped copy waits for the database."""
    letter = write(ANN, QUIET)
    with closing(sqlite3.connect(village.folder / "state" / "smtpy.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        with at_the_dot(village, letter) as dialog:
            dialog.raw(letter.data + b".\r\n")
            until(lambda: any(map(_sleeps, village.workers("milter"))), "worker waiting for the database")
            village.kill("milter")
            assert_put_off(village, letter, dialog.answer())
        database.execute("ROLLBACK")
    assert letter.rows(village) == []
    village.start("milter")
    assert_arrives(village, write_again(letter, ANN), letter.send(village))
    assert sorted(letter.rows(village)) == ["drop", "forward"]


def test_killed_after_end_of_message(village: Stand) -> None:
    letter = write(ANN)
    answers = letter.send(village)
    village.kill("milter")
    assert_arrives(village, letter, answers)


@pytest.mark.parametrize("where", ["before", "within"])
def test_hung(opened: Opener, where: str) -> None:
    """Postfix gives up after its own timeout, lowered here. What wakes up again and goes on does no harm."""
    with opened(postfix=MILTER_TIMEOUTS) as village:
        letter = write(ANN)
        if where == "before":
            village.signal("milter", signal.SIGSTOP)
            assert_put_off(village, letter, decisive(letter.send(village)))
        else:
            with at_the_dot(village, letter) as dialog:
                village.signal("milter", signal.SIGSTOP)
                dialog.raw(letter.data + b".\r\n")
                assert_put_off(village, letter, dialog.answer())
        village.signal("milter", signal.SIGCONT)
        assert_arrives(village, letter, letter.send(village))


def test_a_worker_killed_alone_is_replaced_and_the_other_serves_meanwhile(village: Stand) -> None:
    killed, other = village.workers("milter")
    os.kill(killed, signal.SIGKILL)
    letter = write(ANN)
    assert_arrives(village, letter, letter.send(village))
    until(lambda: len(village.workers("milter")) == 2, "worker replaced")
    assert killed not in village.workers("milter")
    os.kill(other, signal.SIGKILL)
    recovers(village)


def test_a_worker_hung_alone_holds_up_nobody(village: Stand) -> None:
    hung, _ = village.workers("milter")
    os.kill(hung, signal.SIGSTOP)
    for _ in range(5):
        letter = write(ANN)
        assert_arrives(village, letter, letter.send(village))


def test_the_parent_killed_alone_takes_its_workers_with_it(village: Stand) -> None:
    """Else the socket would be served by workers that nobody replaces, and no new milter could start."""
    workers = village.workers("milter")
    village.signal("milter", signal.SIGKILL, group=False)
    until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}").exists()], "workers gone")
    letter = write(ANN)
    assert_put_off(village, letter, decisive(letter.send(village)))
    village.kill("milter")
    village.start("milter")
    assert_arrives(village, letter, letter.send(village))


def test_a_client_that_rests_among_many_recipients(village: Stand) -> None:
    """Postfix writes what awaits no answer in pieces of 4096 octets, so the milter is left with half a recipient."""
    letter, others = write(ANN), [f"somebody-{each}@elsewhere.example" for each in range(150)]
    with village.dialog() as dialog:
        dialog.hello()
        dialog.command(f"MAIL FROM:<{letter.sender}>")
        for each in (*others, ANN):
            assert dialog.command(f"RCPT TO:<{each}>").code == 250
        time.sleep(13)  # half as long again as Limits().request_seconds, and a look at who is overdue
        assert dialog.command("DATA").code == 354
        dialog.raw(letter.data + b".\r\n")
        assert dialog.answer().code == 250
    village.wait_empty()
    assert letter.copies(village) == sorted((ALIASES[ANN], *others))


def at_the_dot(stand: Stand, letter: Letter) -> Dialog:
    """A transaction of which nothing is missing but the message."""
    dialog = stand.dialog(client="127.0.0.2")
    dialog.hello()
    for command in (f"MAIL FROM:<{letter.sender}>", *(f"RCPT TO:<{each}>" for each in letter.recipients), "DATA"):
        assert dialog.command(command).code in (250, 354)
    return dialog


def write_again(letter: Letter, *recipients: str) -> Letter:
    """The same letter to others."""
    return Letter(recipients, letter.number)


def _sleeps(pid: int) -> bool:
    """Whether one of its threads sleeps as SQLite does between two looks at a lock, and nothing else of ours does."""
    return any("nanosleep" in each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/wchan"))

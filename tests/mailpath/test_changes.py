"""What an owner changes counts within a second, and no message that was taken on either side of a change is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from statistics import median
from threading import Event, Thread

from tests.mailpath.script import message
from tests.mailpath.town import OWNER, Town, at_home
from tests.stand import Stand
from tests.waiting import until

ALIAS = "moody@north.example"
WITHIN = 1.0  # seconds from the end of the command to the first answer that knows of it
AT_MOST = 3.0  # where the machine has other things to do

# (command, what a recipient hears afterwards)
STEPS = (
    (("alias", "add", ALIAS, "--to", *at_home("ann")), "250 2.1.5"),
    (("alias", "off", ALIAS), "550 5.2.1"),
    (("alias", "set", ALIAS, "--when-off", "defer"), "450 4.2.1"),
    (("alias", "on", ALIAS), "250 2.1.5"),
    (("alias", "set", ALIAS, "--expires", "2020-01-01"), "550 5.2.1"),
    (("alias", "set", ALIAS, "--expires", "none"), "250 2.1.5"),
    (("mailbox", "off", *at_home("ann")), "450 4.2.1"),
    (("mailbox", "on", *at_home("ann")), "250 2.1.5"),
    (("alias", "delete", ALIAS), "550 5.1.1"),
    (("alias", "restore", ALIAS), "250 2.1.5"),
)


def hears(stand: Stand, recipient: str = ALIAS) -> str:
    """What a recipient is answered now; there is no message."""
    with stand.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<bob@sender.example>")
        return str(dialog.command(f"RCPT TO:<{recipient}>"))


def seconds_until(condition: Callable[[], bool], what: str) -> float:
    """How long it takes, from now, until it is so."""
    started = time.monotonic()
    until(condition, what)
    return time.monotonic() - started


def change(stand: Stand, command: tuple[str, ...]) -> None:
    done = stand.cli(*command)
    assert done.returncode == 0, done.stderr


@contextmanager
def flowing(town: Town) -> Iterator[list[str]]:
    """Messages to the alias all the while, one after the other: the marks of those that were taken."""
    ended, taken, mark = Event(), list[str](), town.mark()

    def flow() -> None:
        for number in count():
            if ended.is_set():
                return
            each = f"{mark}-{number}-"
            if town.stand.send("alice@sender.example", [ALIAS], message(each).encode()).accepted:
                taken.append(each)

    thread = Thread(target=flow)
    thread.start()
    try:
        yield taken
    finally:
        ended.set()
        thread.join()


def test_a_change_counts_within_a_second_while_mail_flows(town: Town) -> None:
    assert hears(town.stand).startswith("550 5.1.1")
    waited = []
    with flowing(town) as taken:
        for command, answer in STEPS:
            change(town.stand, command)
            waited.append(seconds_until(lambda answer=answer: hears(town.stand).startswith(answer), " ".join(command)))
    assert median(waited) < WITHIN
    assert max(waited) < AT_MOST
    town.stand.wait_empty()
    everything = b"".join(each.data for each in town.stand.inbox.deliveries)
    assert len(taken) > len(STEPS)
    assert {everything.count(f"<{mark}@".encode()) for mark in taken} == {1}


def test_a_new_domain_counts_within_a_second(town: Town) -> None:
    assert hears(town.stand, "anybody@newtown.example").startswith("554 5.7.1")
    change(town.stand, ("domain", "add", "newtown.example", "--owner", OWNER))
    change(town.stand, ("domain", "catch-all", "newtown.example", *at_home("box5")))
    assert seconds_until(lambda: hears(town.stand, "anybody@newtown.example").startswith("250"), "newtown") < AT_MOST


def test_the_milter_knows_of_a_change_too(town: Town) -> None:
    """A limit that is looked at when the message is whole, by each of the workers."""

    def answer() -> str:
        sent = [town.stand.send("alice@sender.example", ["little@small.example"], data) for _ in range(6)]
        return " ".join(sorted({str(each.data.code) for each in sent if each.data}))

    data = message(town.mark(), 2500).encode()
    assert answer() == "552"
    change(town.stand, ("domain", "set", "small.example", "--max-message-bytes", "3000"))
    assert seconds_until(lambda: answer() == "250", "the limit raised") < AT_MOST
    change(town.stand, ("domain", "set", "small.example", "--max-message-bytes", "2000"))
    assert seconds_until(lambda: answer() == "552", "the limit lowered") < AT_MOST


def test_a_domain_added_is_never_refused_by_an_smtpd_that_remembers_it_as_foreign(town: Town) -> None:
    """smtpd keeps for life how it resolved a recipient; what is ours by now may be put off by it, not refused."""
    newborn = "first@newborn.example"
    with town.stand.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<bob@sender.example>")
        assert str(dialog.command(f"RCPT TO:<{newborn}>")).startswith("554 5.7.1")
        change(town.stand, ("domain", "add", "newborn.example", "--owner", OWNER))
        change(town.stand, ("alias", "add", newborn, "--to", *at_home("ann")))
        until(lambda: dialog.command(f"RCPT TO:<{newborn}>").code < 500, "not refused any more", 5.0)
    until(lambda: hears(town.stand, newborn).startswith("250"), "taken by a new smtpd", 60.0)

"""The log is rotated, and the worker killed, in the middle of traffic: no event is lost, and none is doubled."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.config import load
from smtpy.store.engine import open_engine
from smtpy.store.events import MailEvent
from tests.timeline.conftest import ALIASES, PATIENCE, SENDER, Place
from tests.waiting import until

RECIPIENTS = [each for each in ALIASES if not each.startswith("off@")]


@contextmanager
def traffic(place: Place, clients: int = 2) -> Iterator[list[str]]:
    """Mail that never stops for the time of the block; the Message-IDs of what was taken."""
    ended, taken = threading.Event(), list[str]()

    def client(seed: int) -> None:
        random = Random(seed)
        while not ended.is_set():
            taken.append(place.send(*random.sample(RECIPIENTS, random.choice((1, 1, 3)))))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for each in threads:
        each.start()
    try:
        yield taken
    finally:
        ended.set()
        for each in threads:
            each.join()


def settle(place: Place) -> None:
    """All delivered that can be."""
    place.stand.inbox.replies.pop("later@inbox.example", None)

    def empty() -> bool:
        place.stand.flush()
        return not place.stand.queue()

    until(empty, "queue empty", PATIENCE)


def removals(place: Place) -> tuple[int, int]:
    """How many queue files are done with by the log, and by the database."""
    texts = [
        place.stand._as_root("cat", str(each))
        for each in place.stand.mail_log.parent.iterdir()
        if each.name.startswith("mail.log")
    ]
    engine = open_engine(load(place.stand.config, place.stand.environ).database_url)
    with Session(engine) as session:
        kept = session.scalar(select(func.count()).where(MailEvent.kind == "removed"))
    engine.dispose()
    ids = {line.split()[-2] for text in texts for line in text.splitlines() if line.endswith(": removed")}
    return len(ids), kept or 0


def rename(place: Place) -> None:
    log = place.stand.mail_log
    place.stand._as_root("mv", str(log), f"{log}.1")
    place.stand._as_root("postfix", "-c", str(place.stand.etc), "reload")


def copy_and_cut(place: Place) -> None:
    """As logrotate's copytruncate does it. The two steps are not one, so Postfix waits meanwhile."""
    log = place.stand.mail_log
    command = f"kill -STOP $POSTLOGD; cp {log} {log}.1; truncate -s 0 {log}; kill -CONT $POSTLOGD"
    found = place.stand._as_root("sh", "-c", f"pgrep -P {place.stand.pid('postfix')} postlogd || true").split()
    place.stand._as_root(
        "sh", "-c", command.replace("$POSTLOGD", found[0]) if found else f"cp {log} {log}.1; truncate -s 0 {log}"
    )


def kill_and_restart(place: Place) -> None:
    for _ in range(3):
        place.stand.kill("worker")
        place.stand.start("worker")


def rename_while_away(place: Place) -> None:
    place.stand.kill("worker")
    rename(place)
    threading.Event().wait(1.0)
    place.stand.start("worker")


@pytest.mark.parametrize("breaking", [rename, copy_and_cut, kill_and_restart, rename_while_away])
def test_nothing_is_lost_or_doubled(own_place: Place, breaking: Callable[[Place], None]) -> None:
    with traffic(own_place) as taken:
        until(lambda: len(taken) >= 10, "mail flows", PATIENCE)
        breaking(own_place)
        before = len(taken)
        until(lambda: len(taken) >= before + 10, "mail flows on", PATIENCE)
    settle(own_place)
    until(lambda: len(set(removals(own_place))) == 1, "all followed", PATIENCE)
    code, found = own_place.audit()
    assert (code, found["missing"]) == (0, [])
    assert found["messages"] == len(taken)
    assert found["counted"]["queued"] == 0


def test_the_sum_holds_after_a_storm(own_place: Place) -> None:
    with traffic(own_place, clients=4) as taken:
        until(lambda: len(taken) >= 100, "a hundred", 120.0)
        rename(own_place)
        own_place.stand.kill("worker")
        until(lambda: len(taken) >= 200, "two hundred", 120.0)
        code, found = own_place.audit()
        own_place.stand.start("worker")
        until(lambda: len(taken) >= 300, "three hundred", 120.0)
    settle(own_place)
    code, found = own_place.audit()
    assert (code, found["missing"], found["messages"]) == (0, [], len(taken))
    delivered = [each for each in own_place.stand.inbox.deliveries if each.reverse_path]
    assert found["counted"]["delivered"] == sum(len(each.recipients) for each in delivered)
    reports = [each for each in own_place.stand.inbox.deliveries if not each.reverse_path]
    assert found["counted"]["returned"] == len(reports)
    assert all(each.recipients == (SENDER,) for each in reports)
    assert json.loads(own_place.stand.cli("log", "--json", "--limit", "1").stdout)
    assert os.path.getsize(own_place.stand.folder / "log" / "worker.log") < 10_000  # noqa: PTH202

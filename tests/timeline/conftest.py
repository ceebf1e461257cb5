"""A stand whose worker follows Postfix's log, with a village on two domains."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from smtpy.admin import aliases, domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.config import load
from smtpy.directory.entries import WhenOff
from smtpy.store.engine import open_engine
from tests.dialog import Answers
from tests.stand import SERVICES, Stand
from tests.waiting import until

SENDER, OWNER = "alice@sender.example", "owner@inbox.example"
PATIENCE = 60.0  # seconds: the machine may be busy
# alias: where it leads
ALIASES = {
    "ann@our.example": "ann@inbox.example",
    "team@our.example": "ann@inbox.example ben@inbox.example",
    "full@our.example": "full@inbox.example",
    "later@our.example": "later@inbox.example",
    "quiet@our.example": "ann@inbox.example",
    "off@our.example": "ann@inbox.example",
    "ben@two.example": "ben@inbox.example",
    "full@two.example": "full@inbox.example",
}
LATER, FULL = "450 4.2.0 The reader is asleep", "552 5.2.2 The mailbox is full"


@dataclass
class Place:
    """A stand with the village in it, and what `smtpy log` and `smtpy audit` say of its mail."""

    stand: Stand
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def found(self) -> None:
        """People, aliases, and mailboxes that do not take everything."""
        engine = open_engine(load(self.stand.config, self.stand.environ).database_url)
        with change(engine, by="test:timeline") as c:
            members.add(c, OWNER)
            for mailbox in sorted({each for to in ALIASES.values() for each in to.split()}):
                mailboxes.add(c, mailbox, owner=OWNER, verified=True)
            for domain in ("our.example", "two.example"):
                domains.add(c, domain, owner=OWNER)
            for alias, to in ALIASES.items():
                when_off = WhenOff.DROP if alias.startswith("quiet@") else WhenOff.REJECT
                aliases.add(c, alias, to=to.split(), when_off=when_off)
            for alias in ("off@our.example", "quiet@our.example"):
                aliases.off(c, alias)
        engine.dispose()
        self.stand.inbox.replies |= {"full@inbox.example": FULL, "later@inbox.example": LATER}

    def message(self) -> tuple[str, bytes]:
        """A message of its own, and its Message-ID."""
        name = f"{next(self._numbers)}.{id(self)}@sender.example"
        return name, f"Message-ID: <{name}>\r\nFrom: {SENDER}\r\nSubject: x\r\n\r\nText\r\n".encode()

    def send(self, *recipients: str) -> str:
        """A message that is taken; its Message-ID."""
        name, data = self.message()
        answers: Answers = self.stand.send(SENDER, list(recipients), data)
        assert answers.accepted, answers
        return name

    def log(self, about: str) -> list[dict[str, Any]]:
        """What `smtpy log ABOUT` tells."""
        done = self.stand.cli("log", about, "--json")
        assert done.returncode == 0, done.stderr
        listed: list[dict[str, Any]] = json.loads(done.stdout)
        return listed

    def ends(self, about: str) -> dict[tuple[str, str], str]:
        """The state of each recipient and mailbox of the one message that is meant."""
        [found] = self.log(about) or [{"ends": []}]
        return {(each["recipient"], each["target"]): each["state"] for each in found["ends"]}

    def becomes(self, about: str, ends: dict[tuple[str, str], str]) -> dict[str, Any]:
        """Wait until these are the ends; the message."""
        try:
            until(lambda: self.ends(about) == ends, f"{about} becomes {ends}", PATIENCE)
        except TimeoutError as error:
            error.add_note(f"{self.ends(about)}\n{self.stand.log('worker')}\n{self.stand.maillog()}")
            raise
        [found] = self.log(about)
        return found

    def audit(self, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the sum of `smtpy audit mail`."""
        done: subprocess.CompletedProcess[str] = self.stand.cli(
            *("audit", "mail", "--json", "--postfix", str(self.stand.etc.parent)), *words
        )
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert found["queue_asked"], done.stderr
        return done.returncode, found


def opened(**options: Any) -> Place:
    """A place, ready."""
    place = Place(Stand((*SERVICES, "worker"), **options))
    try:
        place.stand.open()
        place.found()
    except BaseException:
        place.stand.close()
        raise
    return place


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """The one that tests share which break nothing."""
    made = opened()
    try:
        yield made
    finally:
        made.stand.close()


@pytest.fixture
def own_place() -> Iterator[Place]:
    """One for a test that breaks something."""
    made = opened()
    try:
        yield made
    finally:
        made.stand.close()

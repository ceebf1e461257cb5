"""The world sending mail while things break: clients which try again as mail servers do, and what became of it all.

A client keeps a recipient until it has heard 250 for the message; 4xx to a recipient or to the whole, and a connection
that is lost, mean again. It does not wait in between, so that a run takes seconds. What it may never hear is 5xx.
"""

import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

from tests.dialog import Answers
from tests.failures.village import ALIASES, ANN, BEN, CAT, FULL, QUIET, Letter, journal, write
from tests.stand import Stand
from tests.waiting import until

CLIENTS = 8
KINDS = (ANN, BEN, CAT, FULL, QUIET)
_MARK = re.compile(rb"<[0-9]+\.failures@sender\.example>")


def letters(number: int, random: Random) -> list[Letter]:
    """A third of them to several recipients, so that many of those are split."""
    return [write(*random.sample(KINDS, random.choice((1, 1, random.randint(2, len(KINDS)))))) for _ in range(number)]


@dataclass
class Post:
    """What the clients went through; `retries` counts attempts after the first."""

    stand: Stand
    retries: Iterator[int] = field(default_factory=count)

    def send_all(self, every: Iterable[Letter]) -> None:
        """Returns when all of them have been taken for all recipients."""
        with ThreadPoolExecutor(CLIENTS) as clients:
            for _ in clients.map(self.send, every):
                pass

    def send(self, letter: Letter) -> None:
        """One letter, until it is taken for all recipients."""
        left = list(letter.recipients)
        while left := self._not_taken(left, self._try(letter, left)):
            next(self.retries)

    def _try(self, letter: Letter, recipients: list[str]) -> Answers:
        answers = self.stand.send(letter.sender, recipients, letter.data)
        for each in (answers.mail, *answers.rcpt, *filter(None, (answers.data,))):
            assert each.code < 500, (letter, answers)
        # We kill nothing of Postfix's, so it has always something to say to the dot.
        assert answers.data is None or answers.data.code, (letter, answers)
        return answers

    @staticmethod
    def _not_taken(recipients: list[str], answers: Answers) -> list[str]:
        if not answers.accepted:
            return recipients
        return [each for each, answer in zip(recipients, answers.rcpt, strict=True) if answer.code != 250]


@contextmanager
def flowing(stand: Stand) -> Iterator[list[Letter]]:
    """Two clients that never stop for the time of the block; gives the letters that were taken."""
    ended, taken, post = threading.Event(), list[Letter](), Post(stand)

    def client() -> None:
        while not ended.is_set():
            letter = write(ANN, CAT)
            post.send(letter)
            taken.append(letter)

    with ThreadPoolExecutor(2) as clients:
        running = [clients.submit(client) for _ in range(2)]
        try:
            yield taken
        finally:
            ended.set()
    for each in running:
        each.result()


def drain(stand: Stand, timeout: float = 60.0) -> None:
    """Until Postfix has delivered all it has; what was put off is tried at once."""

    def empty() -> bool:
        queue = stand.queue()
        if any(each["queue_name"] == "deferred" for each in queue):
            stand.flush()
        return not queue

    until(empty, "queue empty", timeout)


def assert_nothing_lost(stand: Stand, every: list[Letter], doubtful: Collection[str] = ()) -> None:
    """Accepted = delivered + returned + recorded; nothing twice, nothing under an address that is not for the world.

    What SMTP allows to come twice is `doubtful`, by its mark: who took it died before saying so (RFC 5321, 4.1.1.4).
    """
    senders = {letter.mark: letter.sender for letter in every}
    delivered, returned = Counter[tuple[str, str]](), Counter[str]()
    for each in stand.inbox.deliveries:
        found = _MARK.search(each.data)
        if found is None or (mark := found[0].decode()) not in senders:
            continue
        if each.reverse_path == "":
            assert each.recipients == (senders[mark],), each
            returned[mark] += 1
            continue
        assert each.reverse_path.startswith("SRS0="), each
        delivered.update((mark, recipient) for recipient in each.recipients)
    wanted = {(letter.mark, ALIASES[to]) for letter in every for to in letter.recipients if to not in (FULL, QUIET)}
    assert delivered.keys() == wanted
    assert returned.keys() == {letter.mark for letter in every if FULL in letter.recipients}
    again = {mark for (mark, _), times in delivered.items() if times > 1}
    again |= {mark for mark, times in returned.items() if times > 1}
    assert again <= set(doubtful)
    dropped = {entry.message_id for entry in journal(stand, QUIET) if entry.verdict == "accept"}
    assert dropped >= {letter.mark for letter in every if QUIET in letter.recipients}

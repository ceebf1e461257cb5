"""Who lives where these tests break things, messages that can be told apart, and what is asked about them afterwards.

Every message has a mark and a sender of its own. The sender matters: an smtpd which could not find out about a pair of
sender and recipient says so for as long as that process lives (postfix/README.md), so a test that wants to see a
service back writes as somebody else, as the rest of the world does.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from smtpy.admin import aliases, domains, mailboxes, members
from smtpy.admin.change import Change, change
from smtpy.admin.scope import Viewer
from smtpy.config import load
from smtpy.directory.entries import WhenOff
from smtpy.store.engine import open_engine
from smtpy.store.rows import Entry, entries
from tests.dialog import Answer, Answers
from tests.stand import Stand
from tests.waiting import until

OWNER = "owner@people.example"
DOMAINS = ("one.example", "two.example")
ANN, BEN, CAT = "ann@one.example", "ben@one.example", "cat@two.example"
QUIET = "quiet@one.example"  # switched off, and its mail dropped
FULL = "full@two.example"  # its mailbox takes nothing
NEW = "new@two.example"  # not declared yet
ALIASES = {
    ANN: "ann@home.example",
    BEN: "ben@home.example",
    CAT: "cat@home.example",
    QUIET: "ann@home.example",
    FULL: "full@home.example",
    NEW: "new@elsewhere.example",  # a domain that nothing else leads to
}
_numbers = count(1)


@contextmanager
def changing(stand: Stand, viewer: Viewer | None = None) -> Iterator[Change]:
    """The one door for change, in the stand's own database."""
    engine = open_engine(load(stand.config, stand.environ).database_url)
    try:
        with change(engine, by="test:failures", viewer=viewer) as c:
            yield c
    finally:
        engine.dispose()


def settle(stand: Stand) -> None:
    """Everybody moves in."""
    stand.inbox.replies[ALIASES[FULL]] = "552 5.2.2 Mailbox full"
    with changing(stand) as c:
        _settle(c)


def _settle(c: Change) -> None:
    members.add(c, OWNER)
    for mailbox in dict.fromkeys(ALIASES.values()):
        mailboxes.add(c, mailbox, owner=OWNER, verified=True)
    for domain in DOMAINS:
        domains.add(c, domain, owner=OWNER)
    for alias in (ANN, BEN, CAT, QUIET, FULL):
        declare(c, alias)
    aliases.off(c, QUIET)


def declare(c: Change, alias: str) -> None:
    """That alias exists."""
    aliases.add(c, alias, to=[ALIASES[alias]], when_off=WhenOff.DROP)


@dataclass(frozen=True)
class Letter:
    """A message that no other is taken for."""

    recipients: tuple[str, ...]
    number: int = field(default_factory=lambda: next(_numbers))
    local: str = "sender"

    @property
    def sender(self) -> str:
        return f"{self.local}{self.number}@sender.example"

    @property
    def mark(self) -> str:
        return f"<{self.number}.failures@sender.example>"

    @property
    def data(self) -> bytes:
        return f"Message-ID: {self.mark}\r\nSubject: letter {self.number}\r\n\r\nhello\r\n".encode()

    def send(self, stand: Stand, client: str = "127.0.0.2") -> Answers:
        return stand.send(self.sender, list(self.recipients), self.data, client=client)

    def copies(self, stand: Stand) -> list[str]:
        """The recipient of every copy that has left Postfix, delivery reports about it included."""
        found = [each for each in list(stand.inbox.deliveries) if self.mark.encode() in each.data]
        return sorted(recipient for each in found for recipient in each.recipients)

    def rows(self, stand: Stand) -> list[str]:
        """The decisions about it in the journal, newest first."""
        return [delivery.decision for entry in journal(stand, self.mark) for delivery in entry.recipients]


def journal(stand: Stand, about: str) -> list[Entry]:
    """The journal's rows about an address or a message."""
    engine = open_engine(load(stand.config, stand.environ).database_url)
    try:
        return entries(engine, about=about, limit=10_000)
    finally:
        engine.dispose()


def write(*recipients: str) -> Letter:
    """A letter nobody has sent yet."""
    return Letter(recipients)


def decisive(answers: Answers) -> Answer:
    """The answer by which a transaction with one recipient ended."""
    return answers.data or (answers.rcpt[-1] if answers.rcpt else answers.mail)


def assert_put_off(stand: Stand, letter: Letter, *answers: Answer) -> None:
    """The client was told to try again, in these answers, and nothing is under way meanwhile."""
    codes = [each.code for each in answers]
    assert 400 <= codes[-1] <= 499, answers
    assert all(code < 500 for code in codes), answers
    assert stand.queue() == []
    assert letter.copies(stand) == []


def assert_arrives(stand: Stand, letter: Letter, answers: Answers) -> None:
    """It was taken, and comes as `assert_comes_once` has it."""
    assert answers.accepted, answers
    assert all(each.code == 250 for each in answers.rcpt), answers
    assert_comes_once(stand, letter)


def assert_comes_once(stand: Stand, letter: Letter) -> None:
    """One copy comes to the mailbox of each recipient, on return addresses of ours."""
    wanted = sorted(ALIASES[each] for each in letter.recipients)
    until(lambda: len(letter.copies(stand)) >= len(wanted), f"letter {letter.number} delivered")
    stand.wait_empty()
    assert letter.copies(stand) == wanted
    assert_on_our_paths(stand)


def assert_on_our_paths(stand: Stand) -> None:
    """Nothing left with a reverse-path that is not ours, nor to an address that only we should see."""
    ours = (*DOMAINS, ".invalid")
    for each in list(stand.inbox.deliveries):
        assert each.reverse_path.startswith(("SRS0=", "SRST=")), each
        assert each.reverse_path.endswith(DOMAINS), each
        assert not [recipient for recipient in each.recipients if recipient.endswith(ours)], each


def recovers(stand: Stand, recipient: str = ANN, timeout: float = 20.0) -> None:
    """Unaided, new mail is taken again and arrives."""

    def taken() -> tuple[Letter, Answers] | None:
        letter = write(recipient)
        answers = letter.send(stand)
        assert decisive(answers).code < 500, answers
        return (letter, answers) if answers.accepted else None

    assert_arrives(stand, *until(taken, "mail taken again", timeout))

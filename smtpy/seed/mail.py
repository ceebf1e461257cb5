"""Sixty days of mail: journal rows with what was found and decided, what Postfix did with it, and the tallies of both.

Some aliases get much, most little. Companies authenticate; strangers who have got hold of an address do not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from operator import itemgetter
from random import Random
from typing import Any

from smtpy.seed.bulk import Row
from smtpy.seed.crowd import Made, uuid
from smtpy.seed.words import NETWORKS, STRANGERS
from smtpy.store.events import MailEvent
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.tallies import AliasDay, Correspondent, OwnerDay

DAYS = 60
NUMBERS = ("forwarded", "refused", "held", "bounced")
HOST = "mx.our.example"
ID_LETTERS = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
DISOWNED = "DMARC fails; {} asks to reject"
# status, dsn, what the mailbox's server said; by how often
ENDS = (
    (95, ("sent", "2.0.0", "250 2.0.0 Ok: queued as 7C1D0")),
    (4, ("deferred", "4.2.2", "452 4.2.2 The recipient's inbox is full, try again later")),
    (1, ("bounced", "5.1.1", "550 5.1.1 No such user here")),
)


@dataclass(slots=True)
class Tallies:
    """What the worker would count."""

    days: dict[tuple[int, date], Counter[str]] = field(default_factory=dict)
    senders: dict[tuple[int, str], tuple[Counter[str], datetime, datetime]] = field(default_factory=dict)
    last: dict[int, datetime] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)

    def add(self, alias: Made, sender: str, counted: str, at: datetime) -> None:
        """One message to an alias; they come in the order of time."""
        self.owners[alias.id] = alias.owner_id
        self.days.setdefault((alias.id, at.date()), Counter())[counted] += 1
        tally, first, _ = self.senders.get((alias.id, sender), (Counter(), at, at))
        tally["refused" if counted == "refused" else "forwarded"] += 1
        self.senders[alias.id, sender] = tally, first, at
        if counted != "refused":
            self.last[alias.id] = at

    def rows(self) -> Iterator[tuple[Any, Row]]:
        """As `smtpy.store.counting` keeps them."""
        of_owners: dict[tuple[int, date], Counter[str]] = {}
        for (alias_id, day), tally in sorted(self.days.items(), key=itemgetter(0)):
            numbers = {name: tally[name] for name in NUMBERS}
            yield AliasDay, {"alias_id": alias_id, "day": day, **numbers}
            of_owners.setdefault((self.owners[alias_id], day), Counter()).update(numbers)
        for (owner_id, day), tally in of_owners.items():
            yield OwnerDay, {"owner_id": owner_id, "day": day, **{name: tally[name] for name in NUMBERS}}
        for (alias_id, address), (tally, first, last) in sorted(self.senders.items(), key=itemgetter(0)):
            numbers = {name: tally[name] for name in ("forwarded", "refused")}
            if tally["forwarded"]:
                times = {"first_at": first, "last_at": last}
                yield Correspondent, {"alias_id": alias_id, "address": address, **numbers, **times}


def moments(random: Random, count: int, end: datetime) -> Iterator[datetime]:
    """When mail comes, in order: more by day than by night, less on Sundays."""
    start, span = end - timedelta(days=DAYS), timedelta(days=DAYS) / count
    for number in range(count):
        at = start + span * (number + random.random())
        quiet = at.hour < 6 or at.weekday() == 6
        yield at + timedelta(hours=8) if quiet and random.random() < 0.6 and at + timedelta(hours=9) < end else at


@dataclass(frozen=True, slots=True)
class Size:
    """`told`: the last messages, of which there is what Postfix did."""

    aliases: int
    messages: int
    told: int


def mail(
    random: Random, to: Sequence[Made], size: Size, first: int, end: datetime, tallies: Tallies
) -> Iterator[tuple[Any, Row]]:
    """Rows of all messages; journal ids from `first` on."""
    written = [alias for alias in to if alias.slug]
    busy = written[: max(12, len(written) // 50)]
    for number, at in enumerate(moments(random, size.messages, end)):
        alias = random.choice(busy if number % 3 else written)
        message = _message(random, alias, first + number, at)
        if message.counted:
            tallies.add(alias, message.sender, message.counted, at)
        yield JournalRow, message.journal
        yield JournalRecipient, message.recipient
        if number >= size.messages - size.told and message.recipient["decision"] == "forward":
            yield from _happened(random, message, alias)


@dataclass(frozen=True, slots=True)
class _Message:
    sender: str
    counted: str  # column of a tally; "": none
    journal: Row
    recipient: Row


def _message(random: Random, alias: Made, number: int, at: datetime) -> _Message:
    stranger = random.random() < 0.08
    slug = random.choice(STRANGERS) if stranger else alias.slug
    domain = f"{slug}.example"
    sender = f"{'offer' if stranger else 'mail'}@{domain}"
    decision, why, counted = _decided(random, alias, domain, stranger)
    at_rcpt = decision == "refuse" and not stranger
    passes = "fail" if stranger else "pass"
    journal: Row = {
        "id": number,
        "uuid": uuid(random, at),
        "at": at,
        "stage": "rcpt" if at_rcpt else "front",
        "queue_id": None if at_rcpt else _queue_id(number),
        "parent": None,
        "client": f"{random.choice(NETWORKS)}.{random.randrange(1, 255)}",
        "reverse_path": sender,
        "message_id": None if at_rcpt else f"<{number}.{random.getrandbits(40):x}@{domain}>",
        "size": 900 + int(random.expovariate(1 / 24_000)),
        "verdict": {"refuse": "refuse", "drop": "discard"}.get(decision, "accept"),
        "why": why,
        "micros": 900 + random.randrange(4_000),
        "authentication": None if at_rcpt else _authentication(sender, domain, passes),
        **dict.fromkeys(("spf", "dkim", "dmarc"), None if at_rcpt else passes),
        "arc": None if at_rcpt else "none",
        "signed": f"r1._domainkey.{alias.domain} (rsa-sha256)" if decision == "forward" else None,
    }
    recipient: Row = {
        "journal_id": number,
        "position": 0,
        "recipient": alias.address,
        "key": alias.address,
        "domain": alias.domain,
        "alias_id": alias.id,
        "owner_id": alias.owner_id,
        "decision": decision,
        "targets": [alias.mailbox] if decision in ("forward", "hold") else [],
        "why": why,
    }
    return _Message(sender, counted, journal, recipient)


def _queue_id(number: int) -> str:
    """Postfix's long ones: the later, the higher."""
    letters = ""
    while number:
        number, digit = divmod(number, len(ID_LETTERS))
        letters = ID_LETTERS[digit] + letters
    return f"4jb{letters:0>6}zLzJpH"


def _decided(random: Random, alias: Made, domain: str, stranger: bool) -> tuple[str, str, str]:
    """Decision, reason, and the tally it counts for."""
    if not alias.on:
        return "refuse", "alias is switched off", "refused"
    if not stranger:
        return "forward", "exact alias", "forwarded"
    chance = random.random()
    if chance < 0.6:
        return "refuse", DISOWNED.format(domain), "refused"
    if chance < 0.8:
        return "hold", DISOWNED.format(domain), "held"
    return "forward", "exact alias", "forwarded"


def _authentication(sender: str, domain: str, result: str) -> str:
    return (
        f"{HOST}; spf={result} smtp.mailfrom={sender}; dkim={result} header.d={domain}; dmarc={result}"
        f" header.from={domain}; arc=none"
    )


def _happened(random: Random, message: _Message, alias: Made) -> Iterator[tuple[Any, Row]]:
    """The lines of Postfix's log about it."""
    queue_id, at = message.journal["queue_id"], message.journal["at"]
    (_, dsn, words) = end = random.choices([each for _, each in ENDS], [often for often, _ in ENDS])[0]
    delay = round(0.2 + random.expovariate(1.5), 2)
    relay = f"mx.{alias.mailbox.partition('@')[2]}[192.0.2.26]:25"
    tried = {"recipient": alias.mailbox, "key": alias.mailbox, "original": alias.address, "relay": relay}
    rows = [
        (0.0, {"kind": "queued", "sender": message.sender, "size": message.journal["size"]}),
        (delay, {"kind": end[0], **tried, "dsn": dsn, "words": words, "delay": delay}),
    ]
    if end[0] == "deferred":
        _, (status, dsn, words) = ENDS[0]
        rows.append((delay + 301, {"kind": status, **tried, "dsn": dsn, "words": words, "delay": delay + 301}))
    rows.append((rows[-1][0] + 0.01, {"kind": "removed"}))
    for place, (after, values) in enumerate(rows):
        name = blake2b(f"{queue_id} {place}".encode(), digest_size=16).hexdigest()
        when = at + timedelta(seconds=after)
        yield MailEvent, _EMPTY | {"digest": name, "at": when, "host": HOST, "queue_id": queue_id} | values


_EMPTY: Row = dict.fromkeys(
    ("other_id", "sender", "recipient", "key", "original", "relay", "dsn", "words", "delay", "size")
)

"""What a worker's sessions share: directory, DNS, secrets, journal, clock. Opened after the fork, closed at its end."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from uuid import uuid4

from smtpy.authn.authenticate import Claims, Origin, authenticate
from smtpy.authn.suffixes import Suffixes
from smtpy.config import Settings
from smtpy.directory.questions import Directory, Unavailable
from smtpy.directory.resolve import Forward, House
from smtpy.dns import Dns
from smtpy.mail.message import Message
from smtpy.mail.trace import first_pass
from smtpy.milter.engine import MustWait
from smtpy.pulse import Numbers
from smtpy.resolver import NotRemembered, Resolver
from smtpy.routing.arrival import Answers, Arrival, Stage, Terms
from smtpy.routing.ask import ask
from smtpy.routing.edits import RememberSender
from smtpy.routing.outcome import Plan
from smtpy.routing.plan import plan
from smtpy.routing.sealing import UNOPENED
from smtpy.routing.standing import Standing, standing_of
from smtpy.serving import Sparing
from smtpy.signing.body import OURS, BodyDigest, BodySpec
from smtpy.spans import span
from smtpy.store.cache import CachedDirectory, NotCached
from smtpy.store.directory import open_directory
from smtpy.store.journal import Delivery, Entry, Journal, JournalDown
from smtpy.store.returns import remember
from smtpy.terms import house_of, terms_of

log = logging.getLogger("smtpy.milter")
_sparing = Sparing(log)


@dataclass(frozen=True, slots=True)
class Ended:
    """A message at its end. `claims` is None where nobody asks for them; `digests` has those of its body."""

    stage: Stage
    message: Message
    claims: Claims | None
    digests: Mapping[BodySpec, BodyDigest]


Decide = Callable[[Ended], tuple[Arrival, Plan]]


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask about where a message is from, and for how long in all."""

    resolver: Resolver
    suffixes: Suffixes
    seconds: float
    trusted_sealers: frozenset[str]
    own_networks: tuple[IPv4Network | IPv6Network, ...]

    def trusts(self, client: str) -> bool:
        """Whether it is one of our own: nobody asks where their mail is from.

        A client without an address is not: what really is local Postfix tells as 127.0.0.1, sendmail(1) and its -bs too
        (seen with 3.7), and an unknown one stands for a client of which nobody can say who it was, as by XCLIENT.
        """
        try:
            address = ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self.own_networks)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a session asks of its worker. For any number of threads."""

    directory: CachedDirectory
    house: House
    terms: Terms
    journal: Journal
    asking: Asking
    numbers: Numbers

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return str(uuid4())

    def decide(self, ended: Ended) -> tuple[Arrival, Plan]:
        """The plan for a message, and what it was made from. Raises Unavailable when the directory does not know."""
        return self._decide(ended, self.directory, self.asking.resolver.within(self.asking.seconds))

    def decide_at_once(self, ended: Ended) -> tuple[Arrival, Plan]:
        """The same from memory. Raises MustWait when memory does not know, or the plan is to be written down first."""
        try:
            arrival, decided = self._decide(ended, self.directory.ready(), self.asking.resolver.remembered())
        except (NotCached, NotRemembered):
            raise MustWait from None
        if _is_written_first(decided):
            raise MustWait
        return arrival, decided

    def _decide(self, ended: Ended, directory: Directory, dns: Dns) -> tuple[Arrival, Plan]:
        now, envelope = self.now(), ended.message.envelope
        answers = ask(envelope, ended.stage, directory, self.house, now)
        asked = _is_forwarded(answers) and not self.asking.trusts(envelope.client)
        standing = self._standing(ended, ended.claims, dns, now) if ended.claims and asked else None
        arrival = Arrival(self.new_id(), ended.stage, ended.message, now, standing, ended.digests.get(OURS))
        with span("plan"):
            decided = plan(arrival, answers, self.terms)
        if UNOPENED in decided.signed:
            _sparing.warning("no encryption key opens some signing keys, mail leaves unsigned: see smtpy doctor")
        return arrival, decided

    def _standing(self, ended: Ended, claims: Claims, dns: Dns, now: datetime) -> Standing:
        envelope, asking = ended.message.envelope, self.asking
        origin = Origin(envelope.client, envelope.helo, envelope.reverse_path, self.house.hostname)
        with span("authn"):
            found = authenticate(claims, ended.digests, origin, dns, asking.suffixes, now)
        return standing_of(found, self.house.hostname, asking.suffixes, asking.trusted_sealers)

    def remember(self, token: str, sender: str) -> None:
        """Store a sender. Raises Unavailable."""
        remember(self.directory.engine, token, sender, self.now())

    def record(self, arrival: Arrival, decided: Plan, queue_id: str, micros: int) -> None:
        """The journal's row. Raises Unavailable only where the row must come before the 250."""
        entry = entry_of(arrival, decided, self.terms, queue_id, micros)
        if not decided.must_record:
            self.journal.record(entry)
            return
        try:
            self.journal.record_now(entry)
        except JournalDown as down:
            raise Unavailable("the journal cannot record what would be dropped") from down

    def told(self) -> dict[str, float]:
        """How it does, for `smtpy.pulse`."""
        return {**self.directory.told(), **self.journal.told(), **self.numbers.told()}

    def close(self) -> None:
        """Write what is left and let go of the database."""
        self.journal.close(timeout=2.0)
        self.directory.close()


def _is_written_first(decided: Plan) -> bool:
    """Whether something has to be in the database before the client hears 250."""
    return decided.must_record or any(isinstance(each, RememberSender) for each in decided.edits)


def _is_forwarded(answers: Answers) -> bool:
    return any(isinstance(each, Forward) for each in answers.resolutions)


def open_desk(settings: Settings) -> Desk:
    """Open directory and journal. Does not need the database to be there yet."""
    directory = open_directory(settings)
    journal = Journal(directory.engine, every=settings.journal_batch_seconds, buffer=settings.journal_buffer)
    resolver = Resolver(settings.dns_servers, settings.dns_timeout_seconds)
    suffixes = Suffixes()
    suffixes.is_suffix("example")  # has it read the list now, not while a client waits
    trusted = frozenset(settings.trusted_sealers)
    asking = Asking(resolver, suffixes, settings.authentication_seconds, trusted, settings.own_networks)
    return Desk(directory, house_of(settings), terms_of(settings), journal, asking, Numbers("put_off"))


def entry_of(arrival: Arrival, decided: Plan, terms: Terms, queue_id: str, micros: int) -> Entry:
    """The journal row of a decided message."""
    message, standing = arrival.message, arrival.standing
    words = standing.words if standing else {}
    first = first_pass(message, terms.keys)
    return Entry(
        uuid=arrival.id,
        at=arrival.now,
        stage=arrival.stage.value,
        queue_id=queue_id or None,
        parent=first.id if first else None,
        client=message.envelope.client,
        reverse_path=message.envelope.reverse_path,
        message_id=message.message_id,
        size=message.size,
        verdict=decided.verdict.value,
        why=decided.why,
        micros=micros,
        authentication=standing.results if standing else None,
        signed=decided.signed or None,
        spf=words.get("spf"),
        dkim=words.get("dkim"),
        dmarc=words.get("dmarc"),
        arc=words.get("arc"),
        recipients=tuple(
            Delivery(outcome.recipient, outcome.key, outcome.alias_id, outcome.decision, outcome.targets, outcome.why)
            for outcome in decided.outcomes
        ),
    )

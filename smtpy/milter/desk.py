"""What a worker's sessions share: directory, secrets, journal, clock. Opened after the fork, closed at its end."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from smtpy.config import Settings
from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import House
from smtpy.mail.trace import parent_of
from smtpy.routing.ask import ask
from smtpy.routing.plan import Arrival, Plan, Terms, plan
from smtpy.store.cache import CachedDirectory
from smtpy.store.directory import open_directory
from smtpy.store.journal import Delivery, Entry, Journal, JournalDown
from smtpy.store.returns import remember
from smtpy.terms import house_of, terms_of


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a session asks of its worker."""

    directory: CachedDirectory
    house: House
    terms: Terms
    journal: Journal

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        return str(uuid4())

    def decide(self, arrival: Arrival) -> Plan:
        """The plan for a message. Raises Unavailable when the directory does not know."""
        answers = ask(arrival.message.envelope, arrival.stage, self.directory, self.house, arrival.now)
        return plan(arrival, answers, self.terms)

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

    def close(self) -> None:
        """Write what is left and let go of the database."""
        self.journal.close(timeout=2.0)
        self.directory.close()


def open_desk(settings: Settings) -> Desk:
    """Open directory and journal. Does not need the database to be there yet."""
    directory = open_directory(settings)
    journal = Journal(directory.engine, every=settings.journal_batch_seconds, buffer=settings.journal_buffer)
    return Desk(directory, house_of(settings), terms_of(settings), journal)


def entry_of(arrival: Arrival, decided: Plan, terms: Terms, queue_id: str, micros: int) -> Entry:
    """The journal row of a decided message."""
    message = arrival.message
    return Entry(
        uuid=arrival.id,
        at=arrival.now,
        stage=arrival.stage.value,
        queue_id=queue_id or None,
        parent=parent_of(message, terms.keys),
        client=message.envelope.client,
        reverse_path=message.envelope.reverse_path,
        message_id=message.message_id,
        size=message.size,
        verdict=decided.verdict.value,
        why=decided.why,
        micros=micros,
        recipients=tuple(
            Delivery(outcome.recipient, outcome.key, outcome.alias_id, outcome.decision, outcome.targets, outcome.why)
            for outcome in decided.outcomes
        ),
    )

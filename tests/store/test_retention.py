"""What has been kept for long enough goes, a batch at a time; what is still needed stays. On both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from smtpy.store import bounce_counting, counting, retention
from smtpy.store.accounts import Announcement, Dismissal
from smtpy.store.engine import open_engine
from smtpy.store.events import MailEvent
from smtpy.store.records import JournalRecipient, JournalRow, ReturnToken
from smtpy.store.rows import write
from smtpy.store.schema import Role, User
from smtpy.store.tallies import AliasDay
from tests.store.test_counting import alias, decided  # noqa: F401 - a fixture
from tests.store.test_journal import entry
from tests.store.town import NOW

DAY = timedelta(days=1)


def many(engine: Engine, table: Any) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def put(engine: Engine, *ages: int) -> None:
    """Messages that came so many days before NOW."""
    with engine.begin() as connection:
        write(connection, [entry(number, at=NOW - days * DAY) for number, days in enumerate(ages)])


def tell(engine: Engine, *ages: int) -> None:
    """Events of so many days before NOW."""
    with Session(engine) as session, session.begin():
        for number, days in enumerate(ages):
            row = {"digest": f"{number:032}", "host": "mx", "kind": "sent", "queue_id": f"4Q{number}"}
            session.add(MailEvent(at=NOW - days * DAY, **row))


def count_all(engine: Engine) -> None:
    counting.count(engine)
    bounce_counting.count(engine, NOW)


def test_old_messages_go_with_their_recipients(engine: Engine) -> None:
    put(engine, 100, 91, 89, 0)
    count_all(engine)
    assert retention.journal(engine, NOW - 90 * DAY) == 2
    assert (many(engine, JournalRow), many(engine, JournalRecipient)) == (2, 2)
    assert retention.journal(engine, NOW - 90 * DAY) == 0


def test_what_happened_stays_a_day_longer_than_the_message(engine: Engine) -> None:
    tell(engine, 100, 91, 90, 89, 0)
    count_all(engine)
    assert retention.events(engine, NOW - 90 * DAY) == 1
    tell_ages = [91, 90, 89, 0]
    with Session(engine) as session:
        assert [(NOW - at).days for at in session.scalars(select(MailEvent.at).order_by(MailEvent.id))] == tell_ages


def test_counts_by_day_stay(engine: Engine, alias: int) -> None:  # noqa: F811
    with engine.begin() as connection:
        write(connection, [decided(alias, "forward", number) for number in range(4)])
    counting.count(engine)
    assert retention.journal(engine, NOW + DAY) == 3
    with Session(engine) as session:
        assert session.scalars(select(AliasDay.forwarded)).all() == [4]


@pytest.mark.parametrize(
    ("fill", "purge", "table"), [(put, retention.journal, JournalRow), (tell, retention.events, MailEvent)]
)
def test_what_has_not_been_counted_stays(
    engine: Engine, fill: Callable[..., None], purge: retention.Purge, table: Any
) -> None:
    fill(engine, 100, 100, 100)
    assert purge(engine, NOW, retention.BATCH) == 0
    count_all(engine)
    assert purge(engine, NOW, retention.BATCH) == 2


@pytest.mark.parametrize(("fill", "purge"), [(put, retention.journal), (tell, retention.events)])
def test_no_number_is_given_again(engine: Engine, fill: Callable[..., None], purge: retention.Purge) -> None:
    """After a quiet year the newest row is old as well: it stays, so that the next has a number no reader is beyond."""
    table = JournalRow if fill is put else MailEvent
    fill(engine, 400, 400)
    count_all(engine)
    purge(engine, NOW, retention.BATCH)
    with Session(engine) as session:
        (last,) = session.scalars(select(table.id))
    put(engine, 0)
    assert counting.count(engine) == 1
    assert last == 2


def test_a_batch_takes_no_more_than_it_may_and_the_oldest_first(engine: Engine) -> None:
    put(engine, 95, 99, 97, 98, 0)
    count_all(engine)
    assert retention.journal(engine, NOW - 90 * DAY, 3) == 3
    with Session(engine) as session:
        assert [(NOW - at).days for at in session.scalars(select(JournalRow.at).order_by(JournalRow.at))] == [95, 0]


def test_a_sender_goes_when_no_return_address_leads_to_it(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        for name, days in (("old", 22), ("used", 20)):
            at = NOW - days * DAY
            session.add(ReturnToken(token=name, sender=f"{name}@far.example", created_at=NOW - 90 * DAY, used_at=at))
    assert retention.senders(engine, NOW - 21 * DAY) == 1
    with Session(engine) as session:
        assert session.scalars(select(ReturnToken.token)).all() == ["used"]


def test_announcements_go_when_they_have_long_been_over(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        reader = User(email="ann@people.example", key="ann@people.example", role=Role.USER)
        session.add(reader)
        for text, until in (("over", 31), ("just over", 29), ("going", None), ("to come", -5)):
            ends = NOW - until * DAY if until is not None else None
            session.add(Announcement(text=text, level="info", shown_from=NOW - 99 * DAY, shown_until=ends))
        session.flush()
        for number in session.scalars(select(Announcement.id)).all():
            session.add(Dismissal(announcement_id=number, user_id=reader.id))
    assert retention.announcements(engine, NOW - 30 * DAY) == 1
    with Session(engine) as session:
        assert session.scalars(select(Announcement.text).order_by(Announcement.id)).all() == [
            "just over", "going", "to come",
        ]  # fmt: skip
    assert many(engine, Dismissal) == 3


def test_others_write_meanwhile(database_url: str) -> None:
    """Whoever writes the journal waits for a batch at most, here with less patience than the whole purge takes."""
    patient, hasty = open_engine(database_url, deadline=60.0), open_engine(database_url, deadline=0.5)
    old = [entry(number, at=NOW - 100 * DAY) for number in range(3000)]
    with patient.begin() as connection:
        write(connection, old)
    while counting.count(patient):
        pass
    done, written = Event(), 0

    def purge() -> None:
        while retention.journal(patient, NOW, 100):
            done.wait(0.01)
        done.set()

    thread = Thread(target=purge)
    thread.start()
    while not done.is_set():
        with hasty.begin() as connection:  # raises where the lock is held for longer
            write(connection, [entry(at=datetime.now(UTC) + DAY)])
        written += 1
        done.wait(0.005)
    thread.join()
    assert written > 5
    assert many(patient, JournalRow) >= written
    patient.dispose()
    hasty.dispose()

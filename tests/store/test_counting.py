"""The journal counted on: each row once, on both databases, whatever ends half-way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from smtpy.store import counting
from smtpy.store.records import JournalRow
from smtpy.store.rows import Entry, write
from smtpy.store.schema import Alias, AliasMailbox
from smtpy.store.tallies import AliasDay, Correspondent, OwnerDay
from tests.store.test_journal import delivery, entry
from tests.store.town import NOW, found

DAY = date(2026, 11, 23)


@pytest.fixture
def alias(engine: Engine) -> int:
    found(engine)
    with Session(engine) as session:
        return session.scalars(select(Alias.id)).one()


def put(engine: Engine, *rows: Entry) -> None:
    with engine.begin() as connection:
        write(connection, rows)


def decided(alias: int, decision: str, number: int = 0, **values: Any) -> Entry:
    return entry(number, delivery(alias_id=alias, decision=decision), **values)


def days(engine: Engine) -> dict[date, tuple[int, int, int, int]]:
    """Of the alias, which is all that its owner has."""
    with Session(engine) as session:
        of_alias, of_owner = (
            {row.day: (row.forwarded, row.refused, row.held, row.bounced) for row in session.scalars(select(table))}
            for table in (AliasDay, OwnerDay)
        )
    assert of_owner == of_alias
    return of_alias


def senders(engine: Engine) -> dict[str, tuple[int, int]]:
    with Session(engine) as session:
        return {row.address: (row.forwarded, row.refused) for row in session.scalars(select(Correspondent))}


def last_at(engine: Engine) -> datetime | None:
    with Session(engine) as session:
        return session.scalar(select(Alias.last_at))


def test_each_end_counts_as_what_it_is(engine: Engine, alias: int) -> None:
    ends = ("forward", "forward", "hold", "refuse", "drop", "loop", "discard", "split", "relay")
    put(engine, *(decided(alias, end, number) for number, end in enumerate(ends)))
    assert counting.count(engine) == len(ends)
    assert days(engine) == {DAY: (2, 4, 1, 0)}
    assert senders(engine) == {"author@far.example": (3, 4)}


def test_a_newsletter_is_one_sender(engine: Engine, alias: int) -> None:
    for number in range(3):
        path = f"list-return-{number + 99}-sales=our.example@lists.example"
        put(engine, decided(alias, "forward", number, reverse_path=path))
        put(
            engine, decided(alias, "forward", number, reverse_path=f"SRS0=HH{number}H=TT=home.example=Anna@far.example")
        )
    put(engine, decided(alias, "refuse", 9, reverse_path="list-return-7-sales=our.example@lists.example"))
    counting.count(engine)
    assert senders(engine) == {"list-return-*@lists.example": (3, 1), "anna@home.example": (3, 0)}


def test_a_row_counts_once(engine: Engine, alias: int) -> None:
    put(engine, *(decided(alias, "forward", number) for number in range(5)))
    assert [counting.count(engine, 2) for _ in range(4)] == [2, 2, 1, 0]
    put(engine, decided(alias, "forward", 9))
    assert [counting.count(engine) for _ in range(2)] == [1, 0]
    assert days(engine) == {DAY: (6, 0, 0, 0)}


def test_days_are_those_of_utc(engine: Engine, alias: int) -> None:
    zone = datetime(2026, 11, 24, 0, 30).astimezone().tzinfo
    late = datetime(2026, 11, 23, 23, 59, tzinfo=UTC).astimezone(zone)
    put(engine, decided(alias, "forward", at=late), decided(alias, "forward", at=late + timedelta(minutes=2)))
    counting.count(engine)
    assert days(engine) == {DAY: (1, 0, 0, 0), DAY + timedelta(days=1): (1, 0, 0, 0)}


def test_the_last_mail_is_the_latest_that_came_through(engine: Engine, alias: int) -> None:
    with Session(engine) as session:
        changed = session.scalar(select(Alias.updated_at))
    put(engine, decided(alias, "forward", 60), decided(alias, "forward", 5), decided(alias, "refuse", 90))
    counting.count(engine)
    put(engine, decided(alias, "forward", 7))
    counting.count(engine)
    assert last_at(engine) == NOW + timedelta(seconds=60)
    with Session(engine) as session:
        assert session.scalar(select(Alias.updated_at)) == changed


def test_who_was_only_turned_away_gets_no_row(engine: Engine, alias: int) -> None:
    put(engine, *(decided(alias, "refuse", number, reverse_path=f"{number}@spam.example") for number in range(3)))
    counting.count(engine)
    assert senders(engine) == {}
    put(engine, decided(alias, "forward", 4, reverse_path="Ann@Far.Example"))
    counting.count(engine)
    put(engine, decided(alias, "refuse", 5, reverse_path="ann@far.example"), decided(alias, "forward", reverse_path=""))
    counting.count(engine)
    assert senders(engine) == {"ann@far.example": (1, 1), "": (1, 0)}


def test_what_strangers_choose_is_no_trouble(engine: Engine, alias: int) -> None:
    odd = ("x" * 400 + "@far.example", "no address", "\udcff@far.example", "a\0b@far.example")
    put(engine, *(decided(alias, "forward", number, reverse_path=path) for number, path in enumerate(odd)))
    assert counting.count(engine) == len(odd)
    assert sum(forwarded for forwarded, _ in senders(engine).values()) == len(odd)


def test_an_alias_that_was_purged_is_let_go(engine: Engine, alias: int) -> None:
    put(engine, decided(alias, "forward"))
    with Session(engine) as session, session.begin():
        session.execute(delete(AliasMailbox))
        session.execute(delete(Alias))
    assert counting.count(engine) == 1
    assert days(engine) == {}


def test_what_ends_half_way_is_counted_once_the_next_time(
    engine: Engine, alias: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, decided(alias, "forward"))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(counting, "move", die)  # all is counted, and the position not yet written
        with pytest.raises(KeyboardInterrupt):
            counting.count(engine)
    assert days(engine) == {}
    assert counting.count(engine) == 1
    assert days(engine) == {DAY: (1, 0, 0, 0)}


def test_a_number_that_is_given_again_counts_again(engine: Engine, alias: int) -> None:
    put(engine, decided(alias, "forward"), decided(alias, "forward"))
    counting.count(engine)
    with Session(engine) as session, session.begin():
        session.execute(delete(JournalRow))
    counting.count(engine)
    put(engine, decided(alias, "forward"))
    assert counting.count(engine) == 1
    assert days(engine) == {DAY: (3, 0, 0, 0)}


def test_a_row_that_is_committed_late_is_not_passed_over(engine: Engine, alias: int) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with engine.connect() as slow:
        slow.begin()
        write(slow, [decided(alias, "forward")])  # has its number, and is not committed
        put(engine, decided(alias, "forward"))
        assert counting.count(engine) == 0
        slow.commit()
    assert counting.count(engine) == 2
    assert days(engine) == {DAY: (2, 0, 0, 0)}


def test_two_that_count_at_once_count_once(patient_engine: Engine) -> None:
    found(patient_engine)
    with Session(patient_engine) as session:
        alias = session.scalars(select(Alias.id)).one()
    put(patient_engine, *(decided(alias, "forward", number) for number in range(60)))
    with ThreadPoolExecutor(2) as pool:
        counted = list(pool.map(lambda _: counting.count(patient_engine, 5), range(16)))
    while more := counting.count(patient_engine, 5):
        counted.append(more)
    assert sum(counted) == 60
    assert days(patient_engine) == {DAY: (60, 0, 0, 0)}

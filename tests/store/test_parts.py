"""The journal in parts, on PostgreSQL: what is old goes with its table, and no row is without a place."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, inspect, select, text
from sqlalchemy.orm import Session

from smtpy.maillog.read import read
from smtpy.store import bounce_counting, counting, happenings, metering, migrate, parts, retention, timeline
from smtpy.store.columns import Base
from smtpy.store.engine import open_engine
from smtpy.store.events import MailEvent
from smtpy.store.happenings import Line, Position
from smtpy.store.journal import entries
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.rows import write
from tests.postgres import Postgres
from tests.store.test_bounce_counting import happen
from tests.store.test_journal import delivery, entry
from tests.store.test_migrate import OLD_JOURNAL, OLD_RECIPIENT
from tests.store.test_retention import DAY, count_all, many
from tests.store.town import NOW

SPAN = 9 * DAY
TABLES = ("journal", "journal_recipients", "mail_events")
LINE = (
    b"2026-11-23T12:00:00.5+00:00 mx postfix/smtp[1]: 4F2B1C0A9D: to=<a@far.example>, relay=none,"
    b" delay=1, delays=0.1/0/0.4/0.5, dsn=2.0.0, status=sent (250 ok)"
)


@pytest.fixture
def engine(postgres: Postgres, postgres_template: str) -> Iterator[Engine]:
    opened = open_engine(postgres.new_database(postgres_template), deadline=2.0)
    yield opened
    opened.dispose()


def put(engine: Engine, *ages: float) -> None:
    """Messages that came so many days before NOW, and what the log told of each."""
    with engine.begin() as connection:
        write(connection, [entry(at=NOW - days * DAY) for days in ages])
    for days in ages:
        happen(engine, at=NOW - days * DAY, kind="sent")


def divide(engine: Engine, days: float = 0) -> list[str]:
    """As the worker does it so many days before NOW."""
    return parts.divide(engine, NOW - days * DAY, SPAN)


def parts_of(engine: Engine) -> dict[str, set[int]]:
    with engine.connect() as connection:
        return {table: parts.numbers(connection, table) for table in TABLES}


def all_have(numbers: set[int]) -> dict[str, set[int]]:
    return {table: numbers for table in TABLES}  # noqa: C420 - a mutable value


def places(engine: Engine) -> list[tuple[int, int]]:
    """Of each message the part and its number there."""
    with engine.connect() as connection:
        return [divmod(number, parts.STRIDE) for number in connection.scalars(select(JournalRow.id).order_by("id"))]


@pytest.fixture
def hundred_days(engine: Engine) -> Engine:
    """A message each ten days, the worker at work, so that a part has two; all counted."""
    for age in range(101, -1, -10):
        put(engine, age)
        divide(engine, age)
    while counting.count(engine) or bounce_counting.count(engine, NOW + DAY):
        pass
    return engine


def test_a_part_begins_when_the_last_one_is_old_enough(engine: Engine) -> None:
    put(engine, 10)
    assert divide(engine, 2) == []
    assert divide(engine, 0.5) == ["journal_1", "mail_events_1"]
    assert divide(engine, 0) == []
    put(engine, 0)
    assert places(engine) == [(0, 1), (1, 0)]
    assert parts_of(engine) == all_have({0, 1, 2})


def test_the_next_part_is_made_before_it_is_needed(engine: Engine) -> None:
    assert divide(engine) == []
    assert parts_of(engine) == all_have({0, 1})


def test_a_part_that_is_full_leads_into_the_next(engine: Engine) -> None:
    divide(engine)
    with engine.begin() as connection:
        connection.execute(text(f"SELECT setval('journal_id_seq', {parts.STRIDE - 2})"))
    put(engine, 800, 400)
    assert places(engine) == [(0, parts.STRIDE - 1), (1, 0)]
    divide(engine)
    assert parts_of(engine)["journal"] == {0, 1, 2}


def test_a_clock_that_is_wrong_makes_no_part_each_hour(engine: Engine) -> None:
    for number in range(parts.MOST + 5):
        put(engine, 10_000)
        divide(engine, -number)
    assert len(parts_of(engine)["journal"]) == parts.MOST + 1


def test_each_part_has_the_indexes_of_the_first_one(hundred_days: Engine) -> None:
    """The first one is the table there was before; the others were made."""
    inspector = inspect(hundred_days)

    def indexes(table: str) -> set[tuple[object, ...]]:
        found = inspector.get_indexes(table)
        key = tuple(inspector.get_pk_constraint(table)["constrained_columns"])
        return {(*each["column_names"], each["unique"], str(each["dialect_options"])) for each in found} | {key}

    for table in TABLES:
        first = indexes(f"{table}_0")
        assert len(first) >= 4
        assert [indexes(f"{table}_{number}") == first for number in (1, 2)] == [True, True]
        assert set(inspector.get_indexes(table)[0]["column_names"]) <= set(Base.metadata.tables[table].columns.keys())


def test_old_parts_go_whole_and_what_is_left_is_kept_a_tenth_longer_at_most(hundred_days: Engine) -> None:
    before = parts_of(hundred_days)
    gone = retention.journal(hundred_days, NOW - 90 * DAY, slack=SPAN)
    assert gone == 2
    with hundred_days.connect() as connection:
        oldest, messages = connection.execute(select(func.min(JournalRow.at), func.count(JournalRow.id))).one()
    assert oldest == NOW - 81 * DAY
    assert messages == many(hundred_days, JournalRecipient) == 11 - gone
    assert parts_of(hundred_days)["journal"] == before["journal"] - {0}
    assert parts_of(hundred_days)["journal_recipients"] == before["journal_recipients"] - {0}
    assert retention.journal(hundred_days, NOW - 90 * DAY, slack=SPAN) == 0
    assert retention.events(hundred_days, NOW - 89 * DAY, slack=SPAN) == 2


def test_a_part_that_has_been_in_use_for_too_long_loses_single_rows(engine: Engine) -> None:
    """Such as the one that an upgrade has made of all there was."""
    put(engine, 120, 100, 99, 98, 0)
    count_all(engine)
    assert retention.journal(engine, NOW - 90 * DAY, slack=SPAN) == 2
    assert (many(engine, JournalRow), many(engine, JournalRecipient)) == (3, 3)


def test_what_has_not_been_counted_stays(engine: Engine) -> None:
    put(engine, 200)
    divide(engine, 190)
    assert retention.journal(engine, NOW - 90 * DAY) == retention.events(engine, NOW - 90 * DAY) == 0
    count_all(engine)
    assert (retention.journal(engine, NOW - 90 * DAY), retention.events(engine, NOW - 90 * DAY)) == (1, 1)
    assert parts_of(engine) == all_have({1})


def test_nobody_is_waited_for(hundred_days: Engine) -> None:
    """A backup reads for minutes: nothing is dropped meanwhile, and whoever writes does not stand behind us."""
    with hundred_days.connect().execution_options(isolation_level="REPEATABLE READ") as reader:
        reader.execute(select(func.count(JournalRow.id)))
        before = parts_of(hundred_days)
        assert retention.journal(hundred_days, NOW - 90 * DAY, slack=2 * SPAN) == 0
        assert parts_of(hundred_days) == before
        put(hundred_days, 0)
    assert retention.journal(hundred_days, NOW - 90 * DAY, slack=2 * SPAN) == 2
    with hundred_days.begin() as writer:
        write(writer, [entry()])
        assert divide(hundred_days, -20) == ["mail_events_6"]
    assert divide(hundred_days, -20) == ["journal_6"]


def test_readers_go_on_over_the_gap_between_two_parts(engine: Engine) -> None:
    put(engine, 20)
    place = metering.end(engine)
    divide(engine, 0)
    put(engine, 0)
    assert [counting.count(engine), counting.count(engine)] == [2, 0]
    assert bounce_counting.count(engine, NOW + DAY) == 2
    found = metering.fresh(engine, place)
    assert (len(found.messages), len(found.events), found.until) == (2, 2, metering.end(engine))
    assert [each.id for each in entries(engine)] == [parts.STRIDE, 1]


EVENTS_OF_A_PART = text(
    "INSERT INTO mail_events (id, digest, at, host, kind, queue_id) SELECT :first + n, md5((:first + n)::text),"
    " :at + n * interval '1 s', 'mx', 'sent', 'Q' || :first + n FROM generate_series(1, 3000) n"
)


def test_what_the_log_told_of_messages_is_read_by_their_queue_ids(engine: Engine) -> None:
    """Also once PostgreSQL plans for any values, which it does after some uses of a statement: all by time, if let."""
    with engine.begin() as connection:
        for number in range(10):
            parts.make(connection, parts.EVENTS, number)
            connection.execute(EVENTS_OF_A_PART, {"first": number * parts.STRIDE, "at": NOW + number * DAY})
        connection.exec_driver_sql("ANALYZE")
    with Session(engine) as session:
        driver: Any = session.connection().connection.dbapi_connection
        driver.prepare_threshold = 0
        session.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        found = timeline.told_of(session, [f"Q{number}" for number in range(1000, 1050)], NOW, NOW + DAY)
        assert sum(map(len, found.values())) == 50
        read = (
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE relname LIKE 'mail_events_%'"
        )
        assert session.scalar(text(read)) < 500


def test_after_a_quiet_year_only_what_is_in_use_is_left(engine: Engine) -> None:
    put(engine, 400)
    divide(engine, 380)
    count_all(engine)
    assert retention.journal(engine, NOW - 90 * DAY) == 1
    assert counting.count(engine) == 0
    put(engine, 0)
    assert counting.count(engine) == 1


def test_a_line_that_is_read_again_is_kept_once_in_whichever_part(engine: Engine) -> None:
    logged = read(LINE, NOW)
    assert logged is not None
    line, behind = Line(0, LINE, logged), Position("file", len(LINE), b"")
    happenings.keep(engine, "mx", "/log", [line], behind)
    parts.divide(engine, logged.at + 10 * DAY, SPAN)
    happenings.keep(engine, "mx", "/log", [line, Line(len(LINE), LINE, logged)], behind)
    with engine.connect() as connection:
        numbers = connection.scalars(select(MailEvent.id).order_by(MailEvent.id)).all()
    assert numbers == [1, parts.STRIDE]


def test_what_was_there_before_is_the_first_part_and_is_whole_again_on_the_way_back(postgres: Postgres) -> None:
    engine = open_engine(postgres.new_database())
    migrate.upgrade(engine, "0003")
    with engine.begin() as connection:
        connection.exec_driver_sql(OLD_JOURNAL)
        connection.execute(text(OLD_RECIPIENT), {"key": "a@our.example"})
        connection.exec_driver_sql("SELECT setval('journal_id_seq', 1)")
    migrate.upgrade(engine)
    parts.divide(engine, datetime(2027, 1, 1, tzinfo=UTC), SPAN)
    with engine.begin() as connection:
        write(connection, [entry(1, delivery("b@our.example"))])
    for act in (lambda: migrate.downgrade(engine, "0008"), lambda: migrate.upgrade(engine)):
        act()
        with engine.connect() as connection:
            found = connection.execute(
                select(JournalRow.id, JournalRecipient.key).join(
                    JournalRecipient, JournalRow.id == JournalRecipient.journal_id
                )
            )
            assert sorted(map(tuple, found)) == [(1, "a@our.example"), (parts.STRIDE, "b@our.example")]
    engine.dispose()

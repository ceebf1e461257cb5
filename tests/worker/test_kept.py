"""What is kept of checks, whose turn it is, and leases; on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import domains, keys, mailboxes
from smtpy.admin.change import change, reading
from smtpy.config import Settings
from smtpy.store.checks import DomainCheck
from smtpy.store.findings import SILENT, SOON, Subject, due, failing, forget, keep
from smtpy.store.leases import LONGEST, held_until, leave, take
from smtpy.terms import vault_of
from smtpy.worker.duties import DUTIES
from smtpy.worker.server import LEASE
from smtpy.zone.findings import Finding, Status
from smtpy.zone.records import Kind
from tests.worker.conftest import INBOX

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OURS, THEIRS = Subject("our.example", ours=True), Subject("inbox.example", ours=False)


def finding(status: Status, kind: Kind = Kind.SPF, *, required: bool = True) -> Finding:
    return Finding(kind, "our.example", status, required, "TXT v=spf1 mx -all", ("nothing",), "add it")


def row(engine: Engine, kind: Kind = Kind.SPF) -> DomainCheck:
    with Session(engine) as session:
        found = session.get_one(DomainCheck, ("our.example", kind.value, "our.example"))
        session.expunge(found)
        return found


def whose_turn(engine: Engine, now: datetime) -> tuple[Subject, ...]:
    with reading(engine) as session:
        return due(session, now, DAY, 100)


def test_failures_in_a_row_are_counted_and_end_with_what_is_good(house: Engine) -> None:
    counted = []
    for hour, status in enumerate(Status.__members__.values()):
        keep(house, "our.example", [finding(status)], NOW + hour * HOUR)
        counted.append((status.value, row(house).failures, row(house).ok_at))
    at_last_good = NOW + HOUR
    assert counted == [
        ("ok", 0, NOW),
        ("warning", 0, at_last_good),
        ("unknown", 1, at_last_good),
        ("missing", 2, at_last_good),
        ("wrong", 3, at_last_good),
    ]
    keep(house, "our.example", [finding(Status.OK)], NOW + DAY)
    assert (row(house).failures, row(house).ok_at, row(house).found) == (0, NOW + DAY, ["nothing"])


def test_what_is_not_wanted_any_more_goes(house: Engine) -> None:
    keep(house, "our.example", [finding(Status.OK), finding(Status.OK, Kind.MX)], NOW)
    keep(house, "our.example", [finding(Status.OK, Kind.MX)], NOW + HOUR)
    with Session(house) as session:
        assert session.scalars(select(DomainCheck.kind)).all() == ["mx"]


def test_what_was_never_checked_is_due_then_once_a_day(house: Engine, settings: Settings) -> None:
    assert whose_turn(house, NOW) == (OURS, THEIRS)
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
    keep(house, "our.example", [finding(Status.OK)], NOW)
    keep(house, "inbox.example", [finding(Status.WRONG)], NOW)
    assert whose_turn(house, NOW + DAY - HOUR) == ()
    assert whose_turn(house, NOW + DAY) == (THEIRS, OURS)
    keep(house, "inbox.example", [finding(Status.WRONG)], NOW + HOUR)
    assert whose_turn(house, NOW + DAY) == (OURS,)
    assert whose_turn(house, NOW + 2 * DAY) == (OURS, THEIRS)


def test_what_a_clock_wrote_that_was_ahead_is_due(house: Engine, settings: Settings) -> None:
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
    keep(house, "inbox.example", [finding(Status.OK)], NOW)
    keep(house, "our.example", [finding(Status.OK), finding(Status.OK, Kind.MX)], NOW + 400 * DAY)
    assert whose_turn(house, NOW) == (OURS,)
    keep(house, "our.example", [finding(Status.OK)], NOW)
    assert whose_turn(house, NOW) == ()


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.MISSING, Status.WRONG])
def test_what_does_not_work_is_due_soon(house: Engine, settings: Settings, status: Status) -> None:
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
    keep(house, "our.example", [finding(Status.OK, Kind.MX), finding(status)], NOW)
    keep(house, "inbox.example", [finding(status)], NOW)
    assert whose_turn(house, NOW + SOON) == (OURS,)
    keep(house, "our.example", [finding(Status.OK, Kind.MX), finding(status, required=False)], NOW)
    assert whose_turn(house, NOW + SOON) == ()


def test_a_key_that_waits_is_looked_for_soon(house: Engine) -> None:
    keep(house, "our.example", [finding(Status.OK)], NOW)
    keep(house, "inbox.example", [finding(Status.OK)], NOW)
    assert whose_turn(house, NOW + SOON) == (OURS,)


def test_failing_is_what_is_required_and_does_not_work(house: Engine) -> None:
    for hour in range(SILENT):
        found = [
            finding(Status.WRONG, Kind.MX),
            finding(Status.UNKNOWN, Kind.SPF),
            finding(Status.WARNING, Kind.OWNERSHIP),
            finding(Status.MISSING, Kind.DMARC, required=False),
        ]
        keep(house, "our.example", found, NOW + hour * HOUR)
        with reading(house) as session:
            told = [(each.kind, each.failures) for each in failing(session, 10)]
        assert told == ([("mx", hour + 1)] if hour + 1 < SILENT else [("mx", SILENT), ("spf", SILENT)])


def test_what_is_in_the_trash_is_forgotten(house: Engine) -> None:
    keep(house, "our.example", [finding(Status.OK)], NOW)
    keep(house, "inbox.example", [finding(Status.OK)], NOW)
    forget(house)
    assert whose_turn(house, NOW) == ()
    with change(house, by="test") as c:
        domains.delete(c, "our.example")
        mailboxes.delete(c, INBOX)
    forget(house)
    with Session(house) as session:
        assert session.scalars(select(DomainCheck.kind)).all() == []
    assert whose_turn(house, NOW) == ()


def test_a_lease_has_one_holder_until_its_end(engine: Engine) -> None:
    with reading(engine) as session:
        assert held_until(session, "duty") is None
    assert take(engine, "duty", "one", NOW, NOW + HOUR)
    with reading(engine) as session:
        assert held_until(session, "duty") == NOW + HOUR
    assert not take(engine, "duty", "two", NOW + HOUR / 2, NOW + DAY)
    assert take(engine, "other duty", "two", NOW, NOW + HOUR)
    assert take(engine, "duty", "two", NOW + HOUR, NOW + 3 * HOUR)  # the first is taken to be dead
    leave(engine, "duty", "one", NOW)  # and was only late
    assert not take(engine, "duty", "one", NOW + 2 * HOUR, NOW + 3 * HOUR)
    leave(engine, "duty", "two", NOW + 3 * HOUR)
    assert not take(engine, "duty", "one", NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert take(engine, "duty", "one", NOW + 3 * HOUR, NOW + 4 * HOUR)


@pytest.mark.parametrize("ahead", [2 * HOUR, 365 * DAY])
def test_what_a_clock_wrote_that_was_ahead_binds_nobody_once_it_is_right(engine: Engine, ahead: timedelta) -> None:
    assert take(engine, "duty", "one", NOW + ahead, NOW + ahead + LEASE)
    leave(engine, "duty", "one", NOW + ahead + HOUR)
    assert take(engine, "duty", "two", NOW, NOW + LEASE)
    assert not take(engine, "duty", "one", NOW, NOW + LEASE)


@pytest.mark.parametrize("back", [HOUR, 365 * DAY])
def test_a_clock_that_is_set_back_stops_no_duty_for_long(engine: Engine, back: timedelta) -> None:
    assert take(engine, "duty", "one", NOW, NOW + LEASE)
    assert not take(engine, "duty", "two", NOW - timedelta(minutes=1), NOW)
    leave(engine, "duty", "one", NOW + HOUR)
    assert take(engine, "duty", "two", NOW - back - HOUR, NOW - back)


def test_no_duty_is_rarer_than_a_lease_may_be_long() -> None:
    assert max(LEASE, *(duty.every for duty in DUTIES)) < LONGEST

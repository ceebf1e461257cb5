"""Backups of a year thin out: seven days, five weeks, twelve months, the newest of each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from smtpy.backup.keeping import DAYS, MONTHS, WEEKS, found_in, name_of, superfluous

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


def kept_after(days: int, *, every: timedelta) -> list[datetime]:
    """What is there after so long, when each new one is followed by a tidying."""
    there: set[datetime] = set()
    time = NOW - timedelta(days=days)
    while time <= NOW:
        there.add(time)
        there -= superfluous(there)
        time += every
    return sorted(there)


def test_the_last_days_weeks_and_months_stay() -> None:
    kept = kept_after(500, every=timedelta(days=1))
    assert kept[-DAYS:] == [NOW - timedelta(days=each) for each in reversed(range(DAYS))]
    assert len({each.isocalendar()[:2] for each in kept if each > NOW - timedelta(weeks=WEEKS)}) == WEEKS
    assert len({(each.year, each.month) for each in kept}) >= MONTHS
    assert NOW - kept[0] > timedelta(days=330)
    assert len(kept) <= DAYS + WEEKS + MONTHS


def test_hourly_ones_are_thinned_to_the_last_of_each_day() -> None:
    kept = kept_after(3, every=timedelta(hours=1))
    assert kept == [datetime(2026, 11, day, 23, tzinfo=UTC) for day in (24, 25, 26)] + [NOW]


def test_the_newest_stays_whatever_there_is() -> None:
    assert superfluous([NOW]) == set()
    assert NOW not in superfluous([NOW - timedelta(minutes=each) for each in range(100)])


def test_only_what_is_named_like_one_is_one(tmp_path: Path) -> None:
    ours = tmp_path / name_of("mx.our.example", NOW)
    for name in (ours.name, "smtpy-notes.age", "smtpy-x-20261127T030000Z.age.part", ".smtpy-x-20261127T030000Z.age"):
        (tmp_path / name).touch()
    assert found_in(tmp_path) == {NOW: ours}

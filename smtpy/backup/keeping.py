"""Which backups there are in a folder, by their names, and which stay: the newest of so many days, weeks and months."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path

DAYS, WEEKS, MONTHS = 7, 5, 12

Period = Callable[[datetime], tuple[int, ...]]

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"smtpy-.+-(\d{8}T\d{6}Z)\.age")


def name_of(hostname: str, now: datetime) -> str:
    """The file name of a backup."""
    return f"smtpy-{hostname}-{now:{_STAMP}}.age"


def found_in(folder: Path) -> dict[datetime, Path]:
    """The backups there by their time; whatever else lies there is none of ours."""
    names = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("smtpy-*.age"))
    return {datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC): path for path, name in names if name}


def superfluous(times: Collection[datetime]) -> set[datetime]:
    """Those that may go, of all there are. The newest never does."""
    periods: tuple[tuple[Period, int], ...] = ((_day, DAYS), (_week, WEEKS), (_month, MONTHS))
    kept: set[datetime] = set()
    for period, count in periods:
        newest = {period(each): each for each in sorted(times)}
        kept |= set(sorted(newest.values())[-count:])
    return set(times) - kept


def _day(time: datetime) -> tuple[int, ...]:
    return time.year, time.month, time.day


def _week(time: datetime) -> tuple[int, ...]:
    year, week, _ = time.isocalendar()
    return year, week


def _month(time: datetime) -> tuple[int, ...]:
    return time.year, time.month

"""The head of a line: when, on which host, by which of Postfix's programs; and the text behind it.

Two forms: RFC 3164 as postlogd(8) and classic syslogs write it (`Nov 26 22:22:13 mx postfix/smtp[1]: ...`: no year, no
zone), and RFC 3339 as rsyslog and journalctl can. What another program wrote is passed over: the head is ours to
judge, for no sender has a word in it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_OLD = r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_NEW = r"(?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
_HEAD = re.compile(
    rf"(?:<\d{{1,3}}>)?(?:{_OLD}|{_NEW}) (?P<host>[^\s/\[]+) (?P<tag>postfix[\w.-]*(?:/[\w.-]+)*)/(?P<program>[\w-]+)"
    r"\[\d+\]: (?P<text>.*)",
    re.DOTALL | re.ASCII,
)
_AHEAD = timedelta(days=1)  # by which a clock, or a zone, may be ahead of ours
_LEAP = 8  # years from one 29 February to the next, at most


@dataclass(frozen=True, slots=True)
class Head:
    """`at` in UTC; `service` is the part of syslog_name behind the first slash ("split" of postfix/split/smtp)."""

    at: datetime
    host: str
    service: str
    program: str
    text: str


def read_head(line: str, now: datetime, zone: tzinfo | None = None) -> Head | None:
    """The head of a line of Postfix; None: it is none.

    `zone` is the one that a stamp without one is in, None the system's own; `now` tells the year it is from: the latest
    in which it is not in the future.
    """
    found = _HEAD.fullmatch(line)
    if found is None:
        return None
    at = _read_iso(found["iso"]) if found["iso"] else _read_old(found, now, zone)
    if at is None:
        return None
    return Head(at, found["host"], found["tag"].partition("/")[2], found["program"], found["text"])


def _read_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_old(found: re.Match[str], now: datetime, zone: tzinfo | None) -> datetime | None:
    month = _MONTHS.get(found["month"], 0)
    day, hour, minute, second = (int(found[name]) for name in ("day", "hour", "minute", "second"))
    for year in range(now.year + 1, now.year - _LEAP, -1):
        try:
            at = datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        if at <= now + _AHEAD:
            return at
    return None

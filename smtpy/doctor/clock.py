"""Clocks: whether the kernel's is kept right, and whether it agrees with the database's.

Signatures, return addresses and leases stand on the time of day; where several hosts share a database they must agree
on it. Whatever keeps a clock (chrony, ntpd, systemd-timesyncd) tells the kernel so, and adjtimex(2) tells us: no server
is asked. The services may not call it (ProtectClock, and some containers): there it is not known.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select
from sqlalchemy.sql.functions import func

from smtpy.doctor.finding import WARNING, Finding

APART = timedelta(seconds=2)
TIME_ERROR = 5  # adjtimex(2): not synchronized to a reliable server
_TIMEX_OCTETS = 512  # more than struct timex has anywhere; all zero, it changes nothing
KEEP = "have it kept right, by systemd-timesyncd or chrony"


def examine() -> Iterator[Finding]:
    """What the kernel says."""
    yield told(kernel())


def told(state: int | None) -> Finding:
    """The finding for what adjtimex returned; None: it could not be asked."""
    if state is None:
        return Finding(
            "clock", os.EX_OK, "not known: this process may not ask the kernel whether its clock is kept right"
        )
    if state == TIME_ERROR:
        return Finding("clock", WARNING, "nothing keeps the clock of this host right", KEEP)
    return Finding("clock", os.EX_OK, "the clock of this host is kept right")


def kernel() -> int | None:
    """What adjtimex returns when it changes nothing."""
    try:
        import ctypes

        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_OCTETS))
    except (ImportError, OSError, AttributeError, MemoryError):  # MemoryError: where no code may be made at run time
        return None
    return None if state < 0 else int(state)


def against(engine: Engine) -> Iterator[Finding]:
    """The database's clock, if it is another's: SQLite has ours. Raises what SQLAlchemy raises."""
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as connection:
        connection.execute(select(1))  # connecting takes its time, too
        before = datetime.now(UTC)
        theirs: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        after = datetime.now(UTC)
    apart = max(before - theirs, theirs - after)  # at the least: it was asked in between
    if apart < APART:
        yield Finding("clock", os.EX_OK, "this host and the database agree on the time")
        return
    seconds = round(apart.total_seconds())
    if before > theirs:
        words = f"the clock of this host is {seconds} s ahead of the database's"
    else:
        words = f"the clock of this host is {seconds} s behind the database's"
    yield Finding("clock", WARNING, words, "have both hosts keep theirs right, by systemd-timesyncd or chrony")

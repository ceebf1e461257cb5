"""Leases: of all workers on all hosts, one does a duty, and nobody does it again before its time.

A lease is a row that says until when nobody else may. It is taken by one statement, so two that try at once cannot both
succeed; a holder that dies loses it by the clock. Each host goes by its own clock, so a duty may be early by as much as
these differ. What a clock wrote that was far ahead, and was set right since, binds nobody.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from smtpy.store.checks import Lease

LONGEST = timedelta(hours=2)  # a lease that ends later was written by a clock that was wrong

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def take(engine: Engine, duty: str, holder: str, now: datetime, until: datetime) -> bool:
    """Whether the duty is the holder's until then, LONGEST from now at most."""
    news = {"holder": holder, "until": until}
    statement = _INSERT[engine.dialect.name](Lease).values(name=duty, **news)
    free = or_(Lease.until <= now, Lease.until > now + LONGEST)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=news, where=free)
    with engine.begin() as connection:
        return connection.execute(statement.returning(Lease.name)).first() is not None


def held_until(session: Session, duty: str) -> datetime | None:
    """When the duty may, or might, be done again; None: nobody has ever done it."""
    return session.scalar(select(Lease.until).where(Lease.name == duty))


def leave(engine: Engine, duty: str, holder: str, until: datetime) -> None:
    """End the holder's lease; nobody does the duty again before `until`."""
    with engine.begin() as connection:
        connection.execute(update(Lease).where(Lease.name == duty, Lease.holder == holder).values(until=until))

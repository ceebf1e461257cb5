"""How much came, by day, and who it came from: what the worker has counted (smtpy.store.counting), for pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from smtpy.admin import aliases
from smtpy.admin.scope import owned
from smtpy.store.tallies import AliasDay, Correspondent, OwnerDay

DAYS = 30
SENDERS = 50  # of a page


@dataclass(frozen=True, slots=True)
class Day:
    """What came on a day (UTC)."""

    day: date
    forwarded: int = 0
    refused: int = 0
    held: int = 0
    bounced: int = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes to an alias, by reverse-path (smtpy.mail.verp); "" stands for delivery reports."""

    address: str
    forwarded: int
    refused: int
    first_at: datetime
    last_at: datetime


def days(session: Session, today: date, *, alias: str | None = None, number: int = DAYS) -> tuple[Day, ...]:
    """The last days, oldest first, `today` among them; of one alias, or of all. Raises NotFound."""
    since = today - timedelta(days=number - 1)
    table: type[AliasDay] | type[OwnerDay] = OwnerDay if alias is None else AliasDay
    sums = [func.sum(getattr(table, name)) for name in ("forwarded", "refused", "held", "bounced")]
    chosen = select(table.day, *sums).where(table.day >= since).group_by(table.day)
    if alias is None:
        chosen = chosen.where(owned(session, OwnerDay.owner_id))
    else:
        chosen = chosen.where(AliasDay.alias_id == aliases.find(session, alias).id)
    counted = {row[0]: Day(row[0], *map(int, row[1:])) for row in session.execute(chosen)}
    dates = [since + timedelta(days=day) for day in range(number)]
    return tuple(counted.get(day, Day(day)) for day in dates)


def total(days: Sequence[Day]) -> dict[str, int]:
    """The sums of days, by name."""
    return {name: sum(getattr(day, name) for day in days) for name in ("forwarded", "refused", "held", "bounced")}


def senders(
    session: Session, alias: str, *, before: datetime | None = None, limit: int = SENDERS
) -> tuple[Sender, ...]:
    """Who wrote to an alias, the latest first; `before` that moment. Raises NotFound."""
    columns = [getattr(Correspondent, name) for name in Sender.__slots__]
    chosen = select(*columns).where(Correspondent.alias_id == aliases.find(session, alias).id)
    if before is not None:
        chosen = chosen.where(Correspondent.last_at < before)
    chosen = chosen.order_by(Correspondent.last_at.desc(), Correspondent.address).limit(limit)
    return tuple(Sender(*row) for row in session.execute(chosen))

"""`plant`: the town into the database, in the order in which one thing stands on another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from random import Random
from typing import Any

from sqlalchemy import Engine, bindparam, delete, insert, select, update

from smtpy.admin.change import change, reading
from smtpy.admin.checks import wanted
from smtpy.admin.refusals import InUse
from smtpy.config import Settings
from smtpy.seed import bulk
from smtpy.seed.cast import ADMIN, NEW_DOMAIN, OWN_DOMAINS, OWNER, Holder, cast
from smtpy.seed.crowd import Made, aliases
from smtpy.seed.mail import Size, Tallies, mail
from smtpy.seed.words import MEMBERS
from smtpy.store.counting import READER
from smtpy.store.findings import keep
from smtpy.store.records import JournalRow
from smtpy.store.schema import Alias, Audit, User
from smtpy.store.tallies import JournalPosition
from smtpy.terms import vault_of
from smtpy.zone.findings import NO_ANSWER, Finding, Status, finding
from smtpy.zone.look import publish
from smtpy.zone.records import Kind, Wanted

PASSWORD = "seven cups of nettle tea"  # noqa: S105 - of people who do not exist
ALL_ABSENT = (Kind.OWNERSHIP, Kind.MX, Kind.SPF, Kind.DKIM, Kind.DMARC)


SIZES = {"small": Size(140, 6_000, 6_000), "large": Size(100_000, 1_000_000, 100_000)}
# What DNS shows of a domain: those of these kinds with this status.
STATES: dict[str, tuple[tuple[Kind, ...], Status]] = {
    OWN_DOMAINS[1]: ((Kind.DMARC,), Status.WARNING),
    OWN_DOMAINS[2]: ((Kind.MX,), Status.WRONG),
    OWN_DOMAINS[3]: (ALL_ABSENT, Status.UNKNOWN),
    NEW_DOMAIN: (ALL_ABSENT, Status.MISSING),
    f"{MEMBERS[0]}.example": ((Kind.DKIM,), Status.MISSING),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """Who to sign in as, with PASSWORD."""

    owner: str
    admin: str
    aliases: int
    messages: int


def plant(engine: Engine, settings: Settings, size: str, number: int, now: datetime, *, force: bool = False) -> Planted:
    """Fill the database. Raises InUse when it has users, AlreadyThere when a name of the town is taken."""
    _refuse_lived_in(engine, force)
    random, wished = Random(number), SIZES[size]  # noqa: S311 - a story, not a secret
    with change(engine, by="cli:seed", hostname=settings.hostname, vault=vault_of(settings)) as c:
        c.now = now
        holders = cast(c, random, PASSWORD)
    _look(engine, settings, now)
    made = _aliases(engine, random, holders, wished.aliases, now)
    _mail(engine, random, made, wished, now)
    return Planted(OWNER, ADMIN, len(made), wished.messages)


def _refuse_lived_in(engine: Engine, force: bool) -> None:
    with reading(engine) as session:
        if not force and session.scalar(select(User.id).limit(1)) is not None:
            raise InUse("database", "There are users in this database already. --force plants the town among them.")


def _look(engine: Engine, settings: Settings, now: datetime) -> None:
    """What the worker would have found in DNS."""
    for days in (3, 2, 1, 0):
        at = now - timedelta(days=days, minutes=40)
        for name in (*OWN_DOMAINS, NEW_DOMAIN, *(f"{each}.example" for each in MEMBERS)):
            with reading(engine) as session:
                records = wanted(session, name, settings)
            kinds, status = STATES.get(name, ((), Status.OK))
            keep(engine, name, [_finding(each, kinds, status) for each in records], at)


def _finding(record: Wanted, kinds: Sequence[Kind], status: Status) -> Finding:
    """In the words of the judges (smtpy.zone), who would be asked in the world outside."""
    if record.kind not in kinds:
        return finding([record], Status.OK, [record.value])
    match status:
        case Status.WRONG:
            todo = f"Mail goes to mx.elsewhere.example: take that away when its mail is to come here. {publish(record)}"
            return finding([record], status, ["MX 10 mx.elsewhere.example"], todo)
        case Status.WARNING:
            todo = f"It asks receivers for nothing but reports. Once those are good, change it to {record.value}"
            return finding([record], status, ["v=DMARC1; p=none"], todo)
    return finding([record], status, (), NO_ANSWER if status is Status.UNKNOWN else publish(record))


def _aliases(engine: Engine, random: Random, holders: Sequence[Holder], count: int, now: datetime) -> list[Made]:
    made: list[Made] = []
    audits: list[bulk.Row] = []
    with engine.begin() as connection:
        first = bulk.next_id(connection, Alias)

    def rows() -> Iterator[Any]:
        for each in aliases(random, holders, count, first, now):
            if isinstance(each, Made):
                made.append(each)
            elif each[0] is Audit:
                audits.append(each[1])
            else:
                yield each

    bulk.write(engine, rows())
    bulk.write(engine, ((Audit, row) for row in sorted(audits, key=itemgetter("at"))))
    return made


def _mail(engine: Engine, random: Random, made: Sequence[Made], wished: Size, now: datetime) -> None:
    tallies = Tallies()
    with engine.begin() as connection:
        first = bulk.next_id(connection, JournalRow)
    bulk.write(engine, mail(random, made, wished, first, now, tallies))
    if first > 1:  # the worker counts on from where it is
        return
    bulk.write(engine, tallies.rows())
    table = bulk.table_of(Alias)
    told = update(table).where(table.c.id == bindparam("number"))
    told = told.values(last_at=bindparam("at"), updated_at=table.c.updated_at)
    with engine.begin() as connection:
        connection.execute(told, [{"number": number, "at": at} for number, at in tallies.last.items()])
        connection.execute(delete(JournalPosition).where(JournalPosition.name == READER))
        connection.execute(insert(JournalPosition), {"name": READER, "journal_id": wished.messages})

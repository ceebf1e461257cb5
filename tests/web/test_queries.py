"""Pages take few statements, and as few however much there is: no page asks again for each of its rows."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Engine, Table, func, insert, select

from smtpy.store.columns import Base
from tests.queries import statements
from tests.web.conftest import ON_BOTH
from tests.web.routes import Route, some
from tests.web.test_access import some_url
from tests.web.world import World, rightful

MOST = 16  # statements of a page, its session included
MORE = {  # endpoint -> how many, and why
    "home.dashboard": (20, "a little of everything"),
    "operator.health": (80, "each check asks for itself, and the answer is kept for a while"),
}
COPIES = 30
GROWING = ("aliases", "domains", "mailboxes", "journal", "tags", "automatics", "announcements", "audit", "api_keys")
_numbers = count(1)


def asked(world: World, route: Route) -> int:
    client, target = world.as_(rightful(route)), some_url(route, world)
    client.get(target).close()  # what is worked out once
    with statements(world.engine) as seen:
        client.get(target).close()
    return len(seen)


def grow(engine: Engine) -> None:
    """More of everything that somebody has one of; copies of the last row, under other names."""
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in GROWING and (row := connection.execute(select(table).order_by(table.c.id.desc())).first()):
                highest = connection.scalar(select(func.max(table.c.id)))
                copies = [_copy(table, dict(row._mapping), highest + number) for number in range(1, COPIES + 1)]
                connection.execute(insert(table), copies)
        _join(connection)


def _copy(table: Table, row: dict[str, Any], number: int) -> dict[str, Any]:
    others = {"id": number, "uuid": f"00000000-0000-4000-8000-{next(_numbers):012x}", "at": datetime.now(UTC)}
    names = ("local", "name", "key", "address", "digest", "pattern", "queue_id", "message_id")
    others |= {name: _another(name, str(row[name]), number) for name in names if row.get(name)}
    return row | {name: value for name, value in others.items() if name in table.c}


def _another(name: str, value: str, number: int) -> str:
    return f"{number:03}{value[3:]}" if name == "digest" else f"n{number}-{value}"


def _join(connection: Any) -> None:
    """What hangs on the copies."""
    tables = Base.metadata.tables
    for name, column in (("alias_mailboxes", "alias_id"), ("journal_recipients", "journal_id")):
        table, parent = tables[name], tables["aliases" if column == "alias_id" else "journal"]
        row = dict(connection.execute(select(table)).first()._mapping)
        have = set(connection.scalars(select(table.c[column])))
        rows = [row | {column: number} for number in connection.scalars(select(parent.c.id)) if number not in have]
        connection.execute(insert(table), rows)


@ON_BOTH
def test_pages_take_few_statements_however_much_there_is(world: World) -> None:
    pages = [route for route in some(write=False) if route.access != "public"]
    before = {route: asked(world, route) for route in pages}
    grow(world.engine)
    after = {route: asked(world, route) for route in pages}
    most = {str(route): number for route, number in after.items() if number > MORE.get(route.endpoint, (MOST, ""))[0]}
    assert most == {}
    grown = {str(route): (before[route], after[route]) for route in pages if after[route] > before[route] + 2}
    assert grown == {}

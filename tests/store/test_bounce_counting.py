"""What failed for good is put to the alias whose copy it was, once, and waits for its journal row."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from smtpy.store import bounce_counting
from smtpy.store.events import MailEvent
from tests.store.test_counting import DAY, alias, days, put  # noqa: F401 - a fixture
from tests.store.test_journal import delivery, entry
from tests.store.town import NOW

NUMBERS = count()
LATER = NOW + timedelta(hours=1)
MAILBOX = "one@far.example"


def happen(engine: Engine, queue_id: str = "4Q0", kind: str = "bounced", **values: Any) -> None:
    fixed = {"digest": str(next(NUMBERS)), "host": "mx", "at": NOW, "kind": kind, "queue_id": queue_id, "key": MAILBOX}
    with engine.begin() as connection:
        connection.execute(insert(MailEvent).values(**{**fixed, **values}))


def bounced(engine: Engine) -> int:
    return sum(row[3] for row in days(engine).values())


def test_a_bounce_counts_once_for_its_alias(engine: Engine, alias: int) -> None:  # noqa: F811
    put(engine, entry(0, delivery(alias_id=alias)))
    for kind in ("queued", "deferred", "bounced", "removed"):
        happen(engine, kind=kind)
    assert [bounce_counting.count(engine, LATER) for _ in range(2)] == [4, 0]
    assert days(engine) == {DAY: (0, 0, 0, 1)}


@pytest.mark.parametrize(
    ("event", "number"),
    [
        ({"original": "Sales@Our.Example"}, 1),
        ({"original": "other@our.example"}, 0),
        ({"key": "stranger@far.example"}, 0),
        ({"kind": "gave up", "key": None}, 1),
        ({"queue_id": "4Q9"}, 0),
        ({"at": NOW + timedelta(days=31)}, 0),  # another file of that id
        ({"at": NOW - timedelta(days=1)}, 0),
    ],
)
def test_whose_it_was(engine: Engine, alias: int, event: dict[str, Any], number: int) -> None:  # noqa: F811
    put(engine, entry(0, delivery(alias_id=alias), delivery("relayed@far.example", None, decision="relay")))
    happen(engine, **event)
    bounce_counting.count(engine, NOW + timedelta(days=40))
    assert bounced(engine) == number


def test_of_two_aliases_the_one_that_failed(engine: Engine, alias: int) -> None:  # noqa: F811
    put(engine, entry(0, delivery("a@our.example", alias, targets=(MAILBOX,)), delivery("b@our.example", alias)))
    happen(engine, original="b@our.example")
    bounce_counting.count(engine, LATER)
    assert bounced(engine) == 1


def test_a_split_copy_is_found_in_its_second_pass(engine: Engine, alias: int) -> None:  # noqa: F811
    first = entry(0, delivery(alias_id=alias, decision="split"))
    put(engine, first, entry(1, delivery(alias_id=alias), stage="split", parent=first.uuid))
    happen(engine, "4Q1")
    bounce_counting.count(engine, LATER)
    assert bounced(engine) == 1


def test_what_came_before_its_journal_row_waits(engine: Engine, alias: int) -> None:  # noqa: F811
    happen(engine, "none yet", "queued")
    happen(engine)
    assert [bounce_counting.count(engine, NOW + timedelta(seconds=5)) for _ in range(2)] == [1, 0]
    put(engine, entry(0, delivery(alias_id=alias)))
    assert bounce_counting.count(engine, NOW + timedelta(seconds=6)) == 1
    assert bounced(engine) == 1


def test_what_the_journal_never_knew_is_let_go(engine: Engine, alias: int) -> None:  # noqa: F811
    happen(engine, "lost")
    assert bounce_counting.count(engine, LATER) == 1
    assert bounced(engine) == 0

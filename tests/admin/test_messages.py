"""Messages as people see them: their own, newest first, by whatever they have in hand, and what is new."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from smtpy.admin import messages
from smtpy.admin.change import reading
from smtpy.admin.ends import State
from smtpy.admin.messages import LOOKED_THROUGH
from smtpy.admin.refusals import NotFound
from smtpy.admin.scope import Viewer
from smtpy.store.meant import Wanted, heads
from smtpy.store.rows import Entry, write
from tests.admin.post import attempt, entry, log, put, queue_id, to
from tests.store.town import Town, changing

ONE, TWO = queue_id(1), queue_id(2)


class People:
    """Ann owns our.example, Ben two.example and an alias of his on our.example."""

    def __init__(self, engine: Engine) -> None:
        with changing(engine) as session:
            town = Town(session)
            self.ann, self.ben = town.owner("ann@people.example"), town.owner("ben@people.example")
            ours, twos = town.domain(self.ann, "our.example"), town.domain(self.ben, "two.example")
            box = town.mailbox(self.ann, "ann@inbox.example")
            self.sales = town.alias(self.ann, ours, "sales", (box,))
            self.bens = town.alias(self.ben, ours, "bens", (box,))
            self.far = town.alias(self.ben, twos, "sales", (box,))


@pytest.fixture
def people(engine: Engine) -> People:
    return People(engine)


def listed(engine: Engine, viewer: int | None = None, **wanted: Any) -> list[str | None]:
    with reading(engine, None if viewer is None else Viewer(viewer)) as session:
        return [each.uuid for each in messages.page(session, **wanted).messages]


def test_a_member_sees_what_came_for_their_own(engine: Engine, people: People) -> None:
    sales = entry(to("sales@our.example", "ann@inbox.example", alias_id=people.sales))
    bens = entry(to("bens@our.example", "ben@inbox.example", alias_id=people.bens), queue_id=TWO)
    caught = entry(to("any@our.example", "ann@inbox.example"), queue_id=queue_id(3))
    back = entry(to("SRS0=x@two.example", "s@far.example", decision="return"), queue_id=queue_id(4))
    put(engine, sales, bens, caught, back)
    assert listed(engine) == [each.uuid for each in (back, caught, bens, sales)]
    assert listed(engine, people.ann) == [caught.uuid, sales.uuid]
    assert listed(engine, people.ben) == [back.uuid, bens.uuid]
    with reading(engine, Viewer(people.ben)) as session:
        for theirs in (sales.uuid, "no uuid", "0" * 32):
            with pytest.raises(NotFound) as caught_:
                messages.timeline(session, theirs)
            assert caught_.value.message == messages.NO_MESSAGE.message
        for about in (sales.uuid, ONE, "sales@our.example", "any@our.example", "ann@inbox.example"):
            assert sales.uuid not in [each.uuid for each in messages.page(session, about=about).messages]
        with pytest.raises(NotFound):
            messages.page(session, domain="our.example")
        with pytest.raises(NotFound):
            messages.page(session, alias="sales@our.example")
        with pytest.raises(NotFound):
            messages.of_file(session, ONE)


def shared(people: People) -> tuple[Entry, Entry, Entry]:
    """A message to both, which was split."""
    one = entry(
        to("sales@our.example", "ann@inbox.example", decision="split", alias_id=people.sales, why="Ann's"),
        to("sales@two.example", "ben@inbox.example", decision="split", alias_id=people.far, why="Ben's"),
    )
    anns = entry(
        to("sales=our.example@split.invalid", "ann@inbox.example", key="sales@our.example", alias_id=people.sales),
        stage="split",
        parent=one.uuid,
        queue_id=TWO,
    )
    bens = entry(
        to("sales=two.example@split.invalid", "ben@inbox.example", key="sales@two.example", alias_id=people.far),
        stage="split",
        parent=one.uuid,
        queue_id=queue_id(3),
    )
    return one, anns, bens


def test_of_a_message_to_several_each_sees_their_own(engine: Engine, people: People) -> None:
    one, anns, bens = shared(people)
    put(engine, one, anns, bens)
    for name, local in ((TWO, "our"), (queue_id(3), "two")):
        words = f"250 2.0.0 Ok: queued as {name}"
        log(engine, f"split/smtp: {attempt(ONE, f'sales={local}.example@split.invalid', 'sent', words)}")
    log(
        engine,
        f"smtpd: {ONE}: reject: RCPT from a[192.0.2.1]: 550 No; from=<a@b> to=<x@our.example> proto=SMTP helo=<a>",
    )
    log(engine, f"smtp: {attempt(TWO, 'ann@inbox.example')}")
    log(engine, f"smtp: {attempt(queue_id(3), 'ben@inbox.example', 'bounced', 'no')}")
    log(engine, f"bounce: {queue_id(3)}: sender non-delivery notification: {queue_id(4)}")
    log(engine, f"smtp: {attempt(queue_id(4), 'alice@sender.example', original='SRS0=y@two.example')}")
    with reading(engine, Viewer(people.ann)) as session:
        found = messages.timeline(session, one.uuid)
        assert messages.timeline(session, anns.uuid) == found
        assert [(each.recipient, each.state) for each in found.ends] == [("sales@our.example", State.DELIVERED)]
        assert found.state == State.DELIVERED
        assert "two.example" not in repr(found)
        assert "ben" not in repr(found).lower()
        assert "x@our.example" not in repr(found)
    with reading(engine, Viewer(people.ben)) as session:
        theirs = messages.timeline(session, one.uuid)
        assert [each.state for each in theirs.ends] == [State.RETURNED]
        assert "our.example" not in repr(theirs)
        assert theirs.steps[-1].way == "report"
    with reading(engine) as session:
        whole = messages.timeline(session, one.uuid)
        assert [each.state for each in whole.ends] == [State.DELIVERED, State.RETURNED]
        assert "refused" in [each.kind for each in whole.steps]


def test_who_was_refused_beside_them_is_not_told_to_a_member(engine: Engine, people: People) -> None:
    one = entry(to("sales@our.example", "ann@inbox.example", alias_id=people.sales))
    put(engine, one)
    log(
        engine,
        f"smtpd: {ONE}: reject: RCPT from a[192.0.2.1]: 550 No; from=<a@b> to=<x@two.example> proto=SMTP helo=<a>",
    )
    for viewer, told in ((None, True), (Viewer(people.ann), False)):
        with reading(engine, viewer) as session:
            assert ("x@two.example" in repr(messages.timeline(session, one.uuid))) == told


def many(engine: Engine, people: People, number: int = 25) -> list[Entry]:
    """Messages of which each fifth was delivered, each second is Ann's."""
    made = []
    for each in range(number):
        alias_id, name = ((people.sales, "sales"), (people.bens, "bens"))[each % 2]
        recipient = to(f"{name}@our.example", "ann@inbox.example", alias_id=alias_id)
        made.append(entry(recipient, queue_id=queue_id(each + 10), message_id=f"<{each}@sender.example>"))
    put(engine, *made)
    for each in range(0, number, 5):
        original = made[each].recipients[0].recipient
        log(engine, f"smtp: {attempt(queue_id(each + 10), 'ann@inbox.example', original=original)}")
    return made[::-1]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"domain": "our.example"},
        {"alias": "sales@our.example"},
        {"about": "alice@sender.example"},
        {"about": "sales@our.example"},
        {"state": State.DELIVERED},
        {"state": State.ACCEPTED, "alias": "sales@our.example"},
    ],
    ids=str,
)
@pytest.mark.parametrize("member", [False, True])
def test_pages_go_on_where_the_last_one_ended(
    engine: Engine, people: People, wanted: dict[str, Any], member: bool
) -> None:
    made = many(engine, people)
    if member or "alias" in wanted or wanted.get("about") == "sales@our.example":
        made = [each for each in made if each.recipients[0].alias_id == people.sales]
    if state := wanted.get("state"):
        delivered = {f"<{number}@sender.example>" for number in range(0, 25, 5)}
        made = [each for each in made if (each.message_id in delivered) == (state is State.DELIVERED)]
    seen: list[str | None] = []
    before, pages = None, 0
    with reading(engine, Viewer(people.ann) if member else None) as session:
        while True:
            page = messages.page(session, before=before, limit=4, **wanted)
            seen += [each.uuid for each in page.messages]
            pages, before = pages + 1, page.before
            if before is None:
                break
            assert len(page.messages) == 4
    assert seen == [each.uuid for each in made]
    assert pages == max(1, -(-len(made) // 4))


def test_since_tells_what_is_new_and_nothing_twice(engine: Engine, people: People) -> None:
    one, anns, bens = shared(people)
    with reading(engine, Viewer(people.ann)) as session:
        mark = messages.newest(session)
        assert messages.since(session, mark) == ((), mark)
        put(engine, one)
        [found], mark = messages.since(session, mark)
        assert found.state == State.ACCEPTED
        assert messages.since(session, mark) == ((), mark)
        log(engine, f"qmgr: {ONE}: from=<a@b>, size=1, nrcpt=2 (queue active)")
        [more], mark = messages.since(session, mark)
        assert (more.uuid, more.state) == (one.uuid, State.QUEUED)
        assert more.mark > found.mark
        put(engine, anns, bens, entry(to("x@two.example"), queue_id=queue_id(7)))
        [again], mark = messages.since(session, mark)
        assert again.uuid == one.uuid
        log(engine, f"smtp: {attempt(TWO, 'ann@inbox.example')}")
        [last], mark = messages.since(session, mark)
        assert last.uuid == one.uuid
        assert messages.since(session, mark) == ((), mark)


@contextmanager
def asked(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The questions put to the database."""
    found: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        found.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


SALES, ANN, THREE = "sales@our.example", "ann@inbox.example", queue_id(3)
COPY = f"split/smtp: {attempt(ONE, 'sales=our.example@split.invalid', 'sent', f'250 2.0.0 Ok: queued as {TWO}')}"
REPORT = f"bounce: {ONE}: sender non-delivery notification: {TWO}"
ENDED: dict[str, tuple[State, dict[str, str], tuple[str, ...]]] = {
    "delivered": (State.DELIVERED, {}, (f"smtp: {attempt(ONE, ANN)}",)),
    "deferred": (State.DEFERRED, {}, (f"smtp: {attempt(ONE, ANN, 'deferred', 'full')}",)),
    "bounced": (State.BOUNCED, {}, (f"smtp: {attempt(ONE, ANN, 'bounced', 'no')}",)),
    "of no known kind": (State.BOUNCED, {}, (f"smtp: {attempt(ONE, ANN, 'undeliverable', 'no')}",)),
    "returned": (State.RETURNED, {}, (f"smtp: {attempt(ONE, ANN, 'bounced', 'no')}", REPORT)),
    "held by a rule": (State.HELD, {"decision": "hold"}, ()),
    "held by hand": (State.HELD, {}, (f"postsuper: {ONE}: placed on hold",)),
    "deleted": (State.DELETED, {}, (f"postsuper: {ONE}: removed",)),
    "dropped": (State.DROPPED, {"decision": "drop"}, ()),
    "a loop": (State.DROPPED, {"decision": "loop"}, ()),
    "refused": (State.REFUSED, {"verdict": "refuse"}, ()),
    "in its second pass": (State.BOUNCED, {"decision": "split"}, (COPY, f"smtp: {attempt(TWO, ANN, 'bounced', 'no')}")),
    "under its next id": (
        State.DEFERRED,
        {},
        (f"pickup: {TWO}: uid=0 from=<a@b.example> orig_id={ONE}", f"smtp: {attempt(TWO, ANN, 'deferred', 'full')}"),
    ),
}


@pytest.mark.parametrize(("state", "given", "lines"), ENDED.values(), ids=ENDED)
def test_a_message_is_found_by_its_state(
    engine: Engine, state: State, given: dict[str, str], lines: tuple[str, ...]
) -> None:
    """In whatever way it came to it, and behind many others, on the first page."""
    verdict = given.get("verdict", "accept")
    put(engine, one := entry(to(SALES, ANN, decision=given.get("decision", "forward")), verdict=verdict))
    log(engine, *lines)
    put(engine, *(entry(to(SALES, ANN), queue_id=THREE) for _ in range(LOOKED_THROUGH + 100)))
    with reading(engine) as session:
        found = messages.page(session, state=state)
    assert ([each.uuid for each in found.messages], found.before) == ([one.uuid], None)


def test_pages_of_a_state_are_full(engine: Engine) -> None:
    """One in ten is held: each page but the last has as many as it may."""
    put(engine, *(entry(to(SALES, ANN, decision="forward" if number % 10 else "hold")) for number in range(250)))
    seen: list[int] = []
    before = None
    while True:
        with reading(engine) as session:
            page = messages.page(session, state=State.HELD, limit=10, before=before)
        seen.append(len(page.messages))
        if (before := page.before) is None:
            break
    assert seen == [10, 10, 5]


def test_a_page_asks_as_often_for_few_as_for_many(engine: Engine, people: People) -> None:
    many(engine, people)
    counts = []
    for limit in (1, 20):
        with asked(engine) as questions, reading(engine, Viewer(people.ann)) as session:
            messages.page(session, limit=limit)
        counts.append(len([each for each in questions if each[0].startswith("SELECT")]))
    assert counts[0] == counts[1] <= 12


_SCAN = re.compile(r"SCAN (journal|mail_events)|.*Seq Scan on (journal|mail_events)")
WANTED = (
    Wanted(about="<77@sender.example>"),
    Wanted(about="77@sender.example"),
    Wanted(about="4jb9yYnothing"),
    Wanted(about="alias77@d77.example"),
    Wanted(alias_id=77),
    Wanted(domain="two.example"),
    Wanted(owner=2),
    Wanted(owner=2, about="alice@sender.example"),
)


def test_nothing_reads_a_whole_table(engine: Engine, people: People) -> None:
    """Among many messages few are found by an index; a page of all of them reads the newest alone."""
    put(engine, *shared(people))
    with engine.begin() as connection:
        made = [
            entry(
                to(f"alias{number}@d{number % 400}.example", "ann@inbox.example"),
                reverse_path=f"{number}@sender.example",
                message_id=f"<{number}@sender.example>",
                queue_id=queue_id(number + 10),
            )
            for number in range(4000)
        ]
        write(connection, made)
    log(engine, *(f"smtp: {attempt(queue_id(number + 10), f'box{number}@inbox.example')}" for number in range(4000)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    for wanted in WANTED:
        with asked(engine) as questions, Session(engine) as session:
            heads(session, wanted, 20)
        assert scans(engine, questions) == [], wanted
    with asked(engine) as questions, reading(engine) as session:
        messages.page(session, limit=20)
        messages.since(session, messages.newest(session))
    newest = "ORDER BY journal.id DESC"  # read from its end, as far as the limit
    assert [each for each in scans(engine, questions) if newest not in each] == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("wanted", "index"), [(Wanted(alias_id=7), "alias_id"), (Wanted(domain="two.example"), "domain")]
)
def test_what_came_for_one_of_a_members_is_found_by_its_index(engine: Engine, wanted: Wanted, index: str) -> None:
    """Not among all that came for the member."""
    with asked(engine) as questions, Session(engine) as session:
        heads(session, replace(wanted, owner=2), 20)
    statement, values = next(each for each in questions if "FROM journal_recipients" in each[0])
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert any(f"ix_journal_recipients_{index}_journal_id" in str(row) for row in plan), plan


def scans(engine: Engine, questions: list[tuple[str, Any]]) -> list[str]:
    """The steps of the database's plans that read a big table from end to end."""
    words = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        return [
            f"{row[-1]} in {statement}"
            for statement, values in questions
            if statement.startswith("SELECT")
            for row in connection.exec_driver_sql(f"{words} {statement}", values)
            if _SCAN.match(str(row[-1]))
        ]

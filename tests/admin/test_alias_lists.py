"""Aliases as their owner looks for them: what is found, in which order, page by page, by how many statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, event, insert, select, text, update
from sqlalchemy.orm import Session

from smtpy.admin import (
    alias_bulk,
    alias_lists,
    aliases,
    domains,
    figures,
    mailbox_facts,
    mailboxes,
    members,
    sheets,
    tags,
)
from smtpy.admin.alias_lists import Sort, State, Wanted
from smtpy.admin.change import change, reading
from smtpy.admin.refusals import Invalid
from smtpy.admin.scope import Viewer
from smtpy.store.schema import Alias, Audit, Domain, User
from tests.queries import statements

ANN, BOB, INBOX, OTHER = "ann@people.example", "bob@people.example", "ann@inbox.example", "ann@other.example"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def house(engine: Engine) -> Engine:
    with change(engine, by="test") as c:
        for person in (ANN, BOB):
            members.add(c, person)
        for box, owner in ((INBOX, ANN), (OTHER, ANN), (INBOX, BOB)):
            mailboxes.add(c, box, owner=owner, verified=True)
        for name, owner in (("our.example", ANN), ("second.example", ANN), ("his.example", BOB)):
            domains.add(c, name, owner=owner)
        box = mailboxes.page(c.session, owner=ANN)[0].uuid
        aliases.add(c, "shop@our.example", to=[box], note="The Shop, 50% off_", tags=["buying", "Old"])
        aliases.add(c, "bank@second.example", to=[box, OTHER], tags=["money"])
        aliases.add(c, "news@our.example", to=[OTHER], expires_at=NOW - HOUR)
        aliases.add(c, "pin@our.example", to=[box], pinned=True)
        aliases.add(c, "off@our.example", to=[box])
        aliases.off(c, "off@our.example")
        aliases.add(c, "gone@our.example", to=[box], tags=["lost"])
        aliases.delete(c, "gone@our.example")
        aliases.add(c, "his@his.example", to=[INBOX], tags=["buying"])
        for hours, local in enumerate(("news", "bank")):
            at = NOW - hours * HOUR
            c.session.execute(update(Alias).where(Alias.local == local).values(last_at=at))
    return engine


def viewer(engine: Engine, email: str = ANN) -> Viewer:
    with Session(engine) as session:
        return Viewer(session.scalars(select(User.id).where(User.email == email)).one())


def locals_of(engine: Engine, wanted: Wanted, limit: int = 50) -> list[str]:
    """What is found, by local part, all pages of it."""
    found, after = [], ""
    with reading(engine, viewer(engine)) as session:
        while True:
            page = alias_lists.page(session, wanted, NOW, after=after, limit=limit)
            found += [alias.address.partition("@")[0] for alias in page.aliases]
            if not (after := page.next):
                return found


def uuid(engine: Engine, table: type[Domain], name: str) -> str:
    with Session(engine) as session:
        return session.scalars(select(table.uuid).where(table.name == name)).one()


ALL = ["pin", "off", "news", "bank", "shop"]
FOUND: dict[str, tuple[Wanted, list[str]]] = {
    "all, the newest first, pinned ones before": (Wanted(), ALL),
    "by last use, never used ones last": (Wanted(sort=Sort.USED), ["news", "bank", "off", "pin", "shop"]),
    "by name": (Wanted(sort=Sort.NAME), sorted(ALL)),
    "on": (Wanted(state=State.ON), ["pin", "bank", "shop"]),
    "off": (Wanted(state=State.OFF), ["off"]),
    "expired": (Wanted(state=State.EXPIRED), ["news"]),
    "trash": (Wanted(state=State.TRASH), ["gone"]),
    "never used": (Wanted(unused=True), ["off", "pin", "shop"]),
    "pinned": (Wanted(pinned=True), ["pin"]),
    "tag": (Wanted(tag="buying"), ["shop"]),
    "tag of what is in the trash": (Wanted(tag="lost"), []),
    "text in the address": (Wanted(text="ba"), ["bank"]),
    "text in the note, whatever its case": (Wanted(text="the shop"), ["shop"]),
    "text in a tag": (Wanted(text="mone"), ["bank"]),
    "text in the domain": (Wanted(text="second"), ["bank"]),
    "part of an address": (Wanted(text="op@our"), ["shop"]),
    "whole address": (Wanted(text="Shop@Our.example"), ["shop"]),
    "wildcards are text": (Wanted(text="50%"), ["shop"]),
    "an underscore is text": (Wanted(text="off_"), ["shop"]),
    "nothing": (Wanted(text="zzz"), []),
    "odd text": (Wanted(text="\0'\"\\%"), []),
    "two filters": (Wanted(text="our", state=State.OFF), ["off"]),
    "no UUID": (Wanted(domain="x", mailbox="'"), []),
}


@pytest.mark.parametrize(("wanted", "expected"), FOUND.values(), ids=FOUND)
@pytest.mark.parametrize("limit", [50, 2, 1])
def test_what_is_found(house: Engine, wanted: Wanted, expected: list[str], limit: int) -> None:
    assert locals_of(house, wanted, limit) == expected


def test_by_domain_and_mailbox(house: Engine) -> None:
    assert locals_of(house, Wanted(domain=uuid(house, Domain, "second.example"))) == ["bank"]
    assert locals_of(house, Wanted(domain=uuid(house, Domain, "his.example"))) == []
    with reading(house, viewer(house)) as session:
        other = mailboxes.show(session, OTHER).uuid
    assert locals_of(house, Wanted(mailbox=other)) == ["news", "bank"]


@pytest.mark.parametrize("after", ["x", "1.", ".", "1.x", "99999999999999999999999.1", "\0.1", "a.b.1"])
@pytest.mark.parametrize("sort", list(Sort))
def test_a_place_that_is_none_is_no_trouble(house: Engine, after: str, sort: Sort) -> None:
    with reading(house, viewer(house)) as session:
        page = alias_lists.page(session, Wanted(sort=sort), NOW, after=after)
    assert len(page.aliases) <= 5  # and no error


def test_tags_are_the_owners_and_those_in_use(house: Engine) -> None:
    with reading(house, viewer(house)) as session:
        assert [(tag.name, tag.aliases) for tag in tags.page(session)] == [("buying", 1), ("money", 1), ("old", 1)]
        assert tags.names(session) == ("buying", "money", "old")
    with reading(house, viewer(house, BOB)) as session:
        assert tags.names(session) == tuple(tag.name for tag in tags.page(session)) == ("buying",)


@pytest.mark.parametrize("bad", [["a,b"], [" "], ["x" * 41], ["\0"], [str(number) for number in range(21)]])
def test_tags_that_are_none_are_refused(house: Engine, bad: list[str]) -> None:
    with pytest.raises(Invalid), change(house, by="test") as c:
        aliases.set_(c, "shop@our.example", tags=bad)


@pytest.mark.parametrize("wanted", [row[0] for row in FOUND.values()], ids=FOUND)
def test_a_page_takes_four_statements_at_most(house: Engine, wanted: Wanted) -> None:
    me = viewer(house)
    with statements(house) as seen, reading(house, me) as session:
        alias_lists.page(session, wanted, NOW)
    assert len(seen) <= 4


def crowd(engine: Engine, number: int) -> None:
    """Many more aliases of one owner."""
    with Session(engine) as session, session.begin():
        domain = session.scalars(select(Domain).where(Domain.name == "our.example")).one()
        fixed = {"domain_id": domain.id, "owner_id": domain.owner_id}
        session.execute(insert(Alias), [{**fixed, "local": f"x{each}"} for each in range(number)])
        session.connection().execute(text("ANALYZE"))


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """How the database goes about each statement on aliases and what hangs on them within the block."""
    plans: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM alias" in statement or "FROM owner_days" in statement:
            words = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
            cursor.execute(f"{words} {statement}", parameters)  # type: ignore[attr-defined]
            plans.append("\n".join(str(row) for row in cursor.fetchall()))  # type: ignore[attr-defined]

    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(engine, "before_cursor_execute", explain)


PLANS = {
    "newest": (Wanted(), "ix_aliases_owner_id_pinned_id"),
    "used": (Wanted(sort=Sort.USED), "ix_aliases_owner_id_last_at_id"),
    "name": (Wanted(sort=Sort.NAME), "ix_aliases_owner_id_local_id"),
    "trash": (Wanted(state=State.TRASH), "ix_aliases_owner_id_deleted_at_id"),
    "never used": (Wanted(unused=True), "ix_aliases_owner_id_"),  # by use or by trash: both are by age
    "pinned": (Wanted(pinned=True), "ix_aliases_owner_id_pinned_id"),
}


@pytest.mark.parametrize(("wanted", "index"), PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("later", [False, True], ids=["first page", "later page"])
def test_a_page_is_read_by_its_index_and_not_sorted(house: Engine, wanted: Wanted, index: str, later: bool) -> None:
    crowd(house, 3000)
    me = viewer(house)
    with reading(house, me) as session:
        after = alias_lists.page(session, wanted, NOW).next if later else ""
    with plans_of(house) as plans, reading(house, me) as session:
        alias_lists.page(session, wanted, NOW, after=after)
    assert index in plans[0]
    assert not [each for each in ("TEMP B-TREE", "Sort Key", "Seq Scan on aliases") if each in plans[0]], plans[0]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_is_counted_is_counted_by_indexes_alone(house: Engine) -> None:
    """What is shown beside domains and mailboxes, and the figures of all aliases and of one."""
    crowd(house, 3000)
    with plans_of(house) as plans, reading(house, viewer(house)) as session:
        sheets.summaries(session, domains.page(session))
        mailbox_facts.facts(session, mailboxes.page(session))
        figures.days(session, NOW.date())
        figures.days(session, NOW.date(), alias="shop@our.example")
    found = "\n".join(plans)
    for each in (
        "aliases USING COVERING INDEX ix_aliases_domain_id_deleted_at (domain_id=? AND deleted_at=?)",
        "alias_mailboxes USING COVERING INDEX ix_alias_mailboxes_mailbox_id ",
        "owner_days USING INDEX sqlite_autoindex_owner_days_1 (owner_id=? AND day>?)",
        "alias_days USING INDEX sqlite_autoindex_alias_days_1 (alias_id=? AND day>?)",
    ):
        assert f"SEARCH {each}" in found, found
    assert "SEARCH aliases USING INTEGER PRIMARY KEY" not in found, found


def test_many_at_once_each_with_its_result_and_its_audit_row(house: Engine) -> None:
    me = viewer(house)
    with change(house, by="test", viewer=me) as c:
        names = ["shop@our.example", "off@our.example", "gone@our.example", "his@his.example", "no address"]
        results = alias_bulk.each(c, "off", names)
    assert [(each.changed, bool(each.refused)) for each in results] == [
        *((True, False), (False, False), (False, True), (False, True), (False, True)),
    ]
    with Session(house) as session:
        last = session.scalars(select(Audit).order_by(Audit.id.desc()).limit(1)).one()
        assert (last.act, last.subject, last.after) == ("alias.off", "alias shop@our.example", {"enabled": False})


BULK = {
    "tag": (["New", "buying"], lambda view: view.tags == ("buying", "new", "old")),
    "untag": (["OLD"], lambda view: view.tags == ("buying",)),
    "tags": (["only"], lambda view: view.tags == ("only",)),
    "mailboxes": ([OTHER], lambda view: view.mailboxes == (OTHER,)),
    "pin": ([], lambda view: view.pinned),
    "trash": ([], lambda view: view.deleted_at is not None),
}


@pytest.mark.parametrize("act", BULK)
def test_what_is_done_to_many(house: Engine, act: str) -> None:
    words, holds = BULK[act]
    with change(house, by="test", viewer=viewer(house)) as c:
        (result,) = alias_bulk.each(c, act, ["shop@our.example"], words)
    assert result.changed
    assert result.after is not None
    assert holds(result.after)


@pytest.mark.parametrize(("act", "names"), [("fly", ["a@b.example"]), ("off", []), ("off", ["a@b.example"] * 201)])
def test_many_at_once_are_bounded(house: Engine, act: str, names: list[str]) -> None:
    with pytest.raises(Invalid), change(house, by="test") as c:
        alias_bulk.each(c, act, names)

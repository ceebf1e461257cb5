"""The audit trail read, the roll and the estate: filters and keysets on both databases, and for operators only."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import aliases, announcements, audit, domains, estate, mailboxes, members, roll
from smtpy.admin.announcements import Level
from smtpy.admin.audit import Wanted
from smtpy.admin.change import change, reading
from smtpy.admin.refusals import InUse, Invalid, NotFound
from smtpy.admin.scope import Viewer
from smtpy.store.schema import Role, User

ANN, BEN, ROOT = "ann@people.example", "ben_x@people.example", "root@people.example"


@pytest.fixture
def town(engine: Engine) -> Engine:
    """Three people, the last an administrator; what Ann has."""
    with change(engine, by=f"web:{ROOT}") as c:
        for email in (ANN, BEN):
            members.add(c, email, name=email[:3].title())
        members.add(c, ROOT, role=Role.ADMIN)
    with change(engine, by=f"web:{ANN}") as c:
        box = mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        for name in ("a.example", "b.example"):
            domains.add(c, name, owner=ANN)
        aliases.add(c, "shop@a.example", to=[box.uuid])
    return engine


FOUND = [
    (Wanted(), 7),
    (Wanted(actor="web:ann"), 4),
    (Wanted(actor="*PEOPLE"), 7),
    (Wanted(actor="people"), 0),
    (Wanted(act="domain"), 2),
    (Wanted(act="domain.add"), 2),
    (Wanted(act="dom"), 0),
    (Wanted(subject="domain a."), 1),
    (Wanted(subject="user ben_"), 1),
    (Wanted(subject="user be__"), 0),
    (Wanted(subject="*.example", actor="web:ann", act="alias"), 1),
]


@pytest.mark.parametrize(("wanted", "number"), FOUND, ids=lambda value: str(value)[:60])
def test_the_trail_is_looked_through(town: Engine, wanted: Wanted, number: int) -> None:
    with reading(town) as session:
        assert len(audit.page(session, wanted)) == number
        assert len(list(audit.stream(session, wanted))) == number


def test_the_trail_by_time_and_page_by_page(town: Engine) -> None:
    with reading(town) as session:
        newest = audit.page(session, Wanted(), limit=1)[0]
        assert audit.page(session, Wanted(since=newest.at + timedelta(seconds=1))) == ()
        assert len(audit.page(session, Wanted(until=newest.at + timedelta(seconds=1)))) == 7
        seen, before = [], None
        while page := audit.page(session, Wanted(), before=before, limit=3):
            seen += [row.id for row in page]
            before = page[-1].id
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == 7
        assert audit.after(session, seen[2], Wanted()) == tuple(reversed(audit.page(session, Wanted(), limit=2)))
        assert audit.find(session, newest.id) == newest
        assert set(audit.acts(session)) == {"user.add", "mailbox.add", "domain.add", "alias.add"}
        with pytest.raises(NotFound):
            audit.find(session, 10_000)


def test_the_stream_reads_in_batches(town: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    with reading(town) as session:
        assert len(list(audit.stream(session, Wanted()))) == 7


def test_the_roll_tells_what_is_whose(town: Engine) -> None:
    with reading(town) as session:
        ann, ben, root = roll.page(session)
        assert (ann.user.email, ann.domains, ann.mailboxes, ann.aliases) == (ANN, 2, 1, 1)
        assert (ben.domains, ben.mailboxes, ben.aliases, ben.signed_in_at) == (0, 0, 0, None)
        assert [each.user.email for each in roll.page(session, about="BEN_")] == [BEN]
        assert roll.page(session, about="be__") == ()
        assert roll.page(session, state="admin") == (root,)
        assert roll.page(session, after=ann.user.id, limit=1) == (ben,)
        assert roll.show(session, ann.user.uuid) == ann
        assert roll.page(session, state="off") == roll.page(session, state="trash") == ()


def test_the_last_administrator_stays_one(town: Engine) -> None:
    for act in (roll.off, roll.appoint_user, roll.delete):
        with pytest.raises(InUse, match="only administrator"), change(town, by="test") as c:
            act(c, ROOT)
    with change(town, by="test") as c:
        roll.appoint_admin(c, BEN)
        roll.appoint_user(c, ROOT)
        roll.off(c, ROOT)
    with pytest.raises(InUse, match="only administrator"), change(town, by="test") as c:
        roll.off(c, BEN)
    with reading(town) as session:
        assert [each.user.email for each in roll.page(session, state="off")] == [ROOT]


def test_the_estate_tells_state_and_owner(town: Engine) -> None:
    with reading(town) as session:
        one, other = estate.page(session)
        assert (one.domain.name, one.domain.owner, one.aliases, one.checked, one.wrong) == ("a.example", ANN, 1, 0, 0)
        assert estate.page(session, about="B.EX") == (other,)
        assert estate.page(session, about="ann@") == (one, other)
        assert estate.page(session, state="unsigned") == (one, other)
        assert estate.page(session, state="troubled") == estate.page(session, state="off") == ()
        assert estate.page(session, after=one.domain.id) == (other,)


def test_members_see_none_of_it(town: Engine) -> None:
    with Session(town) as session:
        ann = session.query(User).filter_by(email=ANN).one().id
    with reading(town, Viewer(ann)) as session:
        for look in (roll.page, estate.page, announcements.page, lambda s: audit.page(s, Wanted())):
            with pytest.raises(NotFound):
                look(session)


def test_an_announcement_from_its_beginning_to_its_end(town: Engine) -> None:
    with change(town, by="test") as c:
        now, ann = c.now, c.session.query(User).filter_by(email=ANN).one().id
        there = announcements.add(c, " Maintenance\non Sunday ", level=Level.WARNING)
        later = announcements.add(c, "Later", shown_from=now + timedelta(days=1))
        short = announcements.add(c, "Short", shown_until=now + timedelta(hours=1))
        for bad in ({"shown_until": now}, {"shown_from": now + timedelta(days=2), "shown_until": now + timedelta(1)}):
            with pytest.raises(Invalid, match="over before"):
                announcements.add(c, "x", **bad)
        for text in (" ", "x" * 1001, "a\0b"):
            with pytest.raises(Invalid):
                announcements.add(c, text)

    def shown(hours: int, user: int = ann) -> list[str]:
        with reading(town) as session:
            at = now + timedelta(hours=hours)
            return [each.text for each in announcements.unread(session, user, announcements.going(session, at), at)]

    assert shown(0) == ["Short", "Maintenance\non Sunday"]
    assert shown(2) == ["Maintenance\non Sunday"]
    assert shown(25) == ["Later", "Maintenance\non Sunday"]
    for _ in range(2):
        announcements.dismiss(town, there.uuid, ann)
    assert shown(0) == ["Short"]
    assert shown(0, ann + 1) == ["Short", "Maintenance\non Sunday"]
    with change(town, by="test") as c:
        announcements.end(c, later.uuid)
        announcements.end(c, short.uuid)
    assert shown(25) == []
    with reading(town) as session:
        assert [each.uuid for each in announcements.page(session)] == [short.uuid, there.uuid]
    with pytest.raises(NotFound), change(town, by="test") as c:
        announcements.end(c, later.uuid)

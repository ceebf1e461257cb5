"""A member's data on both databases: what is taken along, and what becomes of it at the end."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, mailboxes, members, own_data, passkeys, signing_in, trail
from smtpy.admin.change import change, reading
from smtpy.admin.refusals import InUse, NotFound
from smtpy.admin.scope import Viewer
from smtpy.admin.sessions import Member, member_of
from smtpy.store.accounts import Passkey
from smtpy.store.schema import Role, User

PASSWORD = "seven letters went by boat"


@pytest.fixture
def ann(engine: Engine) -> Member:
    with change(engine, by="web:ann@people.example", hostname="mx.our.example") as c:
        for who in ("ann", "bob"):
            user = members.add(c, f"{who}@people.example")
            mailboxes.add(c, f"{who}@inbox.example", owner=user.uuid, verified=True)
            domains.add(c, f"{who}.example", owner=user.uuid)
            aliases.add(c, f"shop@{who}.example", to=[f"{who}@inbox.example"])
            signing_in.set_password(c, user.id, PASSWORD)
            key = Passkey(user_id=user.id, credential=who.encode(), public=b"x", sign_count=0, name=f"{who}'s phone")
            c.session.add(key)
    with Session(engine) as session:
        return member_of(session.query(User).filter_by(email="ann@people.example").one())


def test_all_of_it_and_nothing_of_others(engine: Engine, ann: Member) -> None:
    with reading(engine, Viewer(ann.id)) as session:
        data = {name: list(rows) for name, rows in own_data.parts(session, ann)}
        assert own_data.owns(session, ann) == {"domains": 1, "mailboxes": 1, "aliases": 1}
    assert [row["name"] for row in data["passkeys"]] == ["ann's phone"]
    assert [row["address"] for row in data["aliases"]] == ["shop@ann.example"]
    assert "user.password" in {row["act"] for row in data["activity"]}
    assert "bob" not in str({name: rows for name, rows in data.items() if name != "activity"})


def test_passkeys_are_their_owners(engine: Engine, ann: Member) -> None:
    with reading(engine) as session:
        (theirs,) = passkeys.of_member(session, members.find(session, "bob@people.example").id)
    with reading(engine, Viewer(ann.id)) as session, pytest.raises(NotFound):
        passkeys.find(session, theirs.uuid)
    with change(engine, by="test", viewer=Viewer(ann.id)) as c:
        for act in (lambda: passkeys.delete(c, theirs.uuid), lambda: passkeys.rename(c, theirs.uuid, "mine")):
            with pytest.raises(NotFound):
                act()


def test_the_end_of_an_account(engine: Engine, ann: Member) -> None:
    with change(engine, by="web:ann@people.example", viewer=Viewer(ann.id)) as c:
        own_data.leave(c, ann)
    assert signing_in.by_password(engine, ann.email, PASSWORD) is None
    assert signing_in.by_password(engine, "bob@people.example", PASSWORD) is not None
    with reading(engine) as session:
        assert [each.address for each in aliases.page(session)] == ["shop@bob.example"]
        assert len(aliases.page(session, trash=True)) == 2
        assert trail.of_account(session, ann.email)[0].act == "user.delete"


def test_the_last_administrator_stays(engine: Engine, ann: Member) -> None:
    with change(engine, by="test") as c:
        c.session.get_one(User, ann.id).role = Role.ADMIN
        c.note("test", "", None, None)
    with change(engine, by="test", viewer=Viewer(ann.id)) as c, pytest.raises(InUse):
        own_data.leave(c, ann)

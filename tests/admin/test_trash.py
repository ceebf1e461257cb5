"""What goes from the trash, what stays, and for whom; on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from smtpy.admin import alias_lists, aliases, automatics, domains, mailboxes, members, messages, roll, trail, trash
from smtpy.admin.alias_lists import State, Wanted
from smtpy.admin.change import change, reading
from smtpy.admin.refusals import InTrash, NotFound
from smtpy.admin.scope import Viewer
from smtpy.directory.entries import Alias as InDirectory
from smtpy.store.accounts import Passkey
from smtpy.store.directory import SqlDirectory
from smtpy.store.records import JournalRecipient
from smtpy.store.schema import Alias, Audit, Domain, Mailbox, SigningKey, User
from smtpy.store.tallies import AliasDay, Correspondent
from smtpy.vault import Vault
from tests.admin.post import entry, put, to

ANN, BEN, EVE = "ann@people.example", "ben@people.example", "eve@people.example"
HERS, OURS = "hers.example", "our.example"
INBOX = "ann@inbox.example"
SHOP = f"shop@{OURS}"
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def house(engine: Engine) -> Engine:
    """Our.example is Ben's; Ann has an alias on it, a domain, a mailbox, and a passkey."""
    with change(engine, by="test", vault=Vault(["k" * 32])) as c:
        ann = members.add(c, ANN, name="Ann")
        for owner in (ANN, BEN):
            if owner == BEN:
                members.add(c, BEN)
            mailboxes.add(c, owner.replace("people", "inbox"), owner=owner, verified=True)
        domains.add(c, OURS, owner=BEN)
        domains.add(c, HERS, owner=ANN)
        automatics.add(c, HERS, "x-.*", to=[INBOX])
        aliases.add(c, SHOP, owner=ANN, to=[INBOX], note="the shop", tags=["buy"])
        aliases.add(c, f"own@{HERS}", to=[INBOX])
        row = aliases.find(c.session, SHOP)
        c.session.add(AliasDay(alias_id=row.id, day=NOW.date()))
        c.session.add(Correspondent(alias_id=row.id, address="bob@far.example", first_at=NOW, last_at=NOW))
        c.session.add(Passkey(user_id=ann.id, credential=b"c", public=b"p", sign_count=0, name="phone"))
    return engine


def throw_away(engine: Engine, *acts: tuple[object, str]) -> None:
    with change(engine, by="test") as c:
        for module, name in acts:
            module.delete(c, name)  # type: ignore[attr-defined]


def empty(engine: Engine, before: datetime = LATER, limit: int = 500) -> dict[str, int]:
    rounds = (trash.aliases, trash.domains, trash.mailboxes, trash.users)
    return {each.__name__: each(engine, before, limit) for each in rounds}


def count(engine: Engine, table: type) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def alias_id(engine: Engine, address: str) -> int:
    with Session(engine) as session:
        return aliases.find(session, address).id


def known(engine: Engine, local: str) -> InDirectory | None:
    directory = SqlDirectory(engine)
    domain = directory.domain(OURS)
    assert domain
    return directory.alias(domain, local)


def test_nothing_goes_before_its_time(house: Engine) -> None:
    throw_away(house, (aliases, SHOP))
    assert empty(house, NOW - timedelta(days=1)) == {"aliases": 0, "domains": 0, "mailboxes": 0, "users": 0}
    with change(house, by="test") as c:
        assert aliases.restore(c, SHOP).note == "the shop"


def test_of_an_alias_the_address_stays_and_is_refused(house: Engine) -> None:
    throw_away(house, (aliases, SHOP))
    assert empty(house)["aliases"] == 1
    assert empty(house)["aliases"] == 0
    left = known(house, "shop")
    assert left
    assert (left.trashed, left.mailboxes) == (True, ())
    assert [count(house, table) for table in (AliasDay, Correspondent)] == [0, 0]
    with Session(house) as session:
        assert session.scalar(select(Alias.note).where(Alias.local == "shop")) == ""
        listed = alias_lists.page(session, Wanted(state=State.TRASH), LATER)
        assert listed.aliases == ()
        assert SHOP not in [each.address for each in aliases.page(session, trash=True)]


def test_its_owner_may_have_it_again_and_nobody_else(house: Engine) -> None:
    throw_away(house, (aliases, SHOP))
    empty(house)
    with pytest.raises(InTrash, match="Add it anew"), change(house, by="test") as c:
        aliases.restore(c, SHOP)
    with pytest.raises(InTrash, match="somebody else's"), change(house, by="test") as c:
        aliases.add(c, SHOP, owner=BEN, to=["ben@inbox.example"])
    with change(house, by="test") as c:
        assert aliases.add(c, SHOP, owner=ANN, to=[INBOX]).note == ""
    again = known(house, "shop")
    assert again
    assert (again.trashed, again.mailboxes) == (False, (INBOX,))


def test_a_domain_goes_with_all_that_is_on_it_and_is_whose_dns_says(house: Engine) -> None:
    throw_away(house, (domains, HERS))
    assert empty(house, limit=1)["domains"] == 1  # the alias on it
    assert empty(house, limit=1)["domains"] == 1
    assert empty(house)["domains"] == 0
    with Session(house) as session:
        assert session.scalars(select(Domain.name)).all() == [OURS]
        assert (
            session.scalars(select(SigningKey.domain_id).distinct()).all() == session.scalars(select(Domain.id)).all()
        )
        assert {row.act for row in session.scalars(select(Audit).where(Audit.actor == "purge"))} == {"trash.purge"}
    with change(house, by="test", vault=Vault(["k" * 32])) as c:
        domains.add(c, HERS, owner=BEN)


def test_a_mailbox_stays_while_something_leads_there(house: Engine) -> None:
    throw_away(house, (aliases, SHOP), (domains, HERS), (aliases, f"own@{HERS}"), (mailboxes, INBOX))
    with Session(house) as session:
        aliases.find(session, SHOP).deleted_at = None
        session.commit()
    assert empty(house)["mailboxes"] == 0
    throw_away(house, (aliases, SHOP))
    assert empty(house)["mailboxes"] == 1
    with Session(house) as session:
        assert session.scalars(select(Mailbox.address)).all() == ["ben@inbox.example"]


def test_who_leaves_addresses_on_anothers_domain_leaves_them_without_a_name(house: Engine) -> None:
    throw_away(house, (aliases, SHOP), (domains, HERS), (aliases, f"own@{HERS}"), (mailboxes, INBOX), (members, ANN))
    assert empty(house) == {"aliases": 2, "domains": 2, "mailboxes": 1, "users": 1}
    assert empty(house)["users"] == 0
    assert count(house, Passkey) == 0
    with Session(house) as session:
        left = session.scalars(select(User).where(User.deleted_at.is_not(None))).one()
        assert (left.email, left.name) == (f"{left.uuid}@deleted.invalid", "")
    with pytest.raises(InTrash, match="somebody else's"), change(house, by="test") as c:
        aliases.add(c, SHOP, owner=BEN, to=["ben@inbox.example"])
    with change(house, by="test") as c:
        assert members.add(c, ANN).deleted_at is None  # the e-mail address is free again


def test_who_leaves_nothing_is_gone(house: Engine) -> None:
    with change(house, by="test") as c:
        members.add(c, EVE)
    throw_away(house, (members, EVE))
    assert empty(house)["users"] == 1
    with pytest.raises(NotFound), Session(house) as session:
        members.find(session, EVE)


def test_nobody_who_comes_after_them_sees_their_mail(house: Engine) -> None:
    """SQLite gives the number of its last row again; the journal has numbers of owners, and no foreign key."""
    with change(house, by="test") as c:
        members.add(c, EVE)
        domains.add(c, "hers.test", owner=EVE)
    put(house, entry(to("a@hers.test")))
    throw_away(house, (domains, "hers.test"), (members, EVE))
    assert empty(house)["users"] == 1
    assert empty(house)["users"] == 0
    with change(house, by="test") as c:
        new = members.add(c, "dan@people.example")
    with reading(house, Viewer(new.id)) as session:
        assert messages.page(session).messages == ()


def test_who_has_their_address_next_hears_nothing_of_them(house: Engine) -> None:
    with change(house, by="test") as c:
        members.add(c, EVE)
        c.note("session.begin", f"user {EVE}", None, {"device": "Eve's phone"})
    throw_away(house, (members, EVE))
    empty(house)
    with change(house, by="test") as c:
        members.add(c, EVE)
    with reading(house) as session:
        assert [each.act for each in trail.of_account(session, EVE)] == ["user.add"]


def test_who_has_no_name_left_is_in_no_list_and_stays_gone(house: Engine) -> None:
    throw_away(house, (aliases, SHOP), (domains, HERS), (aliases, f"own@{HERS}"), (mailboxes, INBOX), (members, ANN))
    empty(house)
    with Session(house) as session:
        left = session.scalars(select(User).where(User.deleted_at.is_not(None))).one()
        assert roll.page(session, state="trash") == ()
        assert [each.email for each in members.page(session, trash=True)] == [BEN]
    for name in (left.uuid, left.email):
        with pytest.raises(NotFound), change(house, by="test") as c:
            members.restore(c, name)


def test_while_nothing_is_due_nobody_waits_for_it(house: Engine) -> None:
    with change(house, by="test"):  # who has the lock of all changes
        assert empty(house) == {"aliases": 0, "domains": 0, "mailboxes": 0, "users": 0}


def test_what_is_restored_meanwhile_stays(house: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    throw_away(house, (aliases, SHOP), (aliases, f"own@{HERS}"))
    look = trash._found

    def looked(*args: Any) -> list[int]:
        found = look(*args)
        with change(house, by="test") as c:
            aliases.restore(c, SHOP)
        return found

    monkeypatch.setattr(trash, "_found", looked)
    assert trash.aliases(house, LATER, 500) == 1
    left = known(house, "shop")
    assert left
    assert (left.trashed, left.mailboxes) == (False, (INBOX,))


def remembered(engine: Engine) -> list[int | None]:
    with Session(engine) as session:
        return list(session.scalars(select(JournalRecipient.alias_id)))


def test_what_the_journal_has_of_an_alias_is_not_touched(house: Engine) -> None:
    """It may be a million rows, of an address that was thrown away for what came to it."""
    number = alias_id(house, SHOP)
    put(house, entry(to(SHOP, alias_id=number)))
    throw_away(house, (aliases, SHOP))
    assert empty(house)["aliases"] == 1
    assert remembered(house) == [number]
    with change(house, by="test") as c:
        aliases.add(c, SHOP, owner=ANN, to=[INBOX])
    assert remembered(house) == [alias_id(house, SHOP)]


def test_the_journal_forgets_aliases_of_a_domain_a_part_at_a_time(house: Engine) -> None:
    number = alias_id(house, f"own@{HERS}")
    put(house, *(entry(to(f"own@{HERS}", alias_id=number)) for _ in range(3)))
    throw_away(house, (domains, HERS))
    rounds = []
    for _ in range(4):
        rounds.append(trash.domains(house, LATER, 2))
        rounds.append(remembered(house).count(None))
    assert rounds == [2, 2, 2, 3, 2, 3, 0, 3]


def test_a_round_takes_what_it_was_told(house: Engine) -> None:
    with change(house, by="test") as c:
        for number in range(5):
            aliases.add(c, f"n{number}@{OURS}", owner=ANN, to=[INBOX])
            aliases.delete(c, f"n{number}@{OURS}")
    assert [trash.aliases(house, LATER, 2) for _ in range(4)] == [2, 2, 1, 0]

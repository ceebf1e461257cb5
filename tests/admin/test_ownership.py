"""Whose a domain is before its DNS has said so: what a member adds touches nobody, and is kept from nobody for long."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, mailboxes, members
from smtpy.admin.change import Change, change, reading
from smtpy.admin.ownership import GRACE, MOST_UNPROVEN
from smtpy.admin.refusals import AlreadyThere, InUse, Invalid, Refusal
from smtpy.admin.scope import Viewer
from smtpy.directory.resolve import Foreign, House, resolve
from smtpy.mail.address import parse
from smtpy.srs import Srs
from smtpy.store.directory import SqlDirectory
from smtpy.store.schema import Domain

ANN, BEN = "ann@people.example", "ben@people.example"
NAME = "new.example"


@pytest.fixture
def people(engine: Engine) -> Engine:
    with change(engine, by="test") as c:
        for email in (ANN, BEN):
            members.add(c, email)
            mailboxes.add(c, email.replace("people", "inbox"), owner=email, verified=True)
    return engine


@contextmanager
def acting(engine: Engine, email: str) -> Iterator[Change]:
    """A change by a member."""
    with reading(engine) as session:
        viewer = Viewer(members.find(session, email).id)
    with change(engine, by=email, viewer=viewer) as c:
        yield c


def refused(engine: Engine, email: str, name: str = NAME) -> Refusal:
    """Why a member cannot add it."""
    with pytest.raises(Refusal) as caught, acting(engine, email) as c:
        domains.add(c, name, owner=email)
    return caught.value


def older(engine: Engine, by: timedelta) -> None:
    with Session(engine) as session, session.begin():
        for row in session.query(Domain):
            session.execute(update(Domain).where(Domain.id == row.id).values(created_at=row.created_at - by))


def test_an_operators_word_proves(people: Engine) -> None:
    with change(people, by="test") as c:
        made = domains.add(c, NAME, owner=ANN)
        assert (made.enabled, made.proven_at) == (True, c.now)


def test_what_a_member_adds_is_off_and_the_mail_path_does_not_know_it(people: Engine) -> None:
    with acting(people, ANN) as c:
        made = domains.add(c, NAME, owner=ANN)
        aliases.add(c, f"shop@{NAME}", to=["ann@inbox.example"])
    assert (made.enabled, made.proven_at) == (False, None)
    directory = SqlDirectory(people)
    house = House("mx.our.example", "postmaster@inbox.example", Srs((b"s" * 32,)))
    assert isinstance(resolve(parse(f"shop@{NAME}"), directory, house, c.now), Foreign)
    assert directory.domain(NAME) is None
    assert directory.awaits(NAME)
    assert not directory.awaits("other.example")
    with acting(people, ANN) as c:
        domains.delete(c, NAME)
    assert not directory.awaits(NAME)


def test_a_member_cannot_switch_on_what_is_unproven(people: Engine) -> None:
    with acting(people, ANN) as c:
        domains.add(c, NAME, owner=ANN)
    with pytest.raises(Invalid, match="by itself"), acting(people, ANN) as c:
        domains.on(c, NAME)
    with change(people, by="test") as c:
        assert domains.on(c, NAME).proven_at is not None
    assert SqlDirectory(people).domain(NAME) is not None


def test_others_mailboxes_on_it_stop_the_proof_and_are_not_told(people: Engine) -> None:
    """Anybody may announce the domain of a great provider: nobody's mailbox there is lost, or shown, by that."""
    with acting(people, BEN) as c:
        mailboxes.add(c, f"ben@{NAME}", owner=BEN, verified=True)
    with acting(people, ANN) as c:
        domains.add(c, NAME, owner=ANN)
    with acting(people, BEN) as c:
        mailboxes.add(c, f"other@{NAME}", owner=BEN, verified=True)
    with pytest.raises(InUse), change(people, by="worker") as c:
        domains.prove(c, NAME)
    assert "ben@" not in str(refused(people, ANN))
    with pytest.raises(InUse), acting(people, ANN) as c:
        mailboxes.add(c, f"ann@{NAME}", owner=ANN, verified=True)


def test_a_name_is_taken_over_after_a_week(people: Engine) -> None:
    with acting(people, ANN) as c:
        first = domains.add(c, NAME, owner=ANN)
        aliases.add(c, f"shop@{NAME}", to=["ann@inbox.example"])
    why = refused(people, BEN)
    assert isinstance(why, AlreadyThere)
    assert "not shown yet that it is theirs. If it is yours, ask the operator, or add it after" in why.message
    older(people, GRACE)
    with acting(people, BEN) as c:
        second = domains.add(c, NAME, owner=BEN)
    assert (second.owner, second.uuid == first.uuid) == (BEN, False)
    with acting(people, BEN) as c:
        aliases.add(c, f"shop@{NAME}", to=["ben@inbox.example"])
    assert isinstance(refused(people, ANN), AlreadyThere)


def test_a_name_in_its_members_trash_is_free_at_once(people: Engine) -> None:
    with acting(people, ANN) as c:
        domains.add(c, NAME, owner=ANN)
        domains.delete(c, NAME)
    with acting(people, BEN) as c:
        assert domains.add(c, NAME, owner=BEN).owner == BEN


def test_the_trash_begins_no_new_week(people: Engine) -> None:
    with acting(people, ANN) as c:
        domains.add(c, NAME, owner=ANN)
    older(people, GRACE)
    with acting(people, ANN) as c:
        domains.delete(c, NAME)
        domains.restore(c, NAME)
    with acting(people, BEN) as c:
        assert domains.add(c, NAME, owner=BEN).owner == BEN


def test_what_is_proven_stays_in_trash_and_age(people: Engine) -> None:
    with change(people, by="test") as c:
        domains.add(c, NAME, owner=ANN)
    older(people, 2 * GRACE)
    assert refused(people, BEN).message == f"Somebody else has {NAME} here. If it is yours, ask the operator."
    with acting(people, ANN) as c:
        domains.delete(c, NAME)
    assert isinstance(refused(people, BEN), AlreadyThere)


def test_nobody_hoards_names(people: Engine) -> None:
    for number in range(MOST_UNPROVEN):
        with acting(people, ANN) as c:
            domains.add(c, f"d{number}.example", owner=ANN)
    assert isinstance(refused(people, ANN), InUse)


def test_a_name_of_many_labels_is_no_domain(people: Engine) -> None:
    assert isinstance(refused(people, ANN, ".".join("abcdefghijk")), Invalid)

"""The made-up town: whole, the same each time, of reserved names only, and never among people who live there."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from smtpy.admin import members, passwords
from smtpy.admin.change import change
from smtpy.admin.refusals import InUse
from smtpy.seed import PASSWORD, plant
from smtpy.store import counting
from smtpy.store.columns import Base
from smtpy.store.records import JournalRecipient, JournalRow
from smtpy.store.schema import Alias, Role, User
from smtpy.store.tallies import AliasDay, Correspondent, OwnerDay
from tests.web.conftest import settings_in

NOW = datetime(2030, 6, 1, 12, tzinfo=UTC)
SETTINGS = settings_in(Path("/nowhere"))
RESERVED = ("example", "test", "invalid")


def test_it_is_whole_and_the_same_each_time(engine: Engine) -> None:
    planted = plant(engine, SETTINGS, "small", 7, NOW)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(JournalRow)) == planted.messages
        assert session.scalar(select(func.count()).select_from(Alias)) == planted.aliases
        owner = session.scalars(select(User).where(User.email == planted.owner)).one()
        admin = session.scalars(select(User).where(User.email == planted.admin)).one()
        assert (owner.role, admin.role) == (Role.USER, Role.ADMIN)
        assert passwords.fits(owner.password, PASSWORD)
        first = session.execute(select(Alias.uuid, Alias.local).order_by(Alias.id).limit(1)).one()
        assert (str(first.uuid), first.local) == ("01bb9bc4-7298-4b0d-af03-675a1600a35a", "fernhill-bakery")


def test_the_tallies_are_what_the_worker_would_count(engine: Engine) -> None:
    plant(engine, SETTINGS, "small", 7, NOW)
    assert counting.count(engine) == 0  # there is nothing left to count
    with Session(engine) as session:
        forwarded = select(func.count()).select_from(JournalRecipient).where(JournalRecipient.decision == "forward")
        for table in (AliasDay, OwnerDay):
            assert session.scalar(select(func.sum(table.forwarded))) == session.scalar(forwarded)
        assert session.scalar(select(func.count()).select_from(Correspondent))


def test_people_who_live_there_are_left_alone(engine: Engine) -> None:
    with change(engine, by="test") as c:
        members.add(c, "ann@people.example")
    with pytest.raises(InUse):
        plant(engine, SETTINGS, "small", 7, NOW)
    planted = plant(engine, SETTINGS, "small", 7, NOW, force=True)
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Alias)) == planted.aliases
        assert session.scalars(select(User.password).where(User.email == "ann@people.example")).one() is None


def test_all_names_are_reserved(engine: Engine) -> None:
    plant(engine, SETTINGS, "small", 7, NOW)
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                told = json.dumps({**row}, default=str)
                for domain in re.findall(r"@([\w.-]+\.[a-z]+)", told):
                    assert domain.rpartition(".")[2] in RESERVED, (table.name, domain)

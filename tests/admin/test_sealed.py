"""What lies sealed in the database, while an encryption key is replaced, and when it is lost."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime

import pyotp
import pytest
from sqlalchemy import Engine, LargeBinary, inspect, select
from sqlalchemy.orm import Session

from smtpy.admin import domains, factors, keys, members, sealed
from smtpy.admin.change import Change, change, personal
from smtpy.admin.refusals import Invalid
from smtpy.store.schema import Base, User
from smtpy.vault import Vault

ANN, OUR = "ann@people.example", "our.example"
OLD, BOTH, NEW = Vault(["k" * 32]), Vault(["n" * 32, "k" * 32]), Vault(["n" * 32])
PLAIN = {"signing_keys.public", "passkeys.credential", "passkeys.public", "log_positions.before"}


@pytest.fixture
def house(engine: Engine) -> Engine:
    """Ann, with an authenticator app, owns our.example, whose first pair waits."""
    with door(engine) as c:
        members.add(c, ANN)
        domains.add(c, OUR, owner=ANN)
    with personal(engine, by="test", vault=OLD) as c:
        seed = factors.new_seed()
        factors.turn_on(c, members.find(c.session, ANN).id, seed, pyotp.TOTP(seed).now())
    return engine


def door(engine: Engine, vault: Vault | None = OLD) -> AbstractContextManager[Change]:
    return change(engine, by="test", vault=vault)


def test_all_is_sealed_with_the_newest_key(house: Engine) -> None:
    with Session(house) as session:
        assert sealed.unopened(session, NEW) == {sealed.KEYS: 2, sealed.APPS: 1}
    with door(house, BOTH) as c:
        assert sealed.reseal(c) == 3
        assert sealed.reseal(c) == 0
    with Session(house) as session:
        assert sealed.unopened(session, NEW) == {}
        assert keys.unopened(session, NEW) == ()


def test_what_cannot_be_opened_stays_as_it_is(house: Engine) -> None:
    with Session(house) as session:
        before = session.scalar(select(User.totp))
    with door(house, NEW) as c:
        assert sealed.reseal(c) == 0
    with Session(house) as session:
        assert session.scalar(select(User.totp)) == before


def test_an_app_whose_seed_is_lost_says_so(house: Engine) -> None:
    with personal(house, by="test", vault=NEW) as c:
        user = members.find(c.session, ANN)
        with pytest.raises(Invalid, match="Use a recovery code"):
            factors.accept(c, user.id, pyotp.TOTP(factors.new_seed()).at(datetime.now(UTC)))
        (code, *_) = factors.renew_codes(c, user.id)
        assert factors.accept(c, user.id, code) == "recovery"


def test_every_column_of_octets_is_sealed_or_known_to_be_no_secret() -> None:
    octets = {
        f"{mapper.local_table.name}.{column.name}"
        for mapper in Base.registry.mappers
        for column in inspect(mapper).columns
        if isinstance(column.type, LargeBinary)
    }
    known = {f"{each.class_.__tablename__}.{each.key}" for each in sealed.SEALED.values()}
    assert octets - known == PLAIN
    assert known <= octets

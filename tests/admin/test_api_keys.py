"""API keys: their shape, their sum, and whom they stand for, on both databases."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from smtpy.admin import api_keys, members
from smtpy.admin.api_keys import Scope
from smtpy.admin.change import change, personal
from smtpy.admin.refusals import Invalid, NotFound
from smtpy.admin.scope import Viewer

ANN = "ann@people.example"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def ann(engine: Engine) -> int:
    with change(engine, by="test") as c:
        return members.add(c, ANN).id


def made(engine: Engine, user_id: int, *scopes: str, until: datetime | None = None) -> tuple[str, str]:
    with personal(engine, by="test", viewer=Viewer(user_id)) as c:
        view, key = api_keys.add(c, user_id, name="phone", scopes=scopes or ["aliases:read"], expires_at=until)
    return view.uuid, key


def test_a_key_is_fifty_one_letters_and_digits() -> None:
    keys = {api_keys.new_key() for _ in range(200)}
    assert len(keys) == 200
    # as clients of other services check theirs: addy.io's extension takes 40 to 60 of these and no others
    assert all(re.fullmatch(r"smtpy[A-Za-z0-9]{46}", key) and api_keys.is_key(key) for key in keys)


def test_the_sum_is_this_one_for_good() -> None:
    assert api_keys.is_key("smtpy" + "0" * 40 + "0juOUX")  # scanners for leaked keys compute it, too


def test_a_typing_error_is_found_without_the_database() -> None:
    key = api_keys.new_key()
    for place in range(len(key)):
        other = "x" if key[place] != "x" else "y"
        assert not api_keys.is_key(key[:place] + other + key[place + 1 :])
    assert not api_keys.is_key(key + "0")
    assert not api_keys.is_key("")
    assert not api_keys.is_key("ä" * 51)


def test_whom_it_stands_for(engine: Engine, ann: int) -> None:
    _, key = made(engine, ann, "aliases:write", "domains:read")
    holder = api_keys.verify(engine, key, NOW)
    assert holder is not None
    assert holder.member.email == ANN
    assert [scope for scope in Scope if holder.may(scope)] == ["aliases:read", "aliases:write", "domains:read"]
    assert api_keys.verify(engine, api_keys.new_key(), NOW) is None


def test_it_ends(engine: Engine, ann: int) -> None:
    _, key = made(engine, ann, until=NOW)
    assert api_keys.verify(engine, key, NOW - timedelta(seconds=1)) is not None
    assert api_keys.verify(engine, key, NOW) is None


def test_it_is_revoked_by_its_owner_only(engine: Engine, ann: int) -> None:
    uuid, key = made(engine, ann)
    with change(engine, by="test") as c:
        bob = members.add(c, "bob@people.example").id
    with personal(engine, by="test", viewer=Viewer(bob)) as c, pytest.raises(NotFound):
        api_keys.revoke(c, uuid)
    with personal(engine, by="test", viewer=Viewer(ann)) as c:
        api_keys.revoke(c, uuid)
    assert api_keys.verify(engine, key, NOW) is None


@pytest.mark.parametrize("act", [members.off, members.delete])
def test_it_ends_with_its_owner(engine: Engine, ann: int, act: object) -> None:
    _, key = made(engine, ann)
    with change(engine, by="test") as c:
        act(c, ANN)  # type: ignore[operator]
    assert api_keys.verify(engine, key, NOW) is None


def test_there_are_not_too_many(engine: Engine, ann: int) -> None:
    for _ in range(api_keys.MOST):
        made(engine, ann)
    with pytest.raises(Invalid):
        made(engine, ann)

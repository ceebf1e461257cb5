"""Signing keys from their making to their end, on both databases."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from smtpy.admin import domains, keys, members
from smtpy.admin.change import Change, change
from smtpy.admin.refusals import InTrash, InUse, Invalid, NotFound, Refusal
from smtpy.directory.entries import SigningKey as InDirectory
from smtpy.signing import key as signing
from smtpy.store.directory import SqlDirectory
from smtpy.store.schema import Audit, Epoch, SigningKey
from smtpy.vault import Vault

ANN, OUR = "ann@people.example", "our.example"
VAULT = Vault(["k" * 32])
OTHER = Vault(["o" * 32])


@pytest.fixture
def house(engine: Engine) -> Engine:
    """Ann owns our.example, whose first pair waits."""
    with door(engine) as c:
        members.add(c, ANN)
        domains.add(c, OUR, owner=ANN)
    return engine


def door(engine: Engine, vault: Vault | None = VAULT) -> AbstractContextManager[Change]:
    return change(engine, by="test", vault=vault)


def all_keys(engine: Engine) -> tuple[keys.KeyView, ...]:
    with Session(engine) as session:
        return keys.of_domain(session, OUR)


def states(engine: Engine) -> dict[str, str]:
    """The state of each key, by selector without the day."""
    return {re.sub("[0-9]{8}-", "", each.selector): each.state for each in all_keys(engine)}


def signing_now(engine: Engine) -> tuple[InDirectory, ...]:
    directory = SqlDirectory(engine)
    domain = directory.domain(OUR)
    assert domain is not None
    return directory.signing_keys(domain)


def selectors(engine: Engine, number: int) -> list[str]:
    return [each.selector for each in all_keys(engine) if each.selector.endswith(f"-{number}")]


def see(engine: Engine, *seen: str) -> tuple[keys.KeyView, ...]:
    with door(engine) as c:
        return keys.seen(c, OUR, seen)


def test_a_new_domain_has_a_pair_waiting(house: Engine) -> None:
    assert states(house) == {"r1": "waiting", "e1": "waiting"}
    assert signing_now(house) == ()
    for each in all_keys(house):
        assert re.fullmatch("[re]20[0-9]{6}-1", each.selector)
        published = signing.parse_public(each.record.encode())
        assert isinstance(published, signing.PublicKey), published
        assert published.algorithm == each.algorithm


def test_without_a_vault_none_is_made(engine: Engine) -> None:
    with door(engine, None) as c:
        members.add(c, ANN)
        domains.add(c, OUR, owner=ANN)
    assert all_keys(engine) == ()
    with pytest.raises(RuntimeError, match="vault"), door(engine, None) as c:
        keys.rotate(c, OUR)


def test_a_pair_is_used_once_both_were_seen(house: Engine) -> None:
    rsa, ed25519 = sorted(selectors(house, 1), reverse=True)
    assert see(house, rsa) == ()
    assert see(house, ed25519) == ()  # the other one is gone again
    assert states(house) == {"r1": "waiting", "e1": "waiting"}
    assert {each.selector for each in see(house, rsa, ed25519)} == {rsa, ed25519}
    assert states(house) == {"r1": "used", "e1": "used"}
    assert see(house, rsa, ed25519) == ()
    for each in signing_now(house):
        signer = signing.load(VAULT.open(each.private), each.algorithm, each.domain, each.selector)  # type: ignore[arg-type]
        assert (signer.domain, signer.selector) == (OUR, each.selector)


def test_the_pair_before_is_retired_and_stays_published(house: Engine) -> None:
    see(house, *selectors(house, 1))
    with door(house) as c:
        assert [each.state for each in keys.rotate(c, OUR)] == ["waiting", "waiting"]
    assert {each.selector for each in signing_now(house)} == set(selectors(house, 1))
    see(house, *selectors(house, 2))
    assert {each.selector for each in signing_now(house)} == set(selectors(house, 2))
    assert states(house) == {"r2": "used", "e2": "used", "r1": "retired", "e1": "retired"}


def test_used_at_once_without_dns(house: Engine) -> None:
    with door(house) as c:
        assert [each.state for each in keys.use(c, OUR)] == ["used", "used"]
    assert len(signing_now(house)) == 2


def test_a_number_is_not_given_again(house: Engine) -> None:
    first = selectors(house, 1)
    with door(house) as c:
        keys.use(c, OUR)
        keys.rotate(c, OUR)
        keys.use(c, OUR)
        for each in first:
            keys.delete(c, OUR, each)
        keys.rotate(c, OUR)
    assert states(house) == {"r2": "used", "e2": "used", "r3": "waiting", "e3": "waiting"}


@pytest.mark.parametrize("state", ["waiting", "used"])
def test_keys_that_were_lost_make_room(house: Engine, state: str) -> None:
    first = selectors(house, 1)
    if state == "used":
        see(house, *first)
    with Session(house) as session:
        assert keys.unopened(session, VAULT) == ()
        assert len(keys.unopened(session, OTHER)) == 2
        assert keys.unopened(session, OTHER, []) == ()
    if state == "waiting":
        with door(house, OTHER) as c:
            assert keys.seen(c, OUR, first) == ()
        with pytest.raises(Invalid, match="Make new ones"), door(house, OTHER) as c:
            keys.use(c, OUR)
    with door(house, OTHER) as c:
        keys.rotate(c, OUR)
        keys.use(c, OUR)
    assert states(house) == {"r1": "retired", "e1": "retired", "r2": "used", "e2": "used"}
    with Session(house) as session:
        assert keys.unopened(session, OTHER) == ()


def test_retired_deleted_and_purged(house: Engine) -> None:
    see(house, *selectors(house, 1))
    rsa, ed25519 = sorted(selectors(house, 1), reverse=True)
    with door(house) as c:
        keys.retire(c, OUR, ed25519.upper())
        at = keys.retire(c, OUR, ed25519).retired_at
    assert at is not None
    assert [each.selector for each in signing_now(house)] == [rsa]
    with door(house) as c:
        assert keys.purge(c, at) == ()
        assert [each.selector for each in keys.purge(c, at + timedelta(seconds=1))] == [ed25519]
        keys.rotate(c, OUR)
        keys.use(c, OUR)
        keys.delete(c, OUR, rsa)
    assert states(house) == {"r2": "used", "e2": "used"}


REFUSED: dict[str, tuple[Callable[[Change, str], object], type[Refusal], str]] = {
    "a pair while one waits": (lambda c, _: keys.rotate(c, OUR), InUse, "waits to be seen"),
    "delete what waits": (lambda c, rsa: keys.delete(c, OUR, rsa), InUse, "Retire it first"),
    "unknown domain": (lambda c, _: keys.rotate(c, "x.example"), NotFound, "Add it first"),
    "unknown key": (lambda c, _: keys.retire(c, OUR, "r1"), NotFound, "key list our.example"),
}


@pytest.mark.parametrize(("act", "kind", "words"), REFUSED.values(), ids=list(REFUSED))
def test_refusals(house: Engine, act: Callable[[Change, str], object], kind: type[Refusal], words: str) -> None:
    rsa = max(selectors(house, 1))
    before = all_keys(house)
    with pytest.raises(kind, match=words), door(house) as c:
        act(c, rsa)
    assert all_keys(house) == before


def test_refusals_once_they_are_used(house: Engine) -> None:
    ed25519, rsa = sorted(selectors(house, 1))
    with door(house) as c:
        keys.use(c, OUR)
        keys.retire(c, OUR, ed25519)
    with pytest.raises(NotFound, match="Make new ones"), door(house) as c:
        keys.use(c, OUR)
    with pytest.raises(InUse, match="only key"), door(house) as c:
        keys.retire(c, OUR, rsa)
    with door(house) as c:
        domains.delete(c, OUR)
    for act in (keys.rotate, keys.use, lambda c, name: keys.seen(c, name, ())):
        with pytest.raises(InTrash), door(house) as c:
            act(c, OUR)


def test_who_should_get_a_new_pair(house: Engine) -> None:
    now = datetime.now(UTC)
    with door(house, None) as c:
        domains.add(c, "bare.example", owner=ANN)
        domains.add(c, "gone.example", owner=ANN)
        domains.delete(c, "gone.example")
    with Session(house) as session:
        assert keys.overdue(session, None) == ("bare.example",)
        assert keys.overdue(session, now + timedelta(days=1)) == ("bare.example",)  # ours waits
    with door(house) as c:
        keys.use(c, OUR)
    with Session(house) as session:
        assert keys.overdue(session, now - timedelta(days=1)) == ("bare.example",)
        assert keys.overdue(session, now + timedelta(days=1)) == (OUR, "bare.example")
        session.execute(update(SigningKey).values(retired_at=now))
        assert keys.overdue(session, None) == (OUR, "bare.example")


def test_what_signs_nothing_and_what_waits(house: Engine) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    with door(house) as c:
        domains.add(c, "new.example", owner=ANN)
        domains.add(c, "gone.example", owner=ANN)
        domains.delete(c, "gone.example")
        keys.use(c, OUR)
        keys.rotate(c, OUR)
    with Session(house) as session:
        assert keys.unsigned(session) == ("new.example",)
        assert keys.lingering(session, later - timedelta(days=2)) == ()
        assert {(each.domain, each.state) for each in keys.lingering(session, later)} == {
            (OUR, "waiting"),
            ("new.example", "waiting"),
        }
        ours = {each.selector for each in keys.lingering(session, later, OUR)}
    assert ours == set(selectors(house, 2))


def test_pages(house: Engine) -> None:
    with Session(house) as session:
        first = keys.page(session, limit=1)
        second = keys.page(session, after=first[0].id)
    assert {each.selector for each in (*first, *second)} == set(selectors(house, 1))


def test_the_trail_tells_everything_but_the_secret(house: Engine) -> None:
    def epoch() -> int:
        with Session(house) as session:
            return session.scalars(select(Epoch.value)).one()

    at = epoch()
    see(house, *selectors(house, 1))
    assert epoch() == at + 1
    see(house, *selectors(house, 1))
    assert epoch() == at + 1  # nothing changed
    with Session(house) as session:
        rows = session.scalars(select(Audit).where(Audit.act.like("key.%")).order_by(Audit.id)).all()
        secrets = session.scalars(select(SigningKey.private)).all()
    assert [row.act for row in rows] == ["key.add"] * 2 + ["key.seen"] * 2 + ["key.use"] * 2
    for row in rows:
        assert re.fullmatch(r"key [re][0-9-]+ of our\.example", row.subject)
        assert "private" not in (row.after or {})
        assert not any(secret.decode() in str((row.before, row.after)) for secret in secrets)
    assert rows[-1].after is not None
    assert rows[-1].after["state"] == "used"

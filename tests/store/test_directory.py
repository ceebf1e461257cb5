"""The directory's answers, that each is one statement, and that no number of rows makes it slow."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text, update

from smtpy.directory.entries import Mode, OnDmarc, SigningKey, SwitchedOff, WhenOff
from smtpy.directory.questions import Unavailable
from smtpy.store import migrate
from smtpy.store import schema as tables
from smtpy.store.directory import SqlDirectory
from smtpy.store.engine import open_engine
from smtpy.store.records import ReturnToken
from smtpy.store.returns import remember
from smtpy.store.schema import Algorithm, Alias, AliasMailbox, Automatic, AutomaticMailbox, Domain, Mailbox, User
from tests.store.town import NOW, Town, changing, found

MANY = 10_000


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked meanwhile."""
    asked: list[tuple[str, Any]] = []

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def domain_of(engine: Engine, name: str = "our.example") -> Any:
    domain = SqlDirectory(engine).domain(name)
    assert domain is not None
    return domain


# --- domain ---------------------------------------------------------------------------------------------------------


def test_a_domain(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        role = town.mailbox(owner, "role@far.example")
        town.domain(
            owner, role_mailbox_id=role, max_message_bytes=5000, when_off=WhenOff.DEFER, extension_separator="-"
        )
    domain = domain_of(engine)
    assert (domain.name, domain.enabled, domain.when_off) == ("our.example", True, WhenOff.DEFER)
    assert (domain.role_mailbox, domain.max_message_bytes, domain.extension_separator) == (
        "role@far.example",
        5000,
        "-",
    )
    assert (domain.on_reject, domain.on_quarantine) == (OnDmarc.REFUSE, OnDmarc.TAG)
    assert len(domain.uuid) == 36


def test_what_a_domain_does_where_dmarc_fails(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        town.domain(town.owner(), on_reject=OnDmarc.DELIVER, on_quarantine=OnDmarc.HOLD)
    domain = domain_of(engine)
    assert (domain.on_reject, domain.on_quarantine) == (OnDmarc.DELIVER, OnDmarc.HOLD)


def test_an_unknown_domain(engine: Engine) -> None:
    assert SqlDirectory(engine).domain("our.example") is None


@pytest.mark.parametrize(
    ("domain", "owner", "enabled"),
    [
        ({}, {}, True),
        ({"enabled": False}, {}, False),
        ({}, {"enabled": False}, False),
        ({}, {"deleted_at": NOW}, False),
    ],
)
def test_a_domain_is_on_with_its_owner(engine: Engine, domain: Any, owner: Any, enabled: bool) -> None:
    with changing(engine) as session:
        town = Town(session)
        town.domain(town.owner(**owner), **domain)
    assert domain_of(engine).enabled is enabled


def test_a_domain_in_the_trash_is_none(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        town.domain(town.owner(), deleted_at=NOW)
    assert SqlDirectory(engine).domain("our.example") is None


NO_USE = [{"enabled": False}, {"verified_at": None}, {"deleted_at": NOW}]


@pytest.mark.parametrize("state", NO_USE)
def test_a_role_mailbox_must_work(engine: Engine, state: dict[str, Any]) -> None:
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        town.domain(owner, role_mailbox_id=town.mailbox(owner, "role@far.example", **state))
    assert domain_of(engine).role_mailbox is None


# --- alias ----------------------------------------------------------------------------------------------------------


def test_an_alias_and_its_mailboxes_in_order(engine: Engine) -> None:
    later = NOW + timedelta(days=1)
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        one, two = (town.mailbox(owner, address) for address in ("one@far.example", "two@far.example"))
        domain = town.domain(owner)
        number = town.alias(owner, domain, "sales", (two, one), when_off=WhenOff.DROP, expires_at=later)
    alias = SqlDirectory(engine).alias(domain_of(engine), "sales")
    assert alias is not None
    assert (alias.id, alias.local, alias.domain) == (number, "sales", "our.example")
    assert alias.mailboxes == ("two@far.example", "one@far.example")
    assert (alias.mode, alias.when_off, alias.expires_at) == (Mode.TRANSPARENT, WhenOff.DROP, later)
    assert (alias.off, alias.trashed) == (None, False)
    assert SqlDirectory(engine).alias(domain_of(engine), "sale") is None


@pytest.mark.parametrize("state", NO_USE)
def test_mailboxes_that_do_not_work_are_left_out(engine: Engine, state: dict[str, Any]) -> None:
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        one, two = town.mailbox(owner, "one@far.example", **state), town.mailbox(owner, "two@far.example")
        domain = town.domain(owner)
        town.alias(owner, domain, "some", (one, two))
        town.alias(owner, domain, "none", (one,))
    directory, known = SqlDirectory(engine), domain_of(engine)
    answers = [directory.alias(known, local) for local in ("some", "none")]
    assert [answer.mailboxes for answer in answers if answer] == [("two@far.example",), ()]


@pytest.mark.parametrize(
    ("alias", "domain", "owner", "off"),
    [
        ({}, {}, {}, None),
        ({"enabled": False}, {}, {}, SwitchedOff.ALIAS),
        ({}, {"enabled": False}, {}, SwitchedOff.DOMAIN),
        ({}, {}, {"enabled": False}, SwitchedOff.OWNER),
        ({}, {}, {"deleted_at": NOW}, SwitchedOff.OWNER),
        ({"enabled": False}, {"enabled": False}, {}, SwitchedOff.DOMAIN),
        ({"enabled": False}, {"enabled": False}, {"enabled": False}, SwitchedOff.OWNER),
    ],
)
def test_the_outermost_switch_counts(
    engine: Engine, alias: dict[str, Any], domain: dict[str, Any], owner: dict[str, Any], off: SwitchedOff | None
) -> None:
    with changing(engine) as session:
        town = Town(session)
        person = town.owner(**owner)
        town.alias(person, town.domain(person, **domain), "sales", (town.mailbox(person, "one@far.example"),), **alias)
    answer = SqlDirectory(engine).alias(domain_of(engine), "sales")
    assert answer is not None
    assert answer.off is off


def test_an_alias_stops_with_the_owner_of_its_domain(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        person, landlord = town.owner(), town.owner("landlord@people.example", enabled=False)
        town.alias(person, town.domain(landlord), "sales", (town.mailbox(person, "one@far.example"),))
    answer = SqlDirectory(engine).alias(domain_of(engine), "sales")
    assert answer is not None
    assert answer.off is SwitchedOff.DOMAIN


def test_an_alias_in_the_trash_says_so(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        town.alias(owner, town.domain(owner), "sales", (town.mailbox(owner, "one@far.example"),), deleted_at=NOW)
    answer = SqlDirectory(engine).alias(domain_of(engine), "sales")
    assert answer is not None
    assert answer.trashed


# --- automatic ------------------------------------------------------------------------------------------------------


def test_automatic_aliases_in_the_owners_order_catch_all_last(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        owner = town.owner()
        one, two = (town.mailbox(owner, address) for address in ("one@far.example", "two@far.example"))
        domain = town.domain(owner)
        town.automatic(domain, 0, None, one)
        town.automatic(domain, 2, "b.*", two, one)
        town.automatic(domain, 1, "a.*")
        town.automatic(domain, 3, "off.*", one, enabled=False)
        town.automatic(town.domain(owner, "other.example"), 0, "c.*", one)
    rules = SqlDirectory(engine).automatic(domain_of(engine))
    assert [(rule.pattern, rule.mailboxes) for rule in rules] == [
        ("a.*", ()),
        ("b.*", ("two@far.example", "one@far.example")),
        (None, ("one@far.example",)),
    ]


# --- sender ---------------------------------------------------------------------------------------------------------


def test_a_stored_sender(engine: Engine, now: Any) -> None:
    directory = SqlDirectory(engine, token_days=21)
    assert directory.sender("a" * 26) is None
    for _ in range(2):
        remember(engine, "a" * 26, "x" * 3000 + "@far.example", now)
    assert directory.sender("a" * 26) == "x" * 3000 + "@far.example"


def test_a_stored_sender_expires_after_its_last_use(engine: Engine, now: Any) -> None:
    directory, token = SqlDirectory(engine, token_days=21), "a" * 26
    remember(engine, token, "long@far.example", now - timedelta(days=22))
    assert directory.sender(token) is None
    remember(engine, token, "long@far.example", now - timedelta(days=20))
    assert directory.sender(token) == "long@far.example"


# --- signing keys ---------------------------------------------------------------------------------------------------


def test_the_newest_key_of_each_algorithm_that_is_used(engine: Engine) -> None:
    old, later = NOW - timedelta(days=2), NOW + timedelta(days=1)
    with changing(engine) as session:
        town = Town(session)
        domain = town.domain(owner := town.owner())
        town.key(domain, "r2", used_from=NOW)
        town.key(domain, "r1", used_from=old)
        town.key(domain, "e1", Algorithm.ED25519, used_from=old)
        town.key(domain, "e2", Algorithm.ED25519, used_from=NOW, retired_at=NOW)
        town.key(domain, "r3", seen_at=NOW)
        town.key(town.domain(owner, "other.example"), "r9", used_from=later)
    found_keys = SqlDirectory(engine).signing_keys(domain_of(engine))
    assert {each.algorithm: each for each in found_keys} == {
        "rsa-sha256": SigningKey(found_keys[0].uuid, "our.example", "r2", "rsa-sha256", b"sealed r2"),
        "ed25519-sha256": SigningKey(found_keys[1].uuid, "our.example", "e1", "ed25519-sha256", b"sealed e1"),
    }
    assert [type(each.algorithm) for each in found_keys] == [str, str]


def test_no_key_is_used_before_it_was_seen(engine: Engine) -> None:
    with changing(engine) as session:
        town = Town(session)
        town.key(town.domain(town.owner()), "r1")
    assert SqlDirectory(engine).signing_keys(domain_of(engine)) == ()


# --- one indexed statement, however many rows -----------------------------------------------------------------------


@pytest.fixture
def crowded(patient_engine: Engine) -> Engine:
    """A directory of 10,000 of everything, its statistics gathered."""
    engine = patient_engine
    found(engine)
    ids = range(1000, 1000 + MANY)
    timed = {"created_at": NOW, "updated_at": NOW}
    with engine.begin() as connection:
        put = connection.execute
        owners = [{"id": i, "email": f"{i}@p.example", "key": f"{i}@p.example", **timed} for i in ids]
        put(insert(User), owners)
        boxes = [{"id": i, "owner_id": i, "address": f"{i}@m.example", "verified_at": NOW, **timed} for i in ids]
        put(insert(Mailbox), [{"key": box["address"], "domain": "m.example", **box} for box in boxes])
        proven = {"proven_at": NOW, **timed}
        put(insert(Domain), [{"id": i, "owner_id": i, "name": f"d{i}.example", **proven} for i in ids])
        # half of all aliases in one domain, the others one by one
        home = [1 if i % 2 else i for i in ids]
        put(
            insert(Alias),
            [
                {"id": i, "owner_id": i, "domain_id": d, "local": f"a{i}", **timed}
                for i, d in zip(ids, home, strict=True)
            ],
        )
        put(insert(AliasMailbox), [{"alias_id": i, "mailbox_id": i} for i in ids])
        put(insert(Automatic), [{"id": i, "domain_id": i, "pattern": "x.*", **timed} for i in ids])
        put(insert(AutomaticMailbox), [{"automatic_id": i, "mailbox_id": i} for i in ids])
        key = {"selector": "r1", "algorithm": "rsa-sha256", "private": b"x", "public": b"x", "used_from": NOW}
        put(insert(tables.SigningKey), [{"id": i, "domain_id": i, "created_at": NOW, **key} for i in ids])
        tokens = [
            {"token": f"t{i}", "sender": f"{i}@s.example", "created_at": NOW, "used_at": datetime.now(UTC)} for i in ids
        ]
        put(insert(ReturnToken), tokens)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return engine


def scans(engine: Engine, statement: str, values: Any) -> list[str]:
    """The lines of the query plan that read a whole table."""
    words = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        lines = [str(row[-1]).strip() for row in connection.exec_driver_sql(f"{words} {statement}", values)]
    assert lines
    return [line for line in lines if line.startswith("SCAN") or "Seq Scan" in line]


def test_every_question_is_one_indexed_statement(crowded: Engine) -> None:
    directory = SqlDirectory(crowded)
    small, big = domain_of(crowded, "d1500.example"), domain_of(crowded)
    questions = {
        "domain": (lambda: directory.domain("d1500.example"), True),
        "awaited domain": (lambda: directory.awaits("unknown.example"), False),
        "unknown domain": (lambda: directory.domain("unknown.example"), False),
        "alias": (lambda: directory.alias(small, "a1500"), True),
        "alias of a big domain": (lambda: directory.alias(big, "a1501"), True),
        "unknown alias": (lambda: directory.alias(big, "unknown"), False),
        "automatic": (lambda: directory.automatic(small), True),
        "no automatic": (lambda: directory.automatic(big), False),
        "sender": (lambda: directory.sender("t1500"), True),
        "signing keys": (lambda: directory.signing_keys(small), True),
    }
    for name, (ask, known) in questions.items():
        with statements(crowded) as asked:
            answer = ask()
        assert bool(answer) is known, name
        assert len(asked) == 1, name
        assert scans(crowded, *asked[0]) == [], name


def test_a_scan_would_be_seen(crowded: Engine) -> None:
    assert scans(crowded, "SELECT id FROM aliases WHERE note = 'x'", ()) != []


# --- when it cannot tell --------------------------------------------------------------------------------------------


def test_no_schema_is_unavailable(engine: Engine) -> None:
    migrate.downgrade(engine)
    with pytest.raises(Unavailable):
        SqlDirectory(engine).domain("our.example")


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Any) -> None:
    path = tmp_path / "smtpy.db"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(Unavailable):
        SqlDirectory(open_engine(f"sqlite:///{path}")).domain("our.example")


def test_a_value_no_row_may_hold_is_refused(engine: Engine) -> None:
    found(engine)
    with pytest.raises(Exception, match="ck_aliases_when_off"), engine.begin() as connection:
        connection.execute(text("UPDATE aliases SET when_off = 'explode'"))


def test_a_time_without_zone_is_refused(engine: Engine) -> None:
    found(engine)
    with pytest.raises(Exception, match="without a zone"), engine.begin() as connection:
        connection.execute(update(Alias).values(expires_at=NOW.replace(tzinfo=None)))

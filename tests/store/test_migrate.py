"""Migrations, up and down and up again, on both databases."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import migrations
from smtpy.directory.entries import OnDmarc
from smtpy.directory.questions import Unavailable
from smtpy.store import migrate
from smtpy.store.columns import Base
from smtpy.store.engine import open_engine
from smtpy.store.records import JournalRecipient
from smtpy.store.schema import Domain, Epoch, User
from smtpy.store.tallies import OwnerDay
from tests.postgres import Postgres
from tests.store.conftest import KINDS

OLD_ROWS = (  # of a database at 0001
    "INSERT INTO users (id, uuid, email, key, name, role, enabled, created_at, updated_at) VALUES"
    " (1, '0123456789abcdef0123456789abcdef', 'a', 'a', '', 'user', true, '2026-11-23 12:00', '2026-11-23 12:00')",
    "INSERT INTO domains (id, uuid, owner_id, name, when_off, default_mode, enabled, created_at, updated_at) VALUES"
    " (1, '0123456789abcdef0123456789abcdef', 1, 'our.example', 'reject', 'transparent', true,"
    " '2026-11-23 12:00', '2026-11-23 12:00')",
)

OLD_JOURNAL = (
    "INSERT INTO journal (id, uuid, at, stage, client, reverse_path, size, verdict, why, micros) VALUES"
    " (1, '0123456789abcdef0123456789abcdef', '2026-11-23 12:00', 'front', '', '', 1, 'accept', '', 1)"
)
OLD_RECIPIENT = "INSERT INTO journal_recipients VALUES (1, 0, :key, :key, NULL, 'forward', '[]', '')"

_ALIAS = (
    "INSERT INTO aliases (id, uuid, domain_id, owner_id, local, when_off, mode, enabled, note, pinned, created_at,"
    " updated_at) VALUES ({0}, '0123456789abcdef0123456789abcde{0}', 1, 1, 'a{0}', 'reject', 'transparent', true, '',"
    " false, '2026-11-23 12:00', '2026-11-23 12:00')"
)
_DAY = (
    "INSERT INTO alias_days (alias_id, owner_id, day, forwarded, refused, held, bounced)"
    " VALUES ({}, 1, '{}', {}, {}, 0, 0)"
)
OLD_PEOPLE = (  # of a database at 0007
    *OLD_ROWS,
    *(_ALIAS.format(number) for number in (1, 2)),
    *(_DAY.format(*row) for row in ((1, "2026-11-23", 1, 4), (2, "2026-11-23", 2, 0), (2, "2026-11-24", 5, 0))),
)


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A database nobody has migrated; SQLite's is not even there."""
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path}/a 100% odd?name#.db".replace("?", "_").replace("#", "_"))
    server: Postgres = request.getfixturevalue("postgres")
    return open_engine(server.new_database())


def differences(engine: Engine) -> list[object]:
    def is_meant(thing: Any, name: str | None, kind: str, _is_reflected: bool, _other: object) -> bool:
        """Not the parts of a table, which `test_parts` looks at; nor what only the other database has."""
        if kind == "table" and re.fullmatch(r"(journal|journal_recipients|mail_events)_\d+", name or ""):
            return False
        return getattr(thing, "info", {}).get("only_on", engine.dialect.name) == engine.dialect.name

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_meant})
        return list(compare_metadata(context, Base.metadata))


def checks(engine: Engine) -> dict[str, set[str]]:
    """The CHECK constraints by table, which compare_metadata does not look at."""
    inspector = inspect(engine)
    found = {
        name: {str(check["name"]) for check in inspector.get_check_constraints(name)} for name in Base.metadata.tables
    }
    return {name: names for name, names in found.items() if names}


def test_up_down_and_up_again(empty: Engine) -> None:
    for _ in range(2):
        migrate.upgrade(empty)
        assert migrate.current(empty) == migrate.head()
        assert differences(empty) == []
        migrate.downgrade(empty)
        assert migrate.current(empty) is None
        assert set(inspect(empty).get_table_names()) <= {"alembic_version"}
    empty.dispose()


def test_the_epoch_and_the_checks_are_there(engine: Engine) -> None:
    with engine.connect() as connection:
        assert connection.execute(select(Epoch.id, Epoch.value)).all() == [(1, 0)]
    assert checks(engine) == {
        "users": {"ck_users_role", "ck_users_theme"},
        "domains": {f"ck_domains_{name}" for name in ("when_off", "default_mode", "on_reject", "on_quarantine")},
        "aliases": {"ck_aliases_when_off", "ck_aliases_mode"},
        "automatics": {"ck_automatics_mode"},
        "epoch": {"ck_epoch_one_row"},
        "signing_keys": {"ck_signing_keys_algorithm"},
        "one_time_links": {"ck_one_time_links_purpose", "ck_one_time_links_role"},
    }


def test_rows_of_an_older_version_outlive_the_way_up_and_down(empty: Engine) -> None:
    migrate.upgrade(empty, "0001")
    with empty.begin() as connection:
        for statement in OLD_ROWS:
            connection.exec_driver_sql(statement)
    for _ in range(2):
        migrate.upgrade(empty)
        with Session(empty) as session:
            row = session.scalars(select(Domain)).one()
            assert (row.name, row.on_reject, row.on_quarantine) == ("our.example", OnDmarc.REFUSE, OnDmarc.TAG)
        migrate.downgrade(empty, "0001")
    empty.dispose()


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("sales@our.example", "our.example"),
        ('"a@b"@our.example', "our.example"),
        ("", None),
        ("postmaster", None),
        ("x@" + 300 * "d", 253 * "d"),
    ],
)
def test_the_domains_of_old_recipients_are_filled_in(empty: Engine, key: str, domain: str | None) -> None:
    migrate.upgrade(empty, "0003")
    with empty.begin() as connection:
        connection.exec_driver_sql(OLD_JOURNAL)
        connection.execute(text(OLD_RECIPIENT), {"key": key})
    migrate.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalar(select(JournalRecipient.domain)) == domain
    empty.dispose()


def test_days_of_aliases_become_days_of_owners_and_back(empty: Engine) -> None:
    migrate.upgrade(empty, "0007")
    with empty.begin() as connection:
        for statement in OLD_PEOPLE:
            connection.exec_driver_sql(statement)
    migrate.upgrade(empty)
    with empty.connect() as connection:
        days = connection.execute(select(OwnerDay.owner_id, OwnerDay.day, OwnerDay.forwarded, OwnerDay.refused))
        assert sorted(map(tuple, days)) == [(1, date(2026, 11, 23), 3, 4), (1, date(2026, 11, 24), 5, 0)]
    migrate.downgrade(empty, "0007")
    with empty.connect() as connection:
        assert connection.execute(text("SELECT DISTINCT owner_id FROM alias_days")).all() == [(1,)]
    empty.dispose()


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(User(email="a@owner.example", key="a@owner.example"))
    migrate.upgrade(engine)
    with Session(engine) as session:
        assert session.scalars(select(User.key)).all() == ["a@owner.example"]


def test_a_second_epoch_is_refused(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        session.add(Epoch(id=2))
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


def test_only_upgrade_makes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    engine = open_engine(f"sqlite:///{path}")
    with pytest.raises(Unavailable):
        migrate.current(engine)
    assert not path.exists()
    migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.head()
    engine.dispose()


def test_the_steps_are_known_without_alembic() -> None:
    """A service asks at its start how the schema stands, and has no use for the steps themselves."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert [migrate.head()] == scripts.get_heads()
    assert all(migrate.knows(script.revision) for script in scripts.walk_revisions())
    assert not migrate.knows("9999")


def test_how_a_schema_stands_is_told(empty: Engine) -> None:
    migrate.upgrade(empty, "0007")
    assert migrate.fit(empty) is migrate.Fit.BEHIND
    assert migrate.upgrade(empty) == "0007"
    assert migrate.fit(empty) is migrate.Fit.RIGHT
    with empty.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert migrate.fit(empty) is migrate.Fit.AHEAD
    for act in (migrate.upgrade, migrate.downgrade):
        with pytest.raises(migrate.Ahead):
            act(empty)
    assert migrate.current(empty) == "9999"
    empty.dispose()

"""The duties, done on a real database and a real name server."""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, keys, mailboxes, members
from smtpy.admin.change import change, reading
from smtpy.admin.checks import MOST_QUESTIONS, PATIENCE, check
from smtpy.admin.outages import Outage
from smtpy.admin.scope import Viewer
from smtpy.config import Settings
from smtpy.store import counting, parts, retention
from smtpy.store.accounts import Attempt, OneTimeLink, Purpose, WebSession
from smtpy.store.checks import DomainCheck
from smtpy.store.directory import SqlDirectory
from smtpy.store.findings import Subject
from smtpy.store.rows import entries, write
from smtpy.store.schema import Epoch, SigningKey
from smtpy.store.tallies import AliasDay
from smtpy.terms import vault_of
from smtpy.worker import duties
from smtpy.worker.duties import (
    Post,
    check_domains,
    count_journal,
    divide_journal,
    purge_history,
    purge_keys,
    purge_signing_in,
    rotate_keys,
)
from tests.nameserver import Nameserver, silence
from tests.store.test_journal import delivery, entry
from tests.worker.conftest import ANN, INBOX, Settle
from tests.worker.published import published

DAY = timedelta(days=1)
MONTH = 30 * DAY


def checks(engine: Engine) -> dict[tuple[str, str], str]:
    """The status of each kind and name of our.example."""
    with Session(engine) as session:
        rows = session.query(DomainCheck).filter_by(subject="our.example")
        return {(row.kind, row.name.partition(".")[0]): row.status for row in rows}


def states(engine: Engine, domain: str = "our.example") -> list[str]:
    """Those of the keys, newest first."""
    with reading(engine) as session:
        return [key.state for key in keys.of_domain(session, domain)]


def epoch(engine: Engine) -> int:
    with Session(engine) as session:
        return session.get_one(Epoch, 1).value


def age(engine: Engine, **columns: datetime) -> None:
    """Have all keys been used or retired at another time."""
    with Session(engine) as session, session.begin():
        session.execute(update(SigningKey).values(**columns))


def post(engine: Engine, settings: Settings) -> Post:
    return Post(engine, settings, Event())


def test_what_is_published_is_found_and_its_keys_are_used(
    house: Engine, settings: Settings, nameserver: Nameserver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nameserver.zone.names |= published(house, settings)
    assert states(house) == ["waiting", "waiting"]
    check_domains(post(house, settings))
    assert set(checks(house).values()) - {"warning"} == {"ok"}
    assert states(house) == ["used", "used"]
    told = [each.getMessage() for each in caplog.records if each.name == "smtpy.worker"]
    assert sorted(told)[0].startswith("check domain=inbox.example missing=")
    assert sorted(told)[1].startswith("check domain=our.example ok=")
    assert re.fullmatch(r"use domain=our.example keys=r\S+,e\S+: they sign from now on", sorted(told)[2])
    assert len(told) == 3


def test_one_key_of_two_is_not_used(house: Engine, settings: Settings, nameserver: Nameserver) -> None:
    names = published(house, settings)
    del names[next(name for name in names if name.startswith("e"))]
    nameserver.zone.names |= names
    check_domains(post(house, settings))
    assert sorted(checks(house).values()).count("missing") == 1
    assert states(house) == ["waiting", "waiting"]


def test_a_key_is_used_only_when_all_resolvers_show_it(
    house: Engine, settle: Settle, settings: Settings, nameserver: Nameserver
) -> None:
    names = published(house, settings)
    nameserver.zone.names |= names
    behind = type(nameserver.zone)({name: names[name] for name in names if "_domainkey" not in name})
    with Nameserver(behind) as other:
        servers = [f"{each.host}:{each.port}" for each in (nameserver, other)]
        check_domains(post(house, settle(check_resolvers=servers)))
    assert states(house) == ["waiting", "waiting"]
    assert {status for (kind, _), status in checks(house).items() if kind == "dkim"} == {"warning"}


def test_a_silent_resolver_does_not_keep_a_key_from_being_used(
    house: Engine, settle: Settle, settings: Settings, nameserver: Nameserver, caplog: pytest.LogCaptureFixture
) -> None:
    nameserver.zone.names |= published(house, settings)
    with silence() as (host, port):
        servers = [f"{nameserver.host}:{nameserver.port}", f"{host}:{port}"]
        check_domains(post(house, settle(check_resolvers=servers, dns_timeout_seconds=0.1)))
    assert states(house) == ["used", "used"]
    assert set(checks(house).values()) - {"warning"} == {"ok"}
    told = [each.getMessage() for each in caplog.records if "cannot be reached" in each.getMessage()]
    assert told == [f"check resolvers={host}:{port} cannot be reached: see check_resolvers and the firewall"]


def test_trouble_with_one_name_does_not_keep_a_key_from_being_used(
    house: Engine, settle: Settle, settings: Settings, nameserver: Nameserver
) -> None:
    names = published(house, settings)
    nameserver.zone.names |= names
    broken = type(nameserver.zone)({**names, next(name for name in names if name.startswith("e")): "SERVFAIL"})
    with Nameserver(broken) as other:
        servers = [f"{each.host}:{each.port}" for each in (nameserver, other)]
        check_domains(post(house, settle(check_resolvers=servers)))
    assert states(house) == ["used", "used"]


def test_a_foreign_text_does_not_keep_a_key_from_being_used(
    house: Engine, settings: Settings, nameserver: Nameserver
) -> None:
    names = published(house, settings)
    for name in names:
        if "_domainkey" in name:
            names[name]["TXT"].append("v=spf1 -all")
    nameserver.zone.names |= names
    check_domains(post(house, settings))
    assert {status for (kind, _), status in checks(house).items() if kind == "dkim"} == {"warning"}
    assert states(house) == ["used", "used"]


def test_a_key_that_waits_for_long_is_told(house: Engine, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    age(house, created_at=datetime.now(UTC) - PATIENCE + timedelta(minutes=1))
    check_domains(post(house, settings))
    assert "wait domain=" not in caplog.text
    age(house, created_at=datetime(2026, 1, 31, 12, 0, tzinfo=UTC))
    with Session(house) as session, session.begin():
        session.query(DomainCheck).delete()
    check_domains(post(house, settings))
    assert re.search(
        r"WARNING.* wait domain=our.example keys=r\S+,e\S+ since=2026-01-31T12:00\+00:00: not yet seen in DNS",
        caplog.text,
    )


@pytest.mark.parametrize("trouble", ["SERVFAIL", "REFUSED"])
def test_a_failing_check_changes_nothing_that_mail_needs(
    house: Engine, settings: Settings, nameserver: Nameserver, trouble: str
) -> None:
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
        before = domains.show(c.session, "our.example")
    at = epoch(house)
    nameserver.zone.names.update(dict.fromkeys(published(house, settings), trouble))
    check_domains(post(house, settings))
    assert set(checks(house).values()) == {"unknown"}
    with reading(house) as session:
        assert domains.show(session, "our.example") == before
    assert (states(house), epoch(house)) == (["used", "used"], at)


def test_nothing_is_due_twice(house: Engine, settings: Settings, nameserver: Nameserver) -> None:
    nameserver.zone.names |= published(house, settings)
    check_domains(post(house, settings))
    asked = len(nameserver.asked)
    check_domains(post(house, settings))
    assert len(nameserver.asked) == asked > 10


def test_keys_rotate_when_they_are_old_enough(house: Engine, settle: Settle) -> None:
    settings = settle(key_rotation_days=90)
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
    rotate_keys(post(house, settings))
    assert states(house) == ["used", "used"]
    age(house, used_from=datetime.now(UTC) - 4 * MONTH)
    rotate_keys(post(house, settle()))  # by hand only
    assert states(house) == ["used", "used"]
    for _ in range(2):
        rotate_keys(post(house, settings))
        assert states(house) == ["waiting", "waiting", "used", "used"]


def test_a_domain_without_keys_gets_some(house: Engine, settings: Settings) -> None:
    with Session(house) as session, session.begin():
        session.query(SigningKey).delete()
    rotate_keys(post(house, settings))
    assert states(house) == ["waiting", "waiting"]


def test_the_whole_life_of_a_pair(house: Engine, settle: Settle, nameserver: Nameserver) -> None:
    settings = settle(key_rotation_days=90, key_retire_days=30)
    with change(house, by="test", vault=vault_of(settings)) as c:
        keys.use(c, "our.example")
    age(house, used_from=datetime.now(UTC) - 4 * MONTH)
    rotate_keys(post(house, settings))
    nameserver.zone.names |= published(house, settings)
    check_domains(post(house, settings))
    assert states(house) == ["used", "used", "retired", "retired"]
    purge_keys(post(house, settings))
    assert states(house) == ["used", "used", "retired", "retired"]
    with Session(house) as session, session.begin():
        old = SigningKey.retired_at.is_not(None)
        session.execute(update(SigningKey).where(old).values(retired_at=datetime.now(UTC) - MONTH))
    purge_keys(post(house, settings))
    assert states(house) == ["used", "used"]


@pytest.mark.parametrize("duty", [check_domains, rotate_keys, purge_keys])
def test_a_database_that_cannot_answer_is_an_outage(
    house: Engine, settings: Settings, duty: Callable[[Post], None]
) -> None:
    with Session(house) as session, session.begin():
        session.connection().exec_driver_sql("DROP TABLE domain_checks")
        session.connection().exec_driver_sql("DROP TABLE signing_keys")
    with pytest.raises(Outage):
        duty(post(house, settings))


def test_the_whole_journal_is_counted(house: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with change(house, by="test") as c:
        alias = aliases.add(c, "sales@our.example", to=[INBOX]).id
    with house.begin() as connection:
        write(connection, [entry(number, delivery(alias_id=alias)) for number in range(5)])
    monkeypatch.setattr(counting, "BATCH", 2)
    count_journal(post(house, settings))
    with Session(house) as session:
        assert session.query(AliasDay).one().forwarded == 5


def remembered(engine: Engine) -> list[str | None]:
    return [each.queue_id for each in entries(engine)]


def test_history_goes_when_it_was_kept_for_long_enough(
    house: Engine, settle: Settle, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "smtpy.worker")
    now = datetime.now(UTC)
    with house.begin() as connection:
        write(connection, [entry(number, at=now - days * DAY) for number, days in enumerate((101, 100, 89, 6, 0))])
    purge_history(post(house, settle()))
    assert len(remembered(house)) == 5  # not counted yet
    count_journal(post(house, settle()))
    purge_history(post(house, settle(journal_days=0)))
    assert len(remembered(house)) == 5  # for good
    purge_history(post(house, settle()))
    assert remembered(house) == ["4Q4", "4Q3", "4Q2"]
    assert re.search(r"INFO.* purge messages=2 older than ", caplog.text)
    purge_history(post(house, settle(journal_days=7)))
    assert remembered(house) == ["4Q4", "4Q3"]


def test_the_journal_is_divided_into_tenths_of_what_is_kept(
    house: Engine, settle: Settle, caplog: pytest.LogCaptureFixture
) -> None:
    """On PostgreSQL; not where all is kept for good."""
    caplog.set_level(logging.INFO, "smtpy.worker")
    with house.begin() as connection:
        write(connection, [entry(at=datetime.now(UTC) - 9.5 * DAY)])
    for days in (0, 100, 90, 90):
        divide_journal(post(house, settle(journal_days=days)))
    with house.begin() as connection:
        write(connection, [entry()])
    in_parts = house.dialect.name == "postgresql"
    assert re.findall(r"divide part=(\S+): begun", caplog.text) == (["journal_1"] if in_parts else [])
    assert [each.id for each in entries(house)] == [parts.STRIDE if in_parts else 2, 1]


def test_history_goes_in_parts_and_is_left_at_once(
    house: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime.now(UTC) - 100 * DAY
    with house.begin() as connection:
        write(connection, [entry(number, at=at) for number in range(10)])
    count_journal(post(house, settings))
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(duties, "PURGED", 3)
    purge_history(post(house, settings))
    assert len(remembered(house)) == 4
    going = post(house, settings)
    going.stopping.set()
    purge_history(going)
    assert len(remembered(house)) == 2


@pytest.fixture
def announced(house: Engine, settings: Settings) -> Engine:
    """new.example, which a member has added and not shown to be theirs."""
    with reading(house) as session:
        viewer = Viewer(members.find(session, ANN).id)
    with change(house, by=ANN, viewer=viewer, vault=vault_of(settings)) as c:
        domains.add(c, "new.example", owner=ANN)
    return house


def is_on(engine: Engine) -> bool:
    with reading(engine) as session:
        found = domains.show(session, "new.example")
    assert (found.proven_at is not None) == found.enabled
    return found.enabled


def test_the_record_of_ownership_switches_a_domain_on(
    announced: Engine, settings: Settings, nameserver: Nameserver
) -> None:
    check_domains(post(announced, settings))
    assert not is_on(announced)
    names = published(announced, settings, "new.example")
    nameserver.zone.names |= {"_smtpy.new.example": names["_smtpy.new.example"]}
    came = check(announced, Subject("new.example", ours=True), settings, "test")
    assert (came.proven, came.refusal) == (True, "")
    assert is_on(announced)
    assert SqlDirectory(announced).domain("new.example") is not None


def test_one_resolver_that_does_not_show_it_is_enough_to_wait(
    announced: Engine, settle: Settle, settings: Settings, nameserver: Nameserver
) -> None:
    names = published(announced, settings, "new.example")
    nameserver.zone.names |= {"_smtpy.new.example": names["_smtpy.new.example"]}
    with Nameserver(type(nameserver.zone)({})) as other:
        servers = [f"{each.host}:{each.port}" for each in (nameserver, other)]
        assert not check(announced, Subject("new.example", ours=True), settle(check_resolvers=servers), "test").proven
    assert not is_on(announced)


def test_the_worker_says_that_it_has_switched_one_on(
    announced: Engine, settings: Settings, nameserver: Nameserver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nameserver.zone.names |= published(announced, settings, "new.example")
    check_domains(post(announced, settings))
    assert "prove domain=new.example: its mail comes here from now on" in caplog.messages
    assert is_on(announced)


def test_mailboxes_on_it_are_told_and_keep_their_own_findings(
    announced: Engine, settings: Settings, nameserver: Nameserver
) -> None:
    with change(announced, by="test") as c:
        members.add(c, "ben@people.example")
        mailboxes.add(c, "ben@new.example", owner="ben@people.example", verified=True)
    nameserver.zone.names |= published(announced, settings, "new.example")
    came = check(announced, Subject("new.example", ours=True), settings, "test")
    assert (came.proven, "ben@new.example" in came.refusal) == (False, True)
    check_domains(post(announced, settings))
    with Session(announced) as session:
        kinds = {row.kind for row in session.query(DomainCheck).filter_by(subject="new.example")}
    assert kinds == {"replies", "spf", "dkim", "dmarc"}


def test_a_check_asks_a_bounded_number_of_questions(
    announced: Engine, settings: Settings, nameserver: Nameserver
) -> None:
    """An SPF record of a stranger that includes others without end, and a CNAME that leads to itself."""
    includes = {
        f"i{n}.new.example": {"TXT": [f"v=spf1 {' '.join(f'include:i{n}{m}.new.example' for m in range(9))}"]}
        for n in range(99)
    }
    nameserver.zone.names |= {
        **includes,
        "new.example": {"TXT": ["v=spf1 " + " ".join(f"include:i{n}.new.example" for n in range(9))]},
        "_smtpy.new.example": {"CNAME": ["_smtpy.new.example"]},
    }
    came = check(announced, Subject("new.example", ours=True), settings, "test")
    assert len(set(nameserver.asked)) <= MOST_QUESTIONS + 1  # the root
    assert not came.proven


def test_what_has_ended_of_signing_in_goes(house: Engine, settings: Settings) -> None:
    now = datetime.now(UTC)
    with change(house, by="test") as c:
        user = members.find(c.session, ANN)
        rows = [
            WebSession(digest="old", user_id=user.id, created_at=now - MONTH, seen_at=now),
            WebSession(digest="idle", user_id=user.id, created_at=now - MONTH / 10, seen_at=now - MONTH / 30),
            WebSession(digest="stranger", created_at=now - timedelta(hours=2), seen_at=now),
            WebSession(digest="good", user_id=user.id, created_at=now, seen_at=now),
            Attempt(user_id=user.id, at=now - timedelta(days=31), what="password"),
            Attempt(user_id=user.id, at=now, what="password"),
            OneTimeLink(digest="past", purpose=Purpose.RESET, user_id=user.id, expires_at=now - timedelta(minutes=1)),
            OneTimeLink(digest="good", purpose=Purpose.RESET, user_id=user.id, expires_at=now + timedelta(minutes=1)),
        ]
        c.session.add_all(rows)
        c.note("test", "", None, None)
    purge_signing_in(post(house, settings))
    with Session(house) as session:
        assert [row.digest for row in session.query(WebSession)] == ["good"]
        assert [row.digest for row in session.query(OneTimeLink)] == ["good"]
        assert session.query(Attempt).count() == 1

"""Two hosts on one database: a change at one is seen by the other; neither needs the other, nor PostgreSQL for long."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import sessions
from smtpy.config import load
from smtpy.store import migrate
from smtpy.store.engine import open_engine
from smtpy.store.schema import User
from tests.dialog import Answers
from tests.failures.traffic import Post, assert_nothing_lost, drain, flowing, letters
from tests.failures.village import ANN, BEN, CAT, NEW, OWNER, Letter, decisive, recovers, write
from tests.hosts.conftest import Hosts
from tests.stand import ROOT, Stand
from tests.waiting import until
from tests.web.forms import forms
from web.sessions import COOKIE

PROMISE = 1.0  # seconds from a change to all hosts
AWAY = 1.0  # seconds for which the database is stopped; with 60 it is the same, and takes a minute
SEED = 20261127


# --- What is changed at one host ------------------------------------------------------------------------------------


def signed_in(stand: Stand) -> str:
    """The name of a session of the owner's."""
    engine = open_engine(load(stand.config, stand.environ).database_url)
    now = datetime.now(UTC)
    with Session(engine) as session:
        user = session.scalars(select(User).where(User.email == OWNER)).one()
        visit = sessions.Visit(sessions.new_sid(), member=sessions.member_of(user), authenticated_at=now)
    sessions.save(engine, visit, client="", agent="tests", now=now)
    engine.dispose()
    return visit.sid


def page(stand: Stand, sid: str, path: str, form: dict[str, str] | None = None) -> str:
    """What the browser of whoever has that session shows."""
    data = urlencode(form).encode() if form else None
    asked = urllib.request.Request(  # noqa: S310 - our own
        f"{stand.origin}{path}", data, {"Cookie": f"{COOKIE}={sid}", "User-Agent": "tests"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
        return str(answer.read().decode())


def test_an_alias_made_at_one_host_is_forwarded_by_the_other_within_a_second(hosts: Hosts) -> None:
    sid = signed_in(hosts.first)
    for web, mx in (hosts.both, hosts.both[::-1]):  # a session is good at either
        alias = f"made-at-{web.hostname.partition('.')[0]}@two.example"
        assert decisive(write(alias).send(mx)).code == 550  # which is remembered there, until it is told
        (form,) = (each for each in forms(page(web, sid, "/aliases/new")) if "kind" in each.fields)
        chosen = {"kind": "own", "own": alias.partition("@")[0], "domain": "two.example"}
        assert alias in page(web, sid, "/aliases/new", form.fields | chosen)
        made = time.monotonic()
        letter = until(lambda alias=alias, mx=mx: taken(write(alias), mx), "alias known", PROMISE)  # type: ignore[misc]
        assert time.monotonic() - made < PROMISE
        until(lambda letter=letter: letter.copies(hosts.first), "letter delivered")  # type: ignore[misc]


def taken(letter: Letter, stand: Stand) -> Letter | None:
    return letter if letter.send(stand).accepted else None


def test_what_one_host_sent_comes_back_by_the_other(hosts: Hosts) -> None:
    """The return address is made by one host with the secrets that both have."""
    letter = write(BEN)
    assert letter.send(hosts.first).accepted
    until(lambda: letter.copies(hosts.first), "letter delivered")
    (back,) = (each.reverse_path for each in hosts.first.inbox.deliveries if letter.mark.encode() in each.data)
    report = Letter((back,))
    assert hosts.second.send("", [back], report.data).accepted
    until(lambda: report.copies(hosts.first) == [letter.sender], "report delivered")


# --- What breaks ----------------------------------------------------------------------------------------------------


@dataclass
class World(Post):
    """Clients which turn to the first host, and to the other when it does not answer, as MX records have it."""

    other: Stand = field(kw_only=True)
    doubtful: set[str] = field(default_factory=set)  # tried where it was killed

    def _try(self, letter: Letter, recipients: list[str]) -> Answers:
        try:
            answers = self.stand.send(letter.sender, recipients, letter.data)
        except OSError:
            answers = self.other.send(letter.sender, recipients, letter.data)
        else:
            self.doubtful.add(letter.mark)
        for each in (answers.mail, *answers.rcpt, *filter(None, (answers.data,))):
            assert each.code < 500, (letter, answers)
        return answers


def kill(stand: Stand) -> None:
    """As when its power goes: every process at once, whatever it is at."""
    services = [name for name in (*stand.services, "postfix") if stand.runs(name)]
    daemons = [str(pid) for pid in stand.workers("postfix")]
    for name in reversed(services):
        stand.kill(name)
    subprocess.run([*ROOT, "kill", "-KILL", *daemons], check=False, capture_output=True)


def test_a_host_killed_under_load_loses_nothing(hosts: Hosts) -> None:
    every = letters(200, Random(SEED))
    world, sid = World(hosts.first, other=hosts.second), signed_in(hosts.first)
    with ThreadPoolExecutor(1) as office:
        sending = office.submit(world.send_all, every)
        until(lambda: len(world.doubtful) > 60, "mail flowing")
        kill(hosts.first)
        sending.result()
    assert len(world.doubtful) < len(every), "nobody noticed"
    assert ANN in page(hosts.second, sid, "/aliases")
    for name in (*hosts.first.services, "postfix"):
        hosts.first.start(name)
    for stand in hosts.both:
        drain(stand)
    assert_nothing_lost(hosts.first, every, world.doubtful)


def test_postgresql_stopped_under_load(hosts: Hosts) -> None:
    """Mail to known aliases flows at both hosts, the unknown is put off, and the journal is written afterwards."""
    with flowing(hosts.first) as at_first, flowing(hosts.second) as at_second:
        flow = (at_first, at_second)
        wait_for_more(flow)
        hosts.postgres.stop()
        try:
            wait_for_more(flow)
            for stand in hosts.both:
                assert decisive(write(NEW).send(stand)).code == 451
                with pytest.raises(urllib.error.HTTPError, match="503"):
                    page(stand, "somebody", "/aliases")
            time.sleep(AWAY)
            wait_for_more(flow)
            meanwhile = [each[-1] for each in flow]
        finally:
            hosts.postgres.start()
        wait_for_more(flow)
    for stand in hosts.both:
        drain(stand)
        recovers(stand, BEN)
    assert_nothing_lost(hosts.first, [*at_first, *at_second])
    until(lambda: all(len(each.rows(hosts.first)) == 4 for each in meanwhile), "rows of the outage written")


def wait_for_more(flow: tuple[list[Letter], list[Letter]]) -> None:
    """Mail is being taken at both."""
    before = [len(each) for each in flow]
    until(lambda: all(len(each) > number + 3 for each, number in zip(flow, before, strict=True)), "mail flowing")


def test_a_schema_upgraded_under_running_services(hosts: Hosts) -> None:
    """Hosts may be upgraded one after the other: what runs goes on, and what starts anew must be of the new version."""
    with upgraded(hosts):
        for stand in hosts.both:
            for alias in (ANN, CAT):
                letter = write(alias)
                assert letter.send(stand).accepted
            assert decisive(write(NEW).send(stand)).code == 550
        hosts.second.stop("lookup")
        with pytest.raises(ChildProcessError, match="install that version here, too"):
            hosts.second.start("lookup")
        assert hosts.first.send("sender@far.example", [ANN], write(ANN).data).accepted
    hosts.second.start("lookup")


@contextmanager
def upgraded(hosts: Hosts) -> Iterator[None]:
    """Somebody has run `smtpy init` of a later version."""
    engine = open_engine(load(hosts.first.config, hosts.first.environ).database_url)
    later = ("UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE aliases ADD COLUMN later integer")
    before = (f"UPDATE alembic_version SET version_num = '{migrate.head()}'", "ALTER TABLE aliases DROP COLUMN later")  # noqa: S608
    try:
        _run(engine, later)
        yield
    finally:
        _run(engine, before)
        engine.dispose()


def _run(engine: Engine, statements: tuple[str, ...]) -> None:
    with engine.begin() as connection:
        for each in statements:
            connection.exec_driver_sql(each)

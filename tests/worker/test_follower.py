"""The follower: what Postfix's log tells is in the database within a moment, once, whatever happens to either."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from smtpy.store.engine import database_path
from smtpy.store.events import LogPosition, MailEvent
from smtpy.worker import follower as follower_module
from smtpy.worker.follower import Follower
from tests.maillog.samples import FIRST, REAL, SECOND, line
from tests.waiting import until

KEPT = 17  # lines of REAL that are kept
Follow = Callable[[], Event]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(follower_module, name, 0.02)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "mail.log"


@pytest.fixture
def follow(engine: Engine, log: Path) -> Iterator[Follow]:
    """Starts a follower; setting the event it gives ends it."""
    started: list[tuple[Follower, Event]] = []

    def following() -> Event:
        stopping = Event()
        started.append((Follower(engine, log, stopping), stopping))
        started[-1][0].start()
        return stopping

    yield following
    for each, stopping in started:
        stopping.set()
        each.join(10.0)


def kinds(engine: Engine, queue_id: str) -> list[str]:
    with Session(engine) as session:
        wanted = select(MailEvent.kind).where(MailEvent.queue_id == queue_id).order_by(MailEvent.id)
        return list(session.scalars(wanted))


def number(engine: Engine) -> int:
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(MailEvent)) or 0


def test_what_the_log_tells_is_kept(engine: Engine, log: Path, follow: Follow) -> None:
    log.write_text(REAL)
    follow()
    until(lambda: number(engine) == KEPT, "all kept")
    assert kinds(engine, FIRST) == ["queued", "dropped", "sent", "deleted", "gave up", "held"]
    with Session(engine) as session:
        row = session.scalars(select(MailEvent).where(MailEvent.kind == "sent", MailEvent.queue_id == SECOND)).one()
        assert (row.recipient, row.key, row.original) == ("ann@inbox.example", "ann@inbox.example", "sales@our.example")
        assert (row.dsn, row.words, row.delay, row.host) == ("2.0.0", "250 2.0.0 Ok: kept", 0.04, "mx")
        assert session.scalars(select(LogPosition.offset)).all() == [len(REAL.encode())]


def test_a_second_one_and_one_that_starts_anew_double_nothing(engine: Engine, log: Path, follow: Follow) -> None:
    log.write_text(REAL)
    follow(), follow()
    until(lambda: number(engine) == KEPT, "all kept")
    with Session(engine) as session, session.begin():
        session.query(LogPosition).delete()
    follow()
    with log.open("ab") as file:
        file.write(line(f"{SECOND}: removed", "qmgr") + b"\n")
    until(lambda: number(engine) == KEPT + 1, "one more")


def test_lines_alike_are_two(engine: Engine, log: Path, follow: Follow) -> None:
    log.write_bytes(2 * (line(f"{SECOND}: removed", "qmgr") + b"\n"))
    follow()
    until(lambda: number(engine) == 2, "both")


def test_what_no_database_takes_is_cut_and_the_rest_goes_on(engine: Engine, log: Path, follow: Follow) -> None:
    words = "\0 \N{PILE OF POO} " + "x" * 5000
    sent = f"{SECOND}: to=<a@b.example>, relay=r, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent ({words})"
    log.write_bytes(line(sent) + b"\n\xff\xfe\0\n" + line(f"{SECOND}: removed", "qmgr") + b"\n")
    follow()
    until(lambda: kinds(engine, SECOND) == ["sent", "removed"], "both")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_database_away_is_waited_for(engine: Engine, log: Path, follow: Follow) -> None:
    path = database_path(engine)
    assert path is not None
    engine.dispose()
    away = shutil.move(path, f"{path}.away")
    log.write_text(REAL)
    stopping = follow()
    stopping.wait(0.3)
    shutil.move(away, path)
    until(lambda: number(engine) == KEPT, "all kept")


def test_a_locked_database_is_waited_for(engine: Engine, log: Path, follow: Follow) -> None:
    follow()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("LOCK TABLE mail_events")
        log.write_text(REAL)
        Event().wait(1.0)
    until(lambda: number(engine) == KEPT, "all kept")


def test_no_log_is_waited_for(engine: Engine, log: Path, follow: Follow) -> None:
    stopping = follow()
    stopping.wait(0.2)
    log.write_text(REAL)
    until(lambda: number(engine) == KEPT, "all kept")

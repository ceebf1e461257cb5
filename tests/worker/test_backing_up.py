"""The duty that makes backups: when it is time, and no more of them than are to stay."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pyrage import x25519
from sqlalchemy import Engine

from smtpy.backup.keeping import found_in, name_of
from smtpy.backup.making import make
from smtpy.backup.restoring import check
from smtpy.worker.duties import DUTIES, Duty, Post, back_up
from smtpy.worker.server import Worker
from tests.waiting import until
from tests.worker.conftest import HOST, Settle

PAIR = x25519.Identity.generate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


@pytest.fixture
def post(engine: Engine, settle: Settle, folder: Path) -> Post:
    settings = settle(backup_recipients=[str(PAIR.to_public())], backup_dir=str(folder), backup_hours=24)
    return Post(engine, settings, Event())


def test_the_first_is_made_at_once_and_can_be_read(post: Post, folder: Path) -> None:
    back_up(post)
    (path,) = found_in(folder).values()
    assert check(path, str(PAIR))[1] > 0


def test_the_next_is_made_when_it_is_time(post: Post, folder: Path) -> None:
    now = datetime.now(UTC)
    (folder / name_of(HOST, now - timedelta(hours=23))).touch()
    back_up(post)
    assert len(found_in(folder)) == 1
    (folder / name_of(HOST, now - timedelta(hours=23))).rename(folder / name_of(HOST, now - timedelta(hours=25)))
    back_up(post)
    assert len(found_in(folder)) == 2


def test_one_of_a_clock_that_was_ahead_keeps_none_from_being_made(post: Post, folder: Path) -> None:
    (folder / name_of(HOST, datetime.now(UTC) + timedelta(days=400))).touch()
    back_up(post)
    assert len(found_in(folder)) == 2


def test_old_ones_go_and_what_is_not_ours_stays(post: Post, folder: Path) -> None:
    now = datetime.now(UTC)
    for days in range(2, 900):
        (folder / name_of(HOST, now - timedelta(days=days))).touch()
    (folder / "notes").touch()
    back_up(post)
    assert len(found_in(folder)) < 25
    assert (folder / "notes").exists()


def test_a_folder_that_is_away_is_said_and_stops_nothing(
    post: Post, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.rmdir()
    with caplog.at_level(logging.ERROR):
        back_up(post)
    assert "No such file or directory" in caplog.text


def test_without_a_folder_nothing_is_done(engine: Engine, settle: Settle, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    back_up(Post(engine, settle(), Event()))
    assert sorted(tmp_path.iterdir()) == before


def test_while_one_is_made_all_other_duties_are_done(post: Post, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, may_end, done = Event(), Event(), Counter[str]()

    def made_slowly(*arguments: Any) -> Any:
        begun.set()
        assert may_end.wait(60)
        return make(*arguments)

    def counted(duty: Duty) -> Duty:
        return replace(duty, every=timedelta(), run=lambda _post: done.update([duty.name]))

    monkeypatch.setattr("smtpy.worker.duties.make", made_slowly)
    others = [counted(duty) for duty in DUTIES if duty.run is not back_up]
    monkeypatch.setattr("smtpy.worker.server.DUTIES", (*(duty for duty in DUTIES if duty.run is back_up), *others))
    for pause in ("LOOK_SECONDS", "RETRY_SECONDS"):
        monkeypatch.setattr(f"smtpy.worker.server.{pause}", 0.01)
    worker = Worker(post.settings)
    worker.start()
    try:
        assert begun.wait(60)
        done.clear()
        until(lambda: all(done[duty.name] > 1 for duty in others), "all others done, and again")
        assert not found_in(folder)
        may_end.set()
        until(lambda: found_in(folder), "the backup made")
    finally:
        may_end.set()
        worker.stop()
        for thread in worker._threads:
            thread.join(30)
        worker._post.engine.dispose()

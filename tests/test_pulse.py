"""What a process tells of itself: whole, while it lives, and no longer."""

import logging
import os
import time
from pathlib import Path

import pytest

from smtpy import pulse
from smtpy.pulse import OLD_SECONDS, Pulse, Told, told
from tests.waiting import until


def test_it_tells_while_it_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.01)
    values = {"memory": 1.0}
    with Pulse(tmp_path, "milter", lambda: values):
        until(lambda: list(told(tmp_path)) == [Told("milter", str(os.getpid()), {"memory": 1})], "told")
        values["memory"] = 2
        until(lambda: [each.values for each in told(tmp_path)] == [{"memory": 2}], "told anew")
    assert list(tmp_path.iterdir()) == []


def test_who_was_killed_is_believed_for_a_moment_only(tmp_path: Path) -> None:
    left = tmp_path / "milter.4711.pulse"
    left.write_text('{"memory": 7}')
    (tmp_path / "lookup.sock").write_text("")
    assert list(told(tmp_path)) == [Told("milter", "4711", {"memory": 7})]
    then = time.time() - OLD_SECONDS - 1
    os.utime(left, (then, then))
    assert list(told(tmp_path)) == []
    with Pulse(tmp_path, "milter", dict):
        until(lambda: not left.exists(), "swept")


def test_a_folder_that_takes_nothing_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pulse, "EVERY_SECONDS", 0.01)
    with caplog.at_level(logging.WARNING, "smtpy.pulse"), Pulse(tmp_path / "none", "lookup", dict):
        until(lambda: caplog.records, "a warning")
        time.sleep(0.1)
    assert len(caplog.records) == 1
    (tmp_path / "none").mkdir()
    with Pulse(tmp_path / "none", "lookup", dict):
        until(lambda: list((tmp_path / "none").glob("*.pulse")), "told, now that it can")

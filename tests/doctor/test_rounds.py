"""All checks at once: in their order, within the time, whatever one of them does."""

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtpy.config import judge
from smtpy.doctor import rounds
from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.rounds import Installation
from tests.test_config import NEEDED

HERE = Installation(judge(NEEDED), (), None)


def test_one_that_hangs_and_one_that_fails_hold_up_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    go_on = threading.Event()

    def slow(_: Installation) -> Iterator[Finding]:
        go_on.wait(30)
        yield Finding("slow", os.EX_OK, "at last")

    def broken(_: Installation) -> Iterator[Finding]:
        yield Finding("broken", os.EX_OK, "so far")
        raise ZeroDivisionError

    def good(_: Installation) -> Iterator[Finding]:
        yield Finding("good", os.EX_OK, "one")
        yield Finding("good", os.EX_CONFIG, "two", "mend it")

    monkeypatch.setattr(rounds, "CHECKS", (("slow", slow), ("broken", broken), ("good", good)))
    began = time.monotonic()
    found = rounds.within(HERE, 0.3)
    go_on.set()
    assert time.monotonic() - began < 5
    assert [(each.subject, each.code) for each in found] == [
        ("slow", WARNING),
        ("broken", WARNING),
        ("good", os.EX_OK),
        ("good", os.EX_CONFIG),
    ]
    assert "0.3 s" in found[0].words
    assert "ZeroDivisionError" in caplog.text


def test_at_once_finds_what_one_after_the_other_finds(tmp_path: Path) -> None:
    values = {**NEEDED, "state_dir": str(tmp_path), "run_dir": str(tmp_path / "run"), "dns_servers": ["127.0.0.1:9"]}
    values |= {"check_resolvers": ["127.0.0.1:9"], "dns_timeout_seconds": 0.1, "postfix_dir": str(tmp_path)}
    here = Installation(judge(values), (), tmp_path)
    one, other = list(rounds.examine(here)), rounds.within(here, 20)
    assert [(each.subject, each.code) for each in one] == [(each.subject, each.code) for each in other]
    assert {each.subject for each in one} == {subject for subject, _ in rounds.CHECKS}

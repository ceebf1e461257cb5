"""The health page: what the doctor finds, in states and words, within a time."""

import os
import time

import pytest
from flask import Flask

from smtpy.doctor.finding import WARNING, Finding
from smtpy.doctor.rounds import Installation
from tests.web.conftest import SignIn
from tests.web.operators import admin
from web.pages.operator import health

FOUND = [
    Finding("settings", os.EX_OK, "those of mx.our.example are good"),
    Finding("lookup", os.EX_UNAVAILABLE, "it <does> not answer", "start `smtpy lookup`"),
    Finding("keys", WARNING, "no key is in use", "run `smtpy domain check`"),
]


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Installation]:
    """Each look that is taken; all find FOUND."""
    taken: list[Installation] = []

    def within(here: Installation, seconds: float) -> list[Finding]:
        taken.append(here)
        return FOUND

    monkeypatch.setattr("smtpy.doctor.rounds.within", within)
    return taken


def test_each_finding_is_a_state_a_word_and_a_way_to_mend_it(sign_in: SignIn) -> None:
    text = admin(sign_in).get("/admin").text
    assert '<span class="state bad">Broken</span>' in text
    assert '<span class="state warn">Warning</span>' in text
    assert '<span class="state good">Good</span>' in text
    assert "it &lt;does&gt; not answer" in text
    assert "To mend it: start <code>smtpy lookup</code>" in text
    assert "1 thing is broken." in text


def test_a_look_is_kept_for_a_while(
    sign_in: SignIn, looks: list[Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = admin(sign_in)
    browser.get("/admin")
    browser.get("/admin")
    assert len(looks) == 1
    assert browser.post("/admin").status_code == 303
    assert len(looks) == 2
    monkeypatch.setattr(health, "FRESH", -health.FRESH)
    browser.get("/admin")
    assert len(looks) == 3


def test_it_is_there_for_administrators_only(sign_in: SignIn) -> None:
    assert sign_in().get("/admin").status_code == 404
    assert "/admin" in admin(sign_in).get("/").text
    assert "/admin" not in sign_in().get("/").text


def test_looking_again_takes_who_has_just_said_who_they_are(sign_in: SignIn) -> None:
    answer = admin(sign_in, sudo=False).post("/admin")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/auth/confirm")


def test_no_check_holds_the_page_up(app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    slow = (("slow", lambda _: iter((time.sleep(3), Finding("slow", os.EX_OK, ""))[1:])),)
    monkeypatch.setattr("smtpy.doctor.rounds.CHECKS", slow)
    monkeypatch.setattr(health, "SECONDS", 0.1)
    began = time.monotonic()
    assert "nothing was found out within 0.1 s" in admin(sign_in).get("/admin").text
    assert time.monotonic() - began < 2.5

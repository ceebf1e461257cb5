"""What operators do for people who cannot sign in."""

import re

import pytest

from tests.cli.conftest import ANN, Run

PASSWORD = b"seven letters went by boat\n"


def test_a_password_comes_from_standard_input(house: Run) -> None:
    assert house("user", "passwd", ANN, stdin=PASSWORD).output.startswith(f"user {ANN} has another password")


@pytest.mark.parametrize("text", [b"short\n", b"password1234\n", b"ann@people.example\n", b"\n"])
def test_a_password_is_judged(house: Run, text: bytes) -> None:
    answer = house("user", "passwd", ANN, stdin=text)
    assert answer.exit_code == 65
    assert "words make a" in answer.output


def test_the_first_administrator_gets_a_link(smtpy: Run) -> None:
    link = smtpy("user", "first").output.strip()
    assert re.fullmatch(r"http://localhost:8000/auth/first/[\w-]{43}", link)


def test_who_is_there_already_is_named(house: Run) -> None:
    house("user", "passwd", ANN, stdin=PASSWORD)
    answer = house("user", "first")
    assert answer.exit_code == 1 or answer.exit_code > 63
    assert ANN in answer.output


def test_a_user_gets_a_link(house: Run) -> None:
    assert re.fullmatch(r"http://localhost:8000/auth/reset/[\w-]{43}", house("user", "link", ANN).output.strip())


def test_invitations_are_made_listed_and_revoked(house: Run) -> None:
    link = house("invite", "create", "new@people.example").output.strip()
    assert re.fullmatch(r"http://localhost:8000/auth/invited/[\w-]{43}", link)
    assert "new@people.example" in house("invite", "list").output
    assert house("invite", "create", ANN).exit_code > 63
    assert house("invite", "revoke", "new@people.example").exit_code == 0
    assert house("invite", "revoke", "new@people.example").exit_code > 63
    assert house("invite", "list", "--json").output.strip() == "[]"


def test_an_invitation_that_cannot_be_sent_stands(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPY_NOTICE_SERVER", "inet:127.0.0.1:9")
    answer = house("invite", "create", "new@people.example", "--send")
    assert answer.exit_code == 75
    assert "/auth/invited/" in answer.output


def test_lost_factors_are_removed(house: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPY_NOTICE_SERVER", "inet:127.0.0.1:9")
    answer = house("user", "reset-mfa", ANN)
    assert answer.exit_code == 0
    assert "by password alone" in answer.output
    assert f"{ANN} was not told" in answer.output

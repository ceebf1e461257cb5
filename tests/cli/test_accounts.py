"""What operators do for people who cannot sign in."""

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

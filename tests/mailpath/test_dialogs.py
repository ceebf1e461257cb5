"""The dialogs of dialogs/*.txt, held with real Postfix."""

import pytest

from tests.mailpath.script import Script, message, play, scripts
from tests.mailpath.town import Town

SCRIPTS = scripts()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.title)
def test_dialog(script: Script, town: Town) -> None:
    play(script, town)


def test_there_are_dialogs() -> None:
    assert len(SCRIPTS) > 40
    assert len({script.title for script in SCRIPTS}) == len(SCRIPTS)


@pytest.mark.parametrize("octets", [200, 1999, 2000, 2001])
def test_a_message_is_as_large_as_asked_for(octets: int) -> None:
    assert len(message("mark", octets)) == octets

"""What can happen while copies wait between the two passes: nothing bounces, and nothing is told to the sender.

`defer_transports` holds the copies in Postfix's queue until the test lets them go.
"""

from collections.abc import Iterator

import pytest

from smtpy.admin import aliases, domains
from tests.failures.conftest import Opener
from tests.failures.village import ANN, CAT, Letter, assert_comes_once, changing, write
from tests.stand import Stand
from tests.waiting import until


@pytest.fixture
def holding(opened: Opener) -> Iterator[Stand]:
    """A village whose split copies wait."""
    with opened(postfix=("defer_transports = split",)) as stand:
        yield stand


def held(stand: Stand) -> Letter:
    """A letter that was taken for two aliases which must be split, and waits between the passes."""
    letter = write(ANN, CAT)
    assert letter.send(stand).accepted
    until(lambda: "deferred transport" in reasons(stand), "copies held")
    return letter


def let_go(stand: Stand) -> None:
    stand.configure("defer_transports =")


def reasons(stand: Stand) -> str:
    """Why what is in the queue is there."""
    return str([each.get("delay_reason") for message in stand.queue() for each in message["recipients"]])


def tried_again(stand: Stand) -> str:
    """The same, when it was tried once more."""
    stand.flush()
    return reasons(stand)


def test_the_milter_is_down_between_the_passes(holding: Stand) -> None:
    letter = held(holding)
    holding.kill("milter")
    let_go(holding)
    until(lambda: "451 4.7.1" in tried_again(holding), "second pass put off")
    assert letter.copies(holding) == []
    holding.start("milter")
    until(lambda: not tried_again(holding).strip("[]"), "second pass made")
    assert_comes_once(holding, letter)


def test_lookup_and_policy_are_not_asked_in_the_second_pass(holding: Stand) -> None:
    letter = held(holding)
    holding.kill("policy")
    let_go(holding)
    until(lambda: not tried_again(holding).strip("[]"), "second pass made")
    assert_comes_once(holding, letter)


def test_the_alias_was_deleted_between_the_passes(holding: Stand) -> None:
    """What was promised by 250 is kept."""
    letter = held(holding)
    with changing(holding) as c:
        aliases.delete(c, ANN)
        aliases.off(c, CAT)
    forget(holding)
    until(lambda: not tried_again(holding).strip("[]"), "second pass made")
    assert_comes_once(holding, letter)


def test_the_domain_was_deleted_between_the_passes(holding: Stand) -> None:
    """There is nowhere left to send it to. A bounce from here would show an internal address; the journal has it."""
    letter = held(holding)
    with changing(holding) as c:
        domains.delete(c, "one.example")
    forget(holding)
    until(lambda: not tried_again(holding).strip("[]"), "second pass made")
    holding.wait_empty()
    assert letter.copies(holding) == ["cat@home.example"]
    until(lambda: len(letter.rows(holding)) == 4, "rows written")
    assert sorted(letter.rows(holding)) == ["discard", "forward", "split", "split"]


def forget(stand: Stand) -> None:
    """A milter that remembers nothing, then the second pass."""
    stand.stop("milter")
    stand.start("milter")
    let_go(stand)

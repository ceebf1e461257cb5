"""A session by itself: what it agrees to, and what becomes of a step that fails."""

import pytest

from smtpy.milter import session
from smtpy.milter.engine import Connection
from smtpy.milter.session import Session
from smtpy.signing.body import BodyHashes
from smtpy.wire import Violation
from tests.milter.test_packets import GREETING, MESSAGE


def fail(*_: object) -> None:
    raise RuntimeError("as nobody expected")


@pytest.mark.parametrize(("where", "what"), [(session, "read_claims"), (BodyHashes, "update")])
def test_a_failure_before_the_end_ends_the_conversation(
    monkeypatch: pytest.MonkeyPatch, where: object, what: str
) -> None:
    """Which Postfix makes a 451 of. It does not wait for an answer to such a step, so there is nothing else to say."""
    monkeypatch.setattr(where, what, fail)
    connection = Connection(lambda: Session(desk=None))  # type: ignore[arg-type]  # nobody is asked
    connection.feed(GREETING + MESSAGE)
    assert isinstance(connection.next(), bytes)
    with pytest.raises(Violation, match="a step failed"):
        connection.next()

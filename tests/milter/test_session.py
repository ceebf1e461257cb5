"""A session by itself: what it agrees to, and what becomes of a step that fails."""

from ipaddress import ip_network

import pytest

from smtpy.authn.suffixes import Suffixes
from smtpy.milter import session
from smtpy.milter.desk import Asking
from smtpy.milter.engine import Connection
from smtpy.milter.session import Session
from smtpy.resolver import Resolver
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


@pytest.mark.parametrize(
    ("client", "ours"),
    [("127.0.0.1", True), ("::1", True), ("127.0.0.2", False), ("192.0.2.1", False), ("", False), ("unknown", False)],
)
def test_only_named_networks_are_trusted(client: str, ours: bool) -> None:
    networks = (ip_network("127.0.0.1/32"), ip_network("::1/128"))
    asking = Asking(Resolver((), 1.0), Suffixes(), 1.0, frozenset(), networks)
    assert asking.trusts(client) is ours

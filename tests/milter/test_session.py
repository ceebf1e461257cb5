"""A session by itself: what it agrees to, and what becomes of a step that fails."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from smtpy.authn.suffixes import Suffixes
from smtpy.config import judge
from smtpy.milter import session
from smtpy.milter.desk import Asking, open_desk
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


@pytest.mark.parametrize("trouble", [None, ZeroDivisionError("a defect")])
def test_what_cannot_be_decided_is_put_off_and_counted(
    trouble: Exception | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = dict.fromkeys(("secret_keys", "srs_secrets", "encryption_keys"), "x" * 48)
    names = {"hostname": "mx.our.example", "postmaster": "postmaster@inbox.example"}
    desk = open_desk(judge({**secrets, **names, "database_url": f"sqlite:///{tmp_path}/none/smtpy.db"}))
    if trouble:
        monkeypatch.setattr(Session, "whole", lambda _: raising(trouble))
    connection = Connection(lambda: Session(desk))
    connection.feed(GREETING + MESSAGE)
    while connection.next() is not connection:
        pass
    try:
        assert b"451 4.3.0" in connection.end(at_once=False)
        assert desk.told()["put_off"] == 1
    finally:
        desk.close()


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("client", "ours"),
    [("127.0.0.1", True), ("::1", True), ("127.0.0.2", False), ("192.0.2.1", False), ("", False), ("unknown", False)],
)
def test_only_named_networks_are_trusted(client: str, ours: bool) -> None:
    networks = (ip_network("127.0.0.1/32"), ip_network("::1/128"))
    asking = Asking(Resolver((), 1.0), Suffixes(), 1.0, frozenset(), networks)
    assert asking.trusts(client) is ours

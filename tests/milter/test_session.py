"""A session by itself: what goes wrong before the end of a message ends the conversation, which Postfix makes a 451."""

import logging
from pathlib import Path

import pytest

from smtpy.milter import session
from smtpy.milter.session import Session
from smtpy.serving import Limits, Service
from smtpy.signing.body import BodyHashes
from tests.milter.test_packets import GREETING, MESSAGE
from tests.served import served


def fail(*_: object) -> None:
    raise RuntimeError("as nobody expected")


@pytest.mark.parametrize(("where", "what"), [(session, "read_claims"), (BodyHashes, "update")])
def test_a_failure_before_the_end_is_told_by_hanging_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path, where: object, what: str
) -> None:
    monkeypatch.setattr(where, what, fail)
    service: Service[session.Asked] = Service(Session, lambda _: b"answered ", Limits())
    with caplog.at_level(logging.ERROR), served(service, tmp_path) as one:
        assert one.says(GREETING, MESSAGE, half_close=False) == b"answered "  # the offer, and no end of a message
        assert not service.conversations
    assert "as nobody expected" in caplog.text

"""A session by itself: what goes wrong before the end of a message is told at its end."""

from typing import Any

import pytest

from smtpy.milter import session
from smtpy.milter.session import NOT_NOW, Session
from smtpy.signing.body import BodyHashes


class Context:
    """libmilter's side, as far as an answer needs it."""

    def __init__(self) -> None:
        self.replies: list[tuple[Any, ...]] = []

    def setpriv(self, _: object) -> None:
        pass

    def setreply(self, *words: Any) -> None:
        self.replies.append(words)

    def getsymval(self, name: str) -> str:
        return "4QUEUE"


def fail(*_: object) -> None:
    raise RuntimeError("as nobody expected")


@pytest.mark.parametrize(("where", "what"), [(session, "read_claims"), (BodyHashes, "update")])
def test_a_failure_before_the_end_is_a_451_at_the_end(
    monkeypatch: pytest.MonkeyPatch, where: object, what: str
) -> None:
    monkeypatch.setattr(where, what, fail)
    context = Context()
    one = Session(desk=None)  # type: ignore[arg-type]  # nobody is asked
    one._setctx(context)
    one.begin("bob@sender.example")
    one.header_bytes("From", b" bob@sender.example")
    one.eoh()
    one.body(b"hello\r\n")
    one.eom()
    assert context.replies == [(str(NOT_NOW.code), NOT_NOW.status, NOT_NOW.text)]
    one.begin("bob@sender.example")
    assert not one.broken

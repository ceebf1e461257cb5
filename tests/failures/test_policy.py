"""Policy down, hung, and answering garbage: 451 at RCPT TO, never 5xx, and never taken as if nothing were wrong."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.failures.conftest import Opener
from tests.failures.peers import listening
from tests.failures.village import ANN, BEN, assert_arrives, assert_put_off, decisive, recovers, write
from tests.stand import Stand

HUNG = "smtpd_policy_service_timeout = 1s"  # 20 s as installed; Postfix tries twice
# Not here: an action that Postfix knows, which is an answer and not garbage, however wrong it is. An empty one is
# known, too: the same as dunno (seen).
GARBAGE = {
    "no attribute": b"hello\n\n",
    "an empty answer": b"\n",
    "another attribute": b"reaction=dunno\n\n",
    "an unknown action": b"action=maybe\n\n",
    "a value without a name": b"=dunno\n\n",
    "another protocol": b"HTTP/1.0 400 Bad Request\r\n\r\n",
    "a megabyte": b"action=" + b"x" * 1_000_000 + b"\n\n",
    "NUL": b"\0\0\0\0\n\n",
    "octets that are no UTF-8": b"action=\xff\xfe\n\n",
    "no end": b"action=dunno\n",
    "a hang-up": b"",
}


@pytest.fixture(scope="module")
def bare() -> Iterator[Stand]:
    """Postfix with nobody on policy's socket, and no lookup or milter."""
    stand = Stand(services=(), stubs=("lookup", "milter"), postfix=(HUNG,))
    try:
        stand.open()
        yield stand
    finally:
        stand.close()


def socket_of(stand: Stand) -> Path:
    return stand.folder / "run" / "policy.sock"


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage(bare: Stand, garbage: bytes) -> None:
    letter = write("alias@our.example")
    with listening(socket_of(bare), lambda _: garbage):
        assert_put_off(bare, letter, decisive(letter.send(bare)))


def test_the_peer_is_believed_when_it_makes_sense(bare: Stand) -> None:
    """Else the test above would pass with no peer at all."""
    letter = write("alias@our.example")
    with listening(socket_of(bare), lambda _: b"action=dunno\n\n"):
        assert letter.send(bare).accepted
        bare.wait_empty()
    assert letter.copies(bare) == ["mailbox@inbox.example"]


def test_down(village: Stand) -> None:
    village.kill("policy")
    letter = write(ANN)
    assert_put_off(village, letter, decisive(letter.send(village)))
    village.start("policy")
    assert_arrives(village, letter, letter.send(village))


def test_down_within_a_message(village: Stand) -> None:
    """The recipient already taken is delivered; the other one's client tries again."""
    letter, later = write(ANN), write(BEN)
    with village.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        dialog.command(f"MAIL FROM:<{letter.sender}>")
        assert dialog.command(f"RCPT TO:<{ANN}>").code == 250
        village.kill("policy")
        assert dialog.command(f"RCPT TO:<{BEN}>").code == 451
        assert dialog.command("DATA").code == 354
        dialog.raw(letter.data + b".\r\n")
        assert dialog.answer().code == 250
    village.start("policy")
    village.wait_empty()
    assert letter.copies(village) == ["ann@home.example"]
    assert_arrives(village, later, later.send(village))


def test_hung(opened: Opener) -> None:
    with opened(postfix=(HUNG,)) as village:
        village.signal("policy", signal.SIGSTOP)
        letter = write(ANN)
        assert_put_off(village, letter, decisive(letter.send(village)))
        village.signal("policy", signal.SIGCONT)
        recovers(village)
        assert_arrives(village, letter, letter.send(village))


@pytest.mark.parametrize("said", ["dunno", "ok", "permit", "permit_mynetworks", "permit_auth_destination, permit"])
def test_whatever_it_says_no_stranger_relays(bare: Stand, said: str) -> None:
    """Postfix has the last word about that, and puts off what policy should have refused."""
    with (
        listening(socket_of(bare), lambda _: f"action={said}\n\n".encode()),
        bare.dialog(client="127.0.0.2") as dialog,
    ):
        dialog.hello()
        dialog.command("MAIL FROM:<a@sender.example>")
        assert str(dialog.command("RCPT TO:<x@elsewhere.example>")).startswith("454 4.7.1")


def test_who_may_send_to_whom(village: Stand) -> None:
    """As tests/postfix/test_guards.py has it without policy; what our own say of an address holds for all."""
    for client, recipient, answer in (
        ("127.0.0.2", "x@elsewhere.example", "554 5.7.1 <x@elsewhere.example>: Relay access denied"),
        ("127.0.0.1", "x@elsewhere.example", "250 2.1.5"),
        *((each, ANN, "250 2.1.5") for each in ("127.0.0.1", "127.0.0.2")),
        *((each, "nobody@one.example", "550 5.1.1") for each in ("127.0.0.1", "127.0.0.2")),
        *((each, "ann=one.example@split.invalid", "554 5.7.1") for each in ("127.0.0.1", "127.0.0.2")),
    ):
        with village.dialog(client=client) as dialog:
            dialog.hello()
            dialog.command("MAIL FROM:<a@sender.example>")
            assert str(dialog.command(f"RCPT TO:<{recipient}>")).startswith(answer), (client, recipient)

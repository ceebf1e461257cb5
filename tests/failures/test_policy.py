"""Policy down, hung, and answering garbage: 451 at RCPT TO, never 5xx, and never taken as if nothing were wrong."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from smtpy.admin import aliases, domains, members
from smtpy.admin.scope import Viewer
from tests.dialog import Dialog
from tests.failures.conftest import Opener
from tests.failures.peers import listening
from tests.failures.village import (
    ALIASES,
    ANN,
    BEN,
    OWNER,
    assert_arrives,
    assert_put_off,
    changing,
    decisive,
    recovers,
    write,
)
from tests.stand import Stand
from tests.waiting import until

SOON = "soon.example"

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


# What leads elsewhere, or would if it were read in one of the old ways.
ELSEWHERE = (
    "x@elsewhere.example",
    "X@ELSEWHERE.EXAMPLE",
    "x@elsewhere.example.",
    "x@sub.our.example",
    "x@our.example@elsewhere.example",
    '"alias@our.example"@elsewhere.example',
    "@our.example:x@elsewhere.example",
    "@our.example,@our.example:x@elsewhere.example",
    "x%elsewhere.example@our.example",
    '"x%elsewhere.example"@our.example',
    "elsewhere.example!x@our.example",
    "x@elsewhere.example@our.example",
    '"x@elsewhere.example"@our.example',
    "x%elsewhere.example",
    "elsewhere.example!x",
    "x%elsewhere.example@[127.0.0.1]",
    "x@[192.0.2.1]",
    "x@[IPv6:2001:db8::1]",
    "x@localhost",
    "x@elsewhere",
    "x@xn--bcher-kva.example",
    "x@b\u00fccher.example",
)
# The last of them are none that policy may give, but restrictions that Postfix knows.
WRONG = (
    *("dunno", "ok", "permit", "200", "1", "hold", "filter smtp:[127.0.0.1]", "redirect x@elsewhere.example"),
    *("permit_mynetworks", "permit_auth_destination, permit", "permit_inet_interfaces, permit", "static:ok"),
)


@pytest.mark.parametrize("said", WRONG)
def test_whatever_it_says_no_stranger_relays(bare: Stand, said: str) -> None:
    """Postfix has the last word about that, and puts off what policy should have refused."""
    with listening(socket_of(bare), lambda _: f"action={said}\n\n".encode()):
        answers = {each: hears(bare, each) for each in ELSEWHERE}
    assert not [each for each in answers.items() if each[1][0] not in "45"]
    assert answers["x@elsewhere.example"].startswith(("451 4.3.5", "454 4.7.1"))


def test_no_stranger_relays_while_all_is_well(village: Stand) -> None:
    for each in ELSEWHERE:
        recipient = each.replace("our.example", "one.example")
        assert hears(village, recipient)[:3] in ("550", "553", "554"), recipient


def test_nobody_relays_while_it_is_down(village: Stand) -> None:
    """Neighbours neither: nobody can tell what is ours, and how mail to it is to be treated."""
    village.kill("policy")
    for client in ("127.0.0.1", "127.0.0.2"):
        with village.dialog(client=client) as dialog:
            dialog.hello()
            dialog.command("MAIL FROM:<a@sender.example>")
            assert dialog.command("RCPT TO:<x@elsewhere.example>").code == 451


@pytest.mark.parametrize("delay", ["yes", "no"])
def test_it_makes_no_difference_when_refusals_are_told(opened: Opener, delay: str) -> None:
    with opened(postfix=(f"smtpd_delay_reject = {delay}",)) as village, stranger(village) as dialog:
        assert str(dialog.command("RCPT TO:<x@elsewhere.example>")).startswith("554 5.7.1")
        assert str(dialog.command("RCPT TO:<nobody@one.example>")).startswith("550 5.1.1")
        assert dialog.command(f"RCPT TO:<{ANN}>").code == 250
        assert dialog.command("VRFY x@elsewhere.example").code == 502
        assert dialog.command("ETRN elsewhere.example").code >= 450


def test_what_a_member_has_announced(village: Stand) -> None:
    """Strangers are told to come again, as its owner may have turned the MX first; neighbours reach where it is now.

    Once proven it is never refused, not even by an smtpd that remembers it as foreign; once gone it is foreign again.
    """
    with changing(village) as c:
        owner = Viewer(members.find(c.session, OWNER).id)
    with changing(village, viewer=owner) as c:
        domains.add(c, SOON, owner=OWNER)
    until(lambda: hears(village, f"early@{SOON}").startswith("454 4.7.1"), "announced")
    letter = write(f"sales@{SOON}")
    assert letter.send(village, client="127.0.0.1").accepted
    village.wait_empty()
    assert letter.copies(village) == [f"sales@{SOON}"]
    with stranger(village) as dialog:
        sales = f"RCPT TO:<sales@{SOON}>"
        assert str(dialog.command(sales)).startswith("454 4.7.1")
        with changing(village) as c:
            domains.prove(c, SOON)
            aliases.add(c, f"sales@{SOON}", to=[ALIASES[ANN]])
        until(lambda: hears(village, f"sales@{SOON}") == "250 2.1.5 Ok", "ours")
        assert str(dialog.command(sales)).startswith("454 4.7.1")
        until(lambda: hears(village, f"nobody@{SOON}").startswith("550 5.1.1"), "no such address")
        with changing(village) as c:
            domains.delete(c, SOON)
        until(lambda: hears(village, f"sales@{SOON}").startswith("554 5.7.1"), "gone")
        assert str(dialog.command(sales)).startswith("554 5.7.1")


def hears(stand: Stand, recipient: str) -> str:
    """What a stranger is told about it, by whatever smtpd."""
    with stranger(stand) as dialog:
        return str(dialog.command(f"RCPT TO:<{recipient}>"))


@contextmanager
def stranger(stand: Stand) -> Iterator[Dialog]:
    """Somebody from outside who has said who writes."""
    with stand.dialog(client="127.0.0.2") as dialog:
        dialog.hello()
        assert dialog.command("MAIL FROM:<a@sender.example> SMTPUTF8").code == 250
        yield dialog


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

"""What postfix/main.cf promises before SMTPy is asked anything: relay control, internal names, temporary failure."""

from collections.abc import Iterator

import pytest

from tests.dialog import Dialog
from tests.stand import SERVICES, Stand

NEIGHBOUR, STRANGER = "127.0.0.1", "127.0.0.2"
DENIED = "554 5.7.1"
UNKNOWN = "550 5.1.1 <nobody@our.example>: Recipient address rejected: User unknown in virtual alias table"
ALIAS = "alias@our.example"
MESSAGE = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def front() -> Iterator[Stand]:
    """Postfix alone."""
    one = Stand(services=())
    try:
        one.open()
        yield one
    finally:
        one.close()


RECIPIENTS = (
    (STRANGER, ALIAS, "250 2.1.5"),
    (STRANGER, "postmaster", "250 2.1.5"),
    (STRANGER, "nobody@our.example", UNKNOWN),
    (STRANGER, "x@elsewhere.example", DENIED),
    (NEIGHBOUR, "x@elsewhere.example", "250 2.1.5"),
    (STRANGER, "x%elsewhere.example@our.example", DENIED),
    (STRANGER, "elsewhere.example!x@our.example", DENIED),
    (STRANGER, "@our.example:x@elsewhere.example", DENIED),
    *((who, f"alias=our.example@{where}", DENIED)
      for who in (STRANGER, NEIGHBOUR)
      for where in ("split.invalid", "SPLIT.invalid", "x.split.invalid", "drop.invalid", "x.drop.invalid")),
)  # fmt: skip


@pytest.mark.parametrize(("client", "recipient", "answer"), RECIPIENTS)
def test_who_may_send_to_whom(front: Stand, client: str, recipient: str, answer: str) -> None:
    with front.dialog(client=client) as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<>")
        assert str(dialog.command(f"RCPT TO:<{recipient}>")).startswith(answer)


def test_what_is_offered(front: Stand) -> None:
    with front.dialog() as dialog:
        offered = {each.partition(" ")[0] for each in dialog.hello().text.split("\n")[1:]}
        assert offered == {"PIPELINING", "SIZE", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "CHUNKING"}
        assert dialog.command(f"VRFY {ALIAS}").code == 502
        assert dialog.command("MAIL FROM:a@sender.example").code == 501
        assert dialog.command("MAIL FROM:<a@sender.example> RET=HDRS").code == 501
        assert dialog.command("MAIL FROM:<a@sender.example>").code == 250
        assert dialog.command(f"RCPT TO:<{ALIAS}> NOTIFY=SUCCESS").code == 501


def test_a_message_goes_through_as_it_came(front: Stand) -> None:
    """Neighbours too: nothing is added to the header but Received, and Date and Message-ID stay missing."""
    assert front.send("a@sender.example", [ALIAS], MESSAGE, client=NEIGHBOUR).accepted
    delivery = front.inbox.wait_for(lambda each: each.reverse_path == "a@sender.example")
    assert delivery.recipients == ("mailbox@inbox.example",)
    received, _, rest = delivery.data.partition(b"Subject:")
    assert received.startswith(b"Received: from client.example")
    assert b"\nReceived" not in received.partition(b"\n")[2].replace(b"\r\n\t", b"")
    assert b"Subject:" + rest == MESSAGE
    assert not [each for each in delivery.rcpt_options if "ORCPT" in each.upper()]


def test_the_second_pass_takes_split_recipients_and_nothing_else(front: Stand) -> None:
    with Dialog(front.split_port) as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<>")
        assert dialog.command("RCPT TO:<alias=our.example@split.invalid>").code == 250
        assert dialog.command("RCPT TO:<x@elsewhere.example>").code == 250  # a neighbour may; see the next one
    with Dialog(front.split_port, client=STRANGER) as dialog:
        dialog.hello()
        dialog.command("MAIL FROM:<>")
        assert str(dialog.command("RCPT TO:<alias=our.example@split.invalid>")).startswith(DENIED)


# One service is not there at all. Who would be asked first says so, and the client tries again.
ABSENT = {
    "lookup": ("451 4.3.0 <alias@our.example>: Temporary lookup failure", "rcpt"),
    "policy": (
        "451 4.3.5 <alias@our.example>: Recipient address rejected: Service unavailable, try again later",
        "rcpt",
    ),
    "milter": ("451 4.7.1 Service unavailable - try again later", "mail"),
}


@pytest.mark.parametrize("absent", ABSENT)
def test_an_absent_service_is_a_temporary_failure(absent: str) -> None:
    one = Stand(services=(), stubs=tuple(each for each in SERVICES if each != absent))
    try:
        one.open()
        answer, where = ABSENT[absent]
        answers = one.send("a@sender.example", [ALIAS], MESSAGE)
        said = answers.mail if where == "mail" else answers.rcpt[0]
        assert str(said) == answer
        assert one.queue() == []
    finally:
        one.close()

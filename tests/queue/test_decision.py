"""From request to Postfix's commands, and from their output to the answer; the output is Postfix 3.7's own."""

import json

import pytest

from smtpy.queue.decision import AGES, LATE, MAX_REASON, MAX_RECIPIENTS, Ran, commands, listing, outcome
from smtpy.queue.protocol import Act, Done, Letter, Recipient, Refused, Request

ID = "4jb9zj3lS3zJbRW"
NOW = 1_795_800_000

COMMANDS = {
    Act.LIST: (("postqueue", "-j"),),
    Act.SHOW: (("postcat", "-qeh", ID),),
    Act.HOLD: (("postsuper", "-h", ID),),
    Act.RELEASE: (("postsuper", "-H", ID), ("postqueue", "-i", ID)),
    Act.DELETE: (("postsuper", "-d", ID),),
    Act.RETRY: (("postcat", "-qe", ID), ("postqueue", "-i", ID)),
    Act.FLUSH: (("postqueue", "-f"),),
}
POSTCAT = f"""*** ENVELOPE RECORDS deferred/8/{ID} ***
message_size:             219             677               1               0             219               0
named_attribute: log_ident={ID}
sender: bob@sender.example
recipient: mailbox@inbox.example
*** MESSAGE CONTENTS deferred/8/{ID} ***
Received: from client.example (unknown [127.0.0.1])
\tby mx.our.example (Postfix) with ESMTP id {ID}
Subject: *** MESSAGE CONTENTS
no field at all
X-Empty:
*** HEADER EXTRACTED deferred/8/{ID} ***
*** MESSAGE FILE END deferred/8/{ID} ***
""".encode()
LETTER = Letter(
    ID,
    "deferred",
    (
        ("message_size", "219             677               1               0             219               0"),
        ("named_attribute", f"log_ident={ID}"),
        ("sender", "bob@sender.example"),
        ("recipient", "mailbox@inbox.example"),
    ),
    (
        (
            "Received",
            f"from client.example (unknown [127.0.0.1])\n\tby mx.our.example (Postfix) with ESMTP id {ID}",
        ),
        ("Subject", "*** MESSAGE CONTENTS"),
        ("X-Empty", ""),
    ),
)
MISSING = b"postcat: fatal: open queue file 4jb9zj3lS3zJbRW: No such file or directory\n"
OUTCOMES = {
    "shown": (Act.SHOW, [Ran(0, POSTCAT, b"")], LETTER),
    "nothing to show": (Act.SHOW, [Ran(1, b"", MISSING)], "gone"),
    "held": (
        Act.HOLD,
        [Ran(0, b"", b"postsuper: 4jb: placed on hold\npostsuper: Placed on hold: 1 message\n")],
        Done(),
    ),
    "nothing to hold": (Act.HOLD, [Ran(0, b"", b"postsuper: Placed on hold: 0 messages\n")], "gone"),
    "half released": (Act.RELEASE, [Ran(0, b"", b"postsuper: Released from hold: 1 message\n")], None),
    "released": (Act.RELEASE, [Ran(0, b"", b"postsuper: Released from hold: 1 message\n"), Ran(0, b"", b"")], Done()),
    "nothing to release": (Act.RELEASE, [Ran(0, b"", b"postsuper: Released from hold: 0 messages\n")], "gone"),
    "deleted": (Act.DELETE, [Ran(0, b"", b"postsuper: Deleted: 1 message\n")], Done()),
    "nothing to delete": (Act.DELETE, [Ran(0, b"", b"postsuper: Deleted: 0 messages\n")], "gone"),
    "half retried": (Act.RETRY, [Ran(0, POSTCAT, b"")], None),
    "retried": (Act.RETRY, [Ran(0, POSTCAT, b""), Ran(0, b"", b"")], Done()),
    "nothing to retry": (Act.RETRY, [Ran(1, b"", MISSING)], "gone"),
    "held, so not retried": (Act.RETRY, [Ran(0, POSTCAT.replace(b"deferred/", b"hold/"), b"")], "gone"),
    "flushed": (Act.FLUSH, [Ran(0, b"", b"")], Done()),
    "down": (
        Act.FLUSH,
        [Ran(69, b"", b"postqueue: fatal: Queue report unavailable - mail system is down\n")],
        "failed",
    ),
    "wordless": (Act.FLUSH, [Ran(1, b"", b"")], "failed"),
    "late": (Act.DELETE, [Ran(None, b"", b"")], "failed"),
}


def asked(act: Act) -> Request:
    return Request(act, "" if act in (Act.LIST, Act.FLUSH) else ID)


@pytest.mark.parametrize("act", Act)
def test_what_is_run(act: Act) -> None:
    assert commands(asked(act)) == COMMANDS[act]


@pytest.mark.parametrize(("act", "ran", "answer"), OUTCOMES.values(), ids=list(OUTCOMES))
def test_what_came_of_it(act: Act, ran: list[Ran], answer: Done | Letter | str | None) -> None:
    said = outcome(asked(act), ran)
    if isinstance(answer, str):
        assert isinstance(said, Refused)
        assert said.why == answer
        assert said.words
    else:
        assert said == answer


def test_postfix_is_quoted_and_a_late_command_is_told_so() -> None:
    down = outcome(asked(Act.FLUSH), OUTCOMES["down"][1])
    assert isinstance(down, Refused)
    assert down.words == "Postfix says: postqueue: fatal: Queue report unavailable - mail system is down"
    assert outcome(asked(Act.DELETE), [Ran(None, b"", b"")]) == LATE


# --- The listing ------------------------------------------------------------------------------------------------


def line(name: str, age: int, *recipients: tuple[str, str], queue: str = "deferred", sender: str = "bob@s.example"):
    told = [{"address": address} | ({"delay_reason": reason} if reason else {}) for address, reason in recipients]
    found = {"queue_name": queue, "queue_id": name, "arrival_time": NOW - age, "message_size": 7, "sender": sender}
    return json.dumps({**found, "forced_expire": False, "recipients": told}).encode() + b"\n"


QUEUE = [
    line("BBBBBB", 60, ("x@away.example", "Connection refused"), ("y@away.example", "")),
    line("AAAAAA", 60, ("z@there.example", ""), queue="active", sender=""),
    line("CCCCCC", 90_000, ("Z@There.example", "452 mailbox full"), queue="hold"),
    line("DDDDDD", 10_000_000, ("q@there.example", "Greylisted")),
    b"not JSON\n",
    b'{"queue_id": "EEEEEE"}\n',
]


def ids(request: Request) -> tuple[list[str], int, int]:
    found = listing(request, QUEUE, NOW)
    return [each.id for each in found.messages], found.matching, found.total


def test_oldest_first_and_counted() -> None:
    found = listing(Request(Act.LIST), QUEUE, NOW)
    assert [each.id for each in found.messages] == ["DDDDDD", "CCCCCC", "AAAAAA", "BBBBBB"]
    assert found.queues == {"deferred": 2, "active": 1, "hold": 1}
    assert found.ages == (2, 0, 0, 0, 0, 1, 1)
    assert len(found.ages) == len(AGES)
    assert found.messages[3].recipients == (
        Recipient("x@away.example", "Connection refused"),
        Recipient("y@away.example", ""),
    )


def test_page_by_page() -> None:
    seen: list[str] = []
    after = ""
    while (page := listing(Request(Act.LIST, limit=1, after=after), QUEUE, NOW)).messages:
        seen.append(page.messages[0].id)
        after = page.messages[0].place
        assert page.matching == page.total == 4
    assert seen == ["DDDDDD", "CCCCCC", "AAAAAA", "BBBBBB"]


@pytest.mark.parametrize(
    ("about", "queue", "found"),
    [
        ("there.EXAMPLE", "", ["DDDDDD", "CCCCCC", "AAAAAA"]),
        ("refused", "", ["BBBBBB"]),
        ("aaaaaa", "", ["AAAAAA"]),
        ("aaaaa", "", []),
        ("bob@", "", ["DDDDDD", "CCCCCC", "BBBBBB"]),
        ("", "hold", ["CCCCCC"]),
        ("grey", "hold", []),
    ],
)
def test_what_is_looked_for(about: str, queue: str, found: list[str]) -> None:
    assert ids(Request(Act.LIST, about=about, queue=queue)) == (found, len(found), 4)


def test_a_message_to_very_many_is_cut() -> None:
    many = line("AAAAAA", 1, *((f"{number}@x.example", "r" * 9000) for number in range(1000)))
    (message,) = listing(Request(Act.LIST, about="999@x.example"), [many], NOW).messages
    assert (len(message.recipients), message.others) == (MAX_RECIPIENTS, 1000 - MAX_RECIPIENTS)
    assert len(message.recipients[0].reason) == MAX_REASON

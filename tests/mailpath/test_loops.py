"""Mail that comes back: refused where it was before, whatever it has been through since; who may write our fields."""

import re

import pytest

from smtpy.mail import trace
from tests.dialog import Answer
from tests.inbox import Delivery
from tests.mailpath.script import message
from tests.mailpath.town import Town

SALES, INFO = "sales@north.example", "sales@south.example"
LOOP = "554 5.4.6"


def forward(town: Town, recipients: list[str], data: bytes) -> Answer:
    """What is said at the end of a message that a mailbox forwards."""
    answers = town.stand.send("forwarder@elsewhere.example", recipients, data)
    assert answers.data is not None, answers
    return answers.data


def first(town: Town, *recipients: str) -> list[Delivery]:
    """The copies of a new message."""
    mark = town.mark()
    assert town.stand.send("alice@sender.example", list(recipients), message(mark).encode()).accepted
    return town.arrivals(mark, len(recipients))


def mark_of(copy: Delivery) -> str:
    """The mark it was sent with."""
    return copy.header.partition(b"Message-ID: <")[2].partition(b"@")[0].decode()


@pytest.mark.parametrize("again", [SALES, "Sales+x@North.example", '"sales"@north.example'])
def test_a_mailbox_that_forwards_back_hears_that_it_goes_round(town: Town, again: str) -> None:
    [copy] = first(town, SALES)
    assert str(forward(town, [again], copy.data)).startswith(LOOP)


def test_also_when_another_server_has_changed_what_servers_change(town: Town) -> None:
    [copy] = first(town, SALES)
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", copy.header) + b"\r\n" + copy.body
    changed = b"Received: from x by y\r\nX-Spam: no\r\n" + unfolded.replace(b"SMTPy-Trace: ", b"smtpy-trace:   ")
    assert str(forward(town, [SALES], changed)).startswith(LOOP)


def test_a_circle_of_two_aliases_is_closed_once(town: Town) -> None:
    [copy] = first(town, SALES)
    assert forward(town, [INFO], copy.data).code == 250
    came = town.arrivals(mark_of(copy), 2)
    [second] = [each for each in came if each.recipients == ("ben@home.example",)]
    assert second.header.count(b"SMTPy-Trace: ") == 2
    for alias in (SALES, INFO):
        assert str(forward(town, [alias], second.data)).startswith(LOOP)


def test_a_split_copy_that_comes_back_is_refused_at_its_own_alias_alone(town: Town) -> None:
    ann, ben = sorted(first(town, SALES, INFO), key=lambda each: each.recipients)
    assert str(forward(town, [SALES], ann.data)).startswith(LOOP)
    assert str(forward(town, [INFO], ben.data)).startswith(LOOP)
    assert forward(town, [INFO], ann.data).code == 250


def test_a_circle_among_others_ends_without_them(town: Town) -> None:
    [copy] = first(town, SALES)
    assert forward(town, [SALES, INFO], copy.data).code == 250
    assert [each.recipients for each in town.arrivals(mark_of(copy), 2)] == [
        ("ann@home.example",),
        ("ben@home.example",),
    ]


def test_a_mark_that_was_perhaps_another_copys_closes_the_circle_the_second_time(town: Town) -> None:
    """Two aliases of one domain share one header: a copy that comes back once may be the other's."""
    both = first(town, SALES, "shop-9@north.example")
    assert forward(town, [SALES, "shop-9@north.example"], both[0].data).code == 250
    again = town.arrivals(mark_of(both[0]), 4)[-1]
    assert again.header.count(b"SMTPy-Trace: ") == 2
    assert str(forward(town, [SALES, "shop-9@north.example"], again.data)).startswith(LOOP)


@pytest.mark.parametrize(("hops", "said"), [(30, "250 2.0.0"), (31, LOOP), (45, LOOP)])
def test_hops_are_counted(town: Town, hops: int, said: str) -> None:
    data = b"Received: from a by b; Mon, 23 Nov 2026 12:00:00 +0000\r\n" * hops + message(town.mark()).encode()
    assert str(forward(town, [SALES], data)).startswith(said)


def test_hops_are_counted_before_a_message_is_split(town: Town) -> None:
    """The second pass, with a hop more, refuses nothing."""
    mark = town.mark()
    data = b"Received: from a by b; Mon, 23 Nov 2026 12:00:00 +0000\r\n" * 30 + message(mark).encode()
    assert forward(town, [SALES, INFO], data).code == 250
    assert len(town.arrivals(mark, 2)) == 2


def test_a_report_going_back_is_no_loop(town: Town) -> None:
    """A bounce that returns the whole header, ours included, on top."""
    [copy] = first(town, SALES)
    answers = town.stand.send("", [copy.reverse_path], copy.data)
    assert answers.accepted
    assert town.arrivals(mark_of(copy), 2)[-1].recipients == ("alice@sender.example",)


@pytest.mark.parametrize("recipients", [[SALES], [SALES, INFO]], ids=["in place", "split"])
def test_forged_fields_go_and_honest_ones_stay(town: Town, recipients: list[str]) -> None:
    keys = tuple(key.get_secret_value().encode() for key in town.settings.secret_keys)
    mark = town.mark()
    honest = trace.write(trace.Trace("earlier", (trace.mark(keys[0], "else@north.example"),)), keys[0])
    forged = honest.replace("id=earlier", "id=another")
    data = (
        f"SMTPy-Trace: id=x; m={trace.mark(keys[0], SALES)}; s=AAAAAAAAAAAAAAAA\r\nX-Before: 1\r\n"
        f"SMTPy-Trace: {honest}\r\nsmtpy-trace: {forged}\r\nSMTPY-Split: {honest}\r\n"
        f"SMTPy-Anything:\r\n folded\r\nX-SMTPy-Trace: not ours\r\nSMTPy: neither\r\n{message(mark)}"
    )
    assert forward(town, recipients, data.encode()).code == 250
    for copy in town.arrivals(mark, len(recipients)):
        below = copy.header.partition(b"X-Before: 1\r\n")
        assert below[0].lower().count(b"smtpy-") == 1
        assert below[2].decode() == (
            f"SMTPy-Trace: {honest}\r\nX-SMTPy-Trace: not ours\r\nSMTPy: neither\r\n"
            f"Message-ID: <{mark}@sender.example>\r\nSubject: hello\r\n"
        )


def test_a_forged_split_field_leads_to_nobodys_row(town: Town) -> None:
    """Neither the second pass nor the front believe it, and it does not go further."""
    mark = town.mark()
    assert forward(town, [SALES], b"SMTPy-Split: id=x; m=; s=forged\r\n" + message(mark).encode()).code == 250
    [copy] = town.arrivals(mark, 1)
    assert b"SMTPy-Split" not in copy.data

"""The pages of the log: what is found, all that is known of one message, and nothing of other people's."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from smtpy.admin import aliases, domains, mailboxes
from smtpy.admin.change import change
from smtpy.store.rows import Delivery, Entry, write
from tests.queries import statements
from tests.web.world import PEOPLE, World


def delivery(world: World, local: str = "shop", decision: str = "forward", **values: object) -> Delivery:
    """To an alias of the owner's."""
    address = f"{local}@ann.example"
    made = Delivery(address, address, None, decision, ("ann@inbox.example",), "exact alias")
    return replace(made, **values)  # type: ignore[arg-type]


def put(world: World, *deliveries: Delivery, **values: object) -> str:
    """A message; its name."""
    entry = Entry(
        *(str(uuid4()), datetime.now(UTC), "front", "4F3y", None, "192.0.2.7", "writer@far.example"),
        *("<2@far.example>", 2000, "accept", "exact alias", 900, deliveries),
    )
    entry = replace(entry, **values)  # type: ignore[arg-type]
    with world.engine.begin() as connection:
        write(connection, [entry])
    return entry.uuid


def test_the_log_has_the_newest_first(world: World) -> None:
    put(world, delivery(world))
    page = world.as_("owner").get("/log").text
    assert page.index("writer@far.example") < page.index("shop@elsewhere.example")
    assert "It is forgotten after 90 days." in page
    empty = world.as_("other").get("/log").text
    assert "No mail yet" in empty
    assert 'href="/welcome/test"' in empty  # what to do next


def test_whoever_misses_mail_to_an_address_is_told_why_there_is_no_trace(world: World) -> None:
    put(world, delivery(world))
    page = world.as_("owner").get("/log?q=shpo@ann.example").text
    assert "leaves no trace here" in page
    assert 'href="/explain?to=shpo@ann.example"' in page.replace("%40", "@")
    assert "/explain?to=" not in world.as_("owner").get("/log?q=4F2x").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=writer@far.example", True),
        ("q=%3C2@far.example%3E", True),
        ("q=4F3y", True),
        ("q=nobody@far.example", False),
        ("state=held", True),
        ("state=refused", False),
        ("state=odd&domain=odd&before=odd", True),
        ("before=99999999999999999999", True),
    ],
)
def test_what_is_asked_for_is_found(world: World, query: str, found: bool) -> None:
    put(world, delivery(world, decision="hold"))
    answer = world.as_("owner").get(f"/log?{query}")
    assert answer.status_code == 200
    assert ("<code>writer@far.example</code>" in answer.text) is found


def test_a_message_tells_its_story(world: World) -> None:
    verdicts = {"spf": "pass", "dkim": "fail", "dmarc": "temperror", "arc": "none"}
    uuid = put(world, delivery(world, why="a reason to tell"), **verdicts)
    page = world.as_("owner").get(f"/log/{uuid}").text
    for words in (
        "a reason to tell",
        "Arrived",
        "Sender checked",
        "DNS did not answer",
        "&lt;2@far.example&gt;",
        "4F3y",
    ):
        assert words in page
    assert "<live-part" in page
    assert "data-final" not in page


def test_what_has_ended_is_looked_at_no_more(world: World) -> None:
    uuid = put(world, delivery(world, decision="refuse", why="switched off"), verdict="refuse", stage="rcpt")
    page = world.as_("owner").get(f"/log/{uuid}").text
    assert "data-final" in page
    assert "switched off" in page


@pytest.mark.parametrize("path", ["/log", "/log/{message}", "/aliases/{alias}/log"])
def test_a_part_is_just_what_changes(world: World, path: str) -> None:
    part = world.as_("owner").get(path.format(**world.things), headers={"X-Part": "1"}).text
    assert "<html" not in part
    assert "shop@elsewhere.example" in part or "exact alias" in part


def test_of_a_message_to_several_people_each_sees_their_own(world: World) -> None:
    with change(world.engine, by="test") as c:
        mailboxes.add(c, "bob@inbox.example", owner=PEOPLE["other"], verified=True)
        domains.add(c, "bob.example", owner=PEOPLE["other"])
        his = aliases.add(c, "secret@bob.example", to=["bob@inbox.example"])
    bobs = Delivery("secret@bob.example", "secret@bob.example", his.id, "forward", ("bob@inbox.example",), "bobs why")
    uuid = put(world, delivery(world), bobs, why="exact alias; bobs why")
    for path in (f"/log/{uuid}", "/log"):
        page = world.as_("owner").get(path).text
        assert "shop@" in page
        assert "bob" not in page
        theirs = world.as_("other").get(path).text
        assert "secret@" in theirs
        assert "ann.example" not in theirs


def test_strangers_texts_are_texts(world: World) -> None:
    odd = '"><svg onload=alert(1)>@far.example'
    uuid = put(world, delivery(world, why=odd, recipient=odd), reverse_path=odd, message_id=odd, client=odd, signed=odd)
    for path in (f"/log/{uuid}", "/log", f"/log?q={odd}"):
        assert "<svg onload" not in world.as_("owner").get(path).text


def test_the_log_takes_as_many_statements_for_many_as_for_few(world: World) -> None:
    client = world.as_("owner")
    put(world, delivery(world))
    with statements(world.engine) as few:
        client.get("/log")
    for _ in range(40):
        put(world, delivery(world))
    with statements(world.engine) as many:
        client.get("/log")
    assert len(many) <= len(few) <= 16

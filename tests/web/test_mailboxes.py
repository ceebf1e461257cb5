"""The pages of mailboxes: added, verified by a letter and nothing forwarded before, preferred, thrown away."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from smtpy.admin import aliases, mailboxes
from smtpy.admin.change import change
from smtpy.directory.resolve import Forward, House, Refused, resolve
from smtpy.mail.address import parse
from smtpy.srs import Srs
from smtpy.store.checks import DomainCheck
from smtpy.store.directory import SqlDirectory
from smtpy.store.schema import Domain, Mailbox
from tests.web.world import ANONYMOUS, PEOPLE, World
from web import letters

Post = list[tuple[str, str]]
HOUSE = House("mx.our.example", "postmaster@inbox.example", Srs((b"s" * 32,)))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Post:
    """The letters that leave: to whom, and the link."""
    found: Post = []

    def send(letter: letters.Letter, to: str) -> bool:
        found.append((to, letter.link))
        return True

    monkeypatch.setattr(letters, "send", send)
    return found


def row(world: World, address: str) -> Mailbox:
    with Session(world.engine) as session:
        return session.scalars(select(Mailbox).where(Mailbox.address == address)).one()


def path_of(link: str) -> str:
    return re.sub(r"^https?://[^/]+", "", link)


def test_a_mailbox_is_verified_by_its_letter(world: World, sent: Post) -> None:
    client = world.as_("owner")
    page = client.post("/mailboxes/new", data={"address": " New@Inbox.example "}, follow_redirects=True).text
    assert "A letter is on its way to New@inbox.example" in page
    ((to, link),) = sent
    assert to == "New@inbox.example"
    assert row(world, to).verified_at is None
    stranger = world.as_(ANONYMOUS)  # the letter may be read on another device
    assert "New<wbr>@inbox.example" in stranger.get(path_of(link)).text
    assert row(world, to).verified_at is None
    assert stranger.post(path_of(link)).status_code == 200
    assert row(world, to).verified_at is not None
    assert stranger.post(path_of(link)).status_code == 404


def test_another_letter_makes_the_first_worth_nothing(world: World, sent: Post) -> None:
    client, uuid = world.as_("owner"), world.things["unverified_mailbox"]
    for _ in range(2):
        client.post(f"/mailboxes/{uuid}/ask")
    first, second = (path_of(link) for _, link in sent)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    client.post(f"/mailboxes/{world.things['mailbox']}/ask")
    assert len(sent) == 2  # it is verified already.


def test_strangers_are_not_written_to_at_will(world: World, sent: Post) -> None:
    client = world.as_("owner")
    for number in range(8):
        client.post("/mailboxes/new", data={"address": f"{number}@inbox.example"})
    assert len(sent) == mailboxes.MOST_UNVERIFIED - 1  # one waits in this world already
    answer = client.post("/mailboxes/new", data={"address": "more@inbox.example"})
    assert (answer.status_code, "may wait to be verified" in answer.text) == (422, True)


def test_a_letter_that_does_not_leave_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "send", lambda *_: False)
    form = {"address": "new@inbox.example"}
    assert "could not be sent" in world.as_("owner").post("/mailboxes/new", data=form, follow_redirects=True).text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Fill this in"),
        ("no address", "no @"),
        ("ann@inbox.example", "there already"),
        ("x@ann.example", "circles"),
        ("x@mx.our.example", "this mail server"),
    ],
)
def test_what_is_wrong_is_said(world: World, address: str, words: str) -> None:
    with Session(world.engine) as session, session.begin():
        session.execute(update(Domain).values(proven_at=datetime.now(UTC)))
    answer = world.as_("owner").post("/mailboxes/new", data={"address": address})
    assert answer.status_code == 422
    assert words in answer.text


def test_nothing_is_forwarded_before_it_is_verified(world: World) -> None:
    with Session(world.engine) as session, session.begin():
        session.execute(update(Domain).values(proven_at=datetime.now(UTC)))
    spare = "spare@inbox.example"
    with change(world.engine, by="test") as c:
        aliases.add(c, "only@ann.example", to=[spare])
        aliases.add(c, "both@ann.example", to=[spare, world.things["mailbox"]])
    directory = SqlDirectory(world.engine)

    def goes(local: str) -> Forward | Refused:
        found = resolve(parse(f"{local}@ann.example"), directory, HOUSE, datetime.now(UTC))
        assert isinstance(found, Forward | Refused)
        return found

    only, both = goes("only"), goes("both")
    assert isinstance(only, Refused)
    assert only.reply.temporary  # the sender tries again, and by then it may be
    assert isinstance(both, Forward)
    assert both.mailboxes == ("ann@inbox.example",)
    with change(world.engine, by="test") as c:
        token = mailboxes.ask(c, spare)[1]
        mailboxes.verify(c, token)
    after = goes("only")
    assert isinstance(after, Forward)
    assert after.mailboxes == (spare,)


def test_the_preferred_one_is_one(world: World) -> None:
    with change(world.engine, by="test") as c:
        second = mailboxes.add(c, "second@inbox.example", owner=PEOPLE["owner"], verified=True)
    client = world.as_("owner")
    for uuid in (world.things["mailbox"], second.uuid):
        client.post(f"/mailboxes/{uuid}/prefer")
        with Session(world.engine) as session:
            assert session.scalars(select(Mailbox.uuid).where(Mailbox.preferred)).all() == [uuid]
    page = client.get("/aliases/new").text
    assert re.search(rf'checked [^>]*value="{second.uuid}"', page)


ACTS: dict[str, tuple[str, dict[str, str], Callable[[Mailbox], bool]]] = {
    "off": ("switch", {"on": "0"}, lambda found: not found.enabled),
    "trash": ("trash", {}, lambda found: found.deleted_at is not None),
}


@pytest.mark.parametrize("act", ACTS)
def test_what_is_done_can_be_undone(world: World, act: str) -> None:
    path, form, holds = ACTS[act]
    client = world.as_("owner")
    page = client.post(f"/mailboxes/{world.things['unverified_mailbox']}/{path}", data=form, follow_redirects=True)
    assert holds(row(world, "spare@inbox.example"))
    undo = re.search(r'<form method="post" action="(/mailboxes/[^"]+)">.*?</form>', page.text.partition("<main")[0])
    assert undo is not None
    client.post(undo[1], data={"on": "1"})
    assert not holds(row(world, "spare@inbox.example"))


def test_one_that_an_alias_needs_stays(world: World) -> None:
    path = f"/mailboxes/{world.things['mailbox']}/trash"
    assert "An alias leads to ann@inbox.example" in world.as_("owner").post(path, follow_redirects=True).text
    assert row(world, "ann@inbox.example").deleted_at is None


def test_whether_replies_would_be_believed_is_told(world: World) -> None:
    fixed = {"subject": "inbox.example", "kind": "replies", "name": "inbox.example", "required": True, "expected": ""}
    check = DomainCheck(**fixed, status="missing", found=[], todo="Have SPF set up.", checked_at=datetime.now(UTC))
    with Session(world.engine) as session, session.begin():
        session.add(check)
    page = world.as_("owner").get("/mailboxes").text
    assert "Replies may be refused" in page
    assert "Have SPF set up." in page
    assert "1 alias" in page

"""The pages of aliases: what is found, made, changed and taken back, by how many statements."""

import csv
import io
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, mailboxes
from smtpy.admin.change import change
from smtpy.store.schema import Alias, Audit
from tests.queries import statements
from tests.web.forms import forms
from tests.web.world import PEOPLE, World
from web import limits, sheets

OWNER = PEOPLE["owner"]


def more(world: World, *locals_: str, **choices: object) -> list[str]:
    """The UUIDs of more aliases of the owner's."""
    with change(world.engine, by="test") as c:
        to = [world.things["mailbox"]]
        return [aliases.add(c, f"{each}@ann.example", to=to, **choices).uuid for each in locals_]  # type: ignore[arg-type]


def row(world: World, uuid: str) -> Alias:
    with Session(world.engine) as session:
        return session.scalars(select(Alias).where(Alias.uuid == uuid)).one()


def shown(text: str) -> list[str]:
    """The addresses in a list."""
    return re.findall(r'data-copy="([^"]+)" data-row-key', text)


def test_the_list_shows_what_there_is(world: World) -> None:
    page = world.as_("owner").get("/aliases").text
    assert shown(page) == ["shop@ann.example"]
    assert "the shop" in page
    assert 'href="/aliases?tag=shops"' in page


def test_who_has_none_is_told_what_to_do(world: World) -> None:
    assert "No domain yet" in world.as_("other").get("/aliases").text
    with change(world.engine, by="test") as c:
        domains.add(c, "bob.example", owner=PEOPLE["other"])
    assert "Make the first one" in world.as_("other").get("/aliases").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=shop", 1),
        ("q=nothing", 0),
        ("tag=shops", 1),
        ("state=off", 0),
        ("unused=1&state=on&sort=used", 1),
        ("state=odd&sort=odd&after=odd&domain=odd&mailbox=odd", 0),
        ("state=trash", 1),  # it has a page of its own
    ],
)
def test_what_the_url_asks_for_is_shown(world: World, query: str, found: int) -> None:
    answer = world.as_("owner").get(f"/aliases?{query}")
    assert answer.status_code == 200
    assert len(shown(answer.text)) == found


def test_a_long_list_has_pages_that_keep_their_filters(world: World) -> None:
    more(world, *(f"yy{number:03}" for number in range(60)))
    client = world.as_("owner")
    first = client.get("/aliases?q=yy&sort=name").text
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).text
    assert shown(first) + shown(second) == [f"yy{number:03}@ann.example" for number in range(60)]
    assert 'href="/aliases?q=yy&amp;sort=name" rel="prev"' in second


def test_the_list_takes_as_many_statements_for_many_as_for_few(world: World) -> None:
    client = world.as_("owner")
    client.get("/aliases")  # the session has its CSRF secret from here on
    with statements(world.engine) as few:
        client.get("/aliases")
    more(world, *(f"x{number}" for number in range(60)), tags=["a", "b"])
    with statements(world.engine) as many:
        client.get("/aliases")
    assert len(many) <= len(few) <= 9


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({"kind": "words", "words_name": "brisk-otter-7f3k"}, r"brisk-otter-7f3k"),
        ({"kind": "words"}, r"[a-z]+-[a-z]+-[a-z0-9]{4}"),
        ({"kind": "characters"}, r"[a-z0-9]{10}"),
        ({"kind": "uuid"}, r"[0-9a-f-]{36}"),
        ({"kind": "own", "own": " My.Name "}, r"my\.name"),
        ({"kind": "site", "site": "https://www.Bookshop.example/x"}, r"bookshop-[a-z0-9]{4}"),
        ({"for": "bookshop.example"}, r"bookshop-[a-z0-9]{4}"),
        ({"for": "The bakery at the corner"}, r"[a-z]+-[a-z]+-[a-z0-9]{4}"),
    ],
)
def test_a_new_alias(world: World, given: dict[str, str], local: str) -> None:
    form = {"domain": "ann.example", "tags": "one, Two", "expires": "2099-12-31", **given}
    answer = world.as_("owner").post("/aliases/new", data=form)
    assert answer.status_code == 303, answer.text
    uuid = answer.headers["Location"].split("?")[0].rpartition("/")[2]
    with Session(world.engine) as session:
        made = aliases.show(session, uuid)
    assert re.fullmatch(local, made.address.partition("@")[0])
    assert (made.tags, made.mailboxes, made.owner) == (("one", "two"), ("ann@inbox.example",), OWNER)
    assert made.expires_at is not None
    assert made.expires_at.isoformat() == "2099-12-31T23:59:59+00:00"
    assert made.note == given.get("for", "")
    assert made.address in world.as_("owner").get(answer.headers["Location"]).text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "own", "own": "shop"}, "is there already"),
        ({"kind": "own", "own": ""}, "Say what it is to be called"),
        ({"kind": "own", "own": "a b"}, "a b@ann.example"),
        ({"kind": "site", "site": ""}, "Name the website"),
        ({"kind": "odd"}, "Not a valid choice"),
        ({"domain": "bob.example"}, "Not a valid choice"),
        ({"mailboxes": "00000000-0000-4000-8000-000000000000"}, "not a valid choice"),
        ({"tags": "x" * 41}, "A tag has at most 40 characters. Shorten it."),
        ({"note": "x" * 1001}, "Field cannot be longer"),
        ({"expires": "soon"}, "Not a valid date"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(world: World, given: dict[str, str], words: str) -> None:
    answer = world.as_("owner").post("/aliases/new", data={"domain": "ann.example", "kind": "words", **given})
    assert answer.status_code == 422
    assert words in answer.text


def test_a_name_that_is_taken_is_made_anew(world: World) -> None:
    more(world, "brisk-otter-7f3k")
    form = {"domain": "ann.example", "kind": "words", "words_name": "brisk-otter-7f3k"}
    assert world.as_("owner").post("/aliases/new", data=form).status_code == 303


def test_what_is_shared_fills_the_form_in(world: World) -> None:
    page = world.as_("owner").get("/aliases/new?title=Books&text=see+https://shop.bookshop.example/1").text
    assert 'value="https://shop.bookshop.example/1"' in page
    assert 'value="Books"' in page
    assert re.search(r'checked [^>]*value="site"', page)


def test_a_domain_of_somebody_else_is_no_choice(world: World) -> None:
    assert "ann.example" not in world.as_("other").get("/aliases/new").text


def test_a_switch_is_turned_and_turned_back(world: World) -> None:
    client, uuid = world.as_("owner"), world.things["alias"]
    page = client.post(f"/aliases/{uuid}/switch", data={"on": "0", "next": "/aliases?q=s"}, follow_redirects=True)
    assert (page.request.path, row(world, uuid).enabled) == ("/aliases", False)
    assert "1 alias switched off." in page.text
    token = re.search(r'name="token" value="([^"]+)"', page.text)
    assert token is not None
    client.post("/aliases/undo", data={"token": "wrong"})
    assert not row(world, uuid).enabled
    client.post("/aliases/undo", data={"token": token[1]})
    assert row(world, uuid).enabled
    again = client.post("/aliases/undo", data={"token": token[1]}, follow_redirects=True)
    assert "cannot be undone any more" in again.text


def acted(client: FlaskClient, *uuids: str, **form: str) -> str:
    """Do it; the token of its undo."""
    page = client.post("/aliases/many", data={"alias": list(uuids), **form}, follow_redirects=True)
    (token,) = re.findall(r'name="token" value="([^"]+)"', page.text)
    return str(token)


@pytest.mark.parametrize("first", [0, 1])
def test_two_tabs_undo_what_each_has_done(world: World, first: int) -> None:
    client, uuid = world.as_("owner"), world.things["alias"]
    (other,) = more(world, "a")
    tokens = [acted(client, uuid, act="off"), acted(client, other, act="off")]
    client.post("/aliases/undo", data={"token": tokens[first]})
    assert [row(world, each).enabled for each in (uuid, other)] == [first == 0, first == 1]
    client.post("/aliases/undo", data={"token": tokens[1 - first]})
    assert [row(world, each).enabled for each in (uuid, other)] == [True, True]


@pytest.mark.parametrize("first", [0, 1])
def test_an_undo_leaves_what_another_tab_did_to_the_same_alias(world: World, first: int) -> None:
    client, (uuid,) = world.as_("owner"), more(world, "a", tags=["x"])
    tokens = [acted(client, uuid, act="tag", tag="one"), acted(client, uuid, act="tag", tag="two")]
    client.post("/aliases/undo", data={"token": tokens[first]})
    with Session(world.engine) as session:
        assert set(aliases.show(session, uuid).tags) == {"x", ("two", "one")[first]}


def test_mailboxes_that_were_changed_since_stay(world: World) -> None:
    with change(world.engine, by="test") as c:
        for name in ("second", "third"):
            mailboxes.add(c, f"ann@{name}.example", owner=OWNER, verified=True)
    client, (uuid,) = world.as_("owner"), more(world, "a")
    early = acted(client, uuid, act="mailboxes", mailbox="ann@second.example")
    late = acted(client, uuid, act="mailboxes", mailbox="ann@third.example")
    answer = client.post("/aliases/undo", data={"token": early}, follow_redirects=True)
    assert "cannot be undone any more" in answer.text
    client.post("/aliases/undo", data={"token": late})
    with Session(world.engine) as session:
        assert aliases.show(session, uuid).mailboxes == ("ann@second.example",)


def test_an_undo_is_kept_for_the_last_acts(world: World) -> None:
    client, uuid = world.as_("owner"), world.things["alias"]
    tokens = [acted(client, uuid, act=act) for act in ("off", "pin", "on", "unpin", "off", "on")]
    for token, there in ((tokens[0], False), (tokens[1], True)):
        answer = client.post("/aliases/undo", data={"token": token}, follow_redirects=True)
        assert ("cannot be undone any more" not in answer.text) is there


BULK = {
    "off": ({}, lambda view: not view.enabled),
    "tag": ({"tag": "new, other"}, lambda view: {"new", "other"} <= set(view.tags)),
    "untag": ({"tag": "shops"}, lambda view: "shops" not in view.tags),
    "trash": ({}, lambda view: view.deleted_at is not None),
    "mailboxes": ({"mailbox": "ann@second.example"}, lambda view: view.mailboxes == ("ann@second.example",)),
}


@pytest.mark.parametrize("act", BULK)
def test_many_at_once_and_back(world: World, act: str) -> None:
    with change(world.engine, by="test") as c:
        mailboxes.add(c, "ann@second.example", owner=OWNER, verified=True)
    uuids = [world.things["alias"], *more(world, "a", "b", tags=["shops", "x"])]
    with Session(world.engine) as session:
        before = [aliases.show(session, uuid) for uuid in uuids]
    fields, holds = BULK[act]
    client = world.as_("owner")
    answer = client.post("/aliases/many", data={"act": act, "alias": uuids, **fields}, follow_redirects=True)
    with Session(world.engine) as session:
        assert all(holds(aliases.show(session, uuid)) for uuid in uuids)
        audited = session.scalars(select(Audit).where(Audit.actor == f"web:{OWNER}")).all()
        assert len(audited) == 3
    assert re.search(r"3 aliases", answer.text)
    token = re.search(r'name="token" value="([^"]+)"', answer.text)
    assert token is not None
    client.post("/aliases/undo", data={"token": token[1]})
    with Session(world.engine) as session:
        after = [aliases.show(session, uuid) for uuid in uuids]
    assert [(a.enabled, a.tags, a.mailboxes, a.deleted_at) for a in after] == [
        (b.enabled, b.tags, b.mailboxes, b.deleted_at) for b in before
    ]


def test_of_many_what_is_not_ones_own_stays(world: World) -> None:
    with change(world.engine, by="test") as c:
        mailboxes.add(c, "bob@inbox.example", owner=PEOPLE["other"], verified=True)
        domains.add(c, "bob.example", owner=PEOPLE["other"])
        his = aliases.add(c, "his@bob.example", to=["bob@inbox.example"])
    form = {"act": "off", "alias": [his.uuid, world.things["alias"]]}
    page = world.as_("owner").post("/aliases/many", data=form, follow_redirects=True).text
    assert row(world, his.uuid).enabled
    assert not row(world, world.things["alias"]).enabled
    assert "1 alias switched off." in page
    assert f"There is no alias {his.uuid}" in page


@pytest.mark.parametrize("form", [{}, {"act": "fly", "alias": "x"}, {"act": "off"}, {"act": "tag", "alias": "x"}])
def test_what_makes_no_sense_is_said(world: World, form: dict[str, str]) -> None:
    answer = world.as_("owner").post("/aliases/many", data=form, follow_redirects=True)
    assert answer.status_code == 200
    assert 'class="toast bad"' in answer.text


def test_a_sheet_of_aliases(world: World) -> None:
    (uuid,) = more(world, "odd", note='=HYPERLINK("https://evil.example")')
    form = {"act": "export", "alias": [world.things["alias"], uuid]}
    answer = world.as_("owner").post("/aliases/many", data=form)
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [each["address"] for each in rows] == ["shop@ann.example", "odd@ann.example"]
    assert rows[1]["note"] == '\'=HYPERLINK("https://evil.example")'
    foreign = world.as_("other").post("/aliases/many", data=form)
    assert foreign.status_code == 404


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\n=1"])
def test_39_no_cell_is_a_formula(text: str) -> None:
    assert sheets.cell(text) == f"'{text}"
    assert sheets.cell((text, "b")) == f"'{text} b"
    assert sheets.cell(f"x{text}") == f"x{text}"


def test_settings_are_kept(world: World) -> None:
    client, uuid = world.as_("owner"), world.things["alias"]
    path = f"/aliases/{uuid}/settings"
    assert "the shop" in client.get(path).text
    form = {"note": "new", "tags": "", "pinned": "y", "when_off": "defer", "mailboxes": [world.things["mailbox"]]}
    assert client.post(path, data={**form, "expires": "2099-01-01"}).status_code == 303
    with Session(world.engine) as session:
        kept = aliases.show(session, uuid)
    assert (kept.note, kept.tags, kept.pinned, kept.when_off) == ("new", (), True, "defer")
    refused = client.post(path, data={**form, "mailboxes": []})
    assert refused.status_code == 422
    assert "Choose at least one mailbox." in refused.text


def test_mailboxes_keep_their_order(world: World) -> None:
    with change(world.engine, by="test") as c:
        second = mailboxes.add(c, "second@inbox.example", owner=OWNER, verified=True)
        aliases.set_(c, world.things["alias"], to=[second.uuid, world.things["mailbox"]])
    form = {"when_off": "reject", "mailboxes": [world.things["mailbox"], second.uuid], "note": "another"}
    path = f"/aliases/{world.things['alias']}/settings"
    assert world.as_("owner").post(path, data=form).status_code == 303
    with Session(world.engine) as session:
        kept = aliases.show(session, world.things["alias"])
    assert (kept.note, kept.mailboxes) == ("another", ("second@inbox.example", "ann@inbox.example"))
    assert "spare@inbox.example (not verified yet)" in world.as_("owner").get(path).text


def test_the_trash_keeps_everything(world: World) -> None:
    client, uuid = world.as_("owner"), world.things["alias"]
    client.post(f"/aliases/{uuid}/trash")
    assert shown(client.get("/aliases").text) == []
    assert "shop<wbr>@ann.example" in client.get("/aliases/trash").text
    assert "It is in the trash" in client.get(f"/aliases/{uuid}/settings").text
    client.post(f"/aliases/{uuid}/restore")
    assert shown(client.get("/aliases").text) == ["shop@ann.example"]


def test_what_an_alias_got_is_shown(world: World) -> None:
    from smtpy.store import counting

    counting.count(world.engine)
    client, uuid = world.as_("owner"), world.things["alias"]
    assert "<b>1</b><span>forwarded, 30 days</span>" in client.get(f"/aliases/{uuid}").text
    assert "shop@<wbr>" not in client.get(f"/aliases/{uuid}/senders").text
    assert "elsewhere.example" in client.get(f"/aliases/{uuid}/senders").text
    assert client.get(f"/aliases/{uuid}/senders?before=odd").status_code == 200


LIMITS = {
    "30 new ones an hour": ("POST", "/aliases/new", {"domain": "ann.example", "kind": "words"}, 30),
    "60 searches a minute": ("GET", "/aliases?q=x", {}, 60),
    "60 searches of the log a minute": ("GET", "/log?q=x", {}, 60),
    "2 sheets a minute": ("POST", "/aliases/many", {"act": "export"}, 2),
}


@pytest.mark.parametrize(("method", "path", "form", "most"), LIMITS.values(), ids=LIMITS)
def test_51_what_costs_much_is_limited(
    world: World, monkeypatch: pytest.MonkeyPatch, method: str, path: str, form: dict[str, str], most: int
) -> None:
    monkeypatch.setattr(limits.limiter, "enabled", True)
    limits.limiter.reset()
    client = world.as_("owner")
    answers = [client.open(path, method=method, data=form or None) for _ in range(most + 1)]
    assert 429 not in [answer.status_code for answer in answers[:-1]]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert client.get("/aliases").status_code == 200
    limits.limiter.reset()


ODD = '"><svg onload=alert(1)>'


def test_42_what_people_write_is_text(world: World) -> None:
    (uuid,) = more(world, "odd", note=ODD, tags=[ODD])
    client = world.as_("owner")
    for path in ("/", "/aliases", f"/aliases?q={ODD}&tag={ODD}", f"/aliases/{uuid}", f"/aliases/{uuid}/settings"):
        page = client.get(path).text
        assert "<svg onload" not in page
    assert "&lt;svg onload" in page


@pytest.mark.parametrize("local", ["\u202egnp.exe", "sh\u200bop", "shop\u00ad", "\ufeffshop", "sh\u2060op"])
def test_40_no_address_looks_like_another(world: World, local: str) -> None:
    answer = world.as_("owner").post("/aliases/new", data={"kind": "own", "own": local, "domain": "ann.example"})
    assert answer.status_code == 422
    assert "Leave it out" in answer.text
    with Session(world.engine) as session:
        assert session.query(Alias).count() == 1


MIXED = {"sh\u043ep": "Cyrillic, Latin", "\u0440\u0430\u0443": "Cyrillic", "\uff53hop": "Fullwidth, Latin"}


@pytest.mark.parametrize(
    "local", [*MIXED, "shop", "\u043f\u0440\u0438\u0432\u0435\u0442", "\u6771\u4eac-tokyo", "b\u00fccher"]
)
def test_40_letters_that_look_like_others_are_warned_of(world: World, local: str) -> None:
    client = world.as_("owner")
    form = {"kind": "own", "own": local, "domain": "ann.example"}
    made = client.post("/aliases/new", data=form, follow_redirects=True)
    assert made.status_code == (200 if local != "shop" else 409) or "shop" in made.text
    if local != "shop":
        assert ("that look like others" in made.text) is (local in MIXED)
        assert MIXED.get(local, "") in made.text


UNSEEN = ("\u202e", "\u2066", "\u200f")


@pytest.mark.parametrize("unseen", [*UNSEEN, "\u200b", "\ufeff"])
def test_40_what_is_not_seen_is_no_part_of_a_tag_or_a_note(world: World, unseen: str) -> None:
    client, path = world.as_("owner"), f"/aliases/{world.things['alias']}/settings"
    form = {"when_off": "reject", "mailboxes": [world.things["mailbox"]], "note": "", "tags": ""}
    assert client.post(path, data={**form, "tags": f"sh{unseen}op"}).status_code == 422
    assert client.post(path, data={**form, "note": f"a{unseen}b"}).status_code == (422 if unseen in UNSEEN else 303)


def test_40_emoji_and_other_writing_are_fine(world: World) -> None:
    client, path = world.as_("owner"), f"/aliases/{world.things['alias']}/settings"
    form = {
        "when_off": "reject",
        "mailboxes": [world.things["mailbox"]],
        "tags": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    }
    assert (
        client.post(path, data={**form, "note": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"}).status_code == 303
    )


def test_what_another_tab_has_changed_is_not_undone_unasked(world: World) -> None:
    path = f"/aliases/{world.things['alias']}/settings"
    client = world.as_("owner")
    first, second = (_form(client.get(path).text) for _tab in range(2))
    assert client.post(path, data=first | {"note": "what the first says"}).status_code == 303
    answer = client.post(path, data=second | {"tags": "second"})
    assert answer.status_code == 409
    assert "<dd>what the first says</dd>" in answer.text
    assert row(world, world.things["alias"]).note == "what the first says"
    again = _form(answer.text)
    assert again["tags"] == "second"  # it is still in the form
    assert client.post(path, data=again).status_code == 303
    assert row(world, world.things["alias"]).note == second["note"]


def _form(page: str) -> dict[str, str]:
    (found,) = (each.fields for each in forms(page) if "note" in each.fields)
    return found

"""Users and domains as operators see them, and what they decide."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from smtpy.admin import aliases, domains, mailboxes, members, roll
from smtpy.admin.change import change, reading
from tests.queries import statements
from tests.web.conftest import SignIn
from tests.web.operators import ROOT, acts, admin
from web.pages.operator import lists

ANN, BEN = "ann@people.example", "ben@people.example"


@pytest.fixture(autouse=True)
def people(engine: Engine) -> None:
    """Ann, who has things, and Ben, who has none."""
    with change(engine, by="test") as c:
        members.add(c, ANN, name='"><svg onload=x>')
        members.add(c, BEN)
        box = mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        for name in ("a.example", "b.example"):
            domains.add(c, name, owner=ANN)
        aliases.add(c, "shop@a.example", to=[box.uuid])


def uuid_of(engine: Engine, email: str) -> str:
    with reading(engine) as session:
        return members.find(session, email).uuid


def act(browser: FlaskClient, uuid: str, what: str) -> str:
    """What is said of it."""
    answer = browser.post(f"/admin/users/{uuid}", data={"act": what}, follow_redirects=True)
    assert answer.status_code == 200
    return " ".join(re.findall(r'<div class="toast [^"]*"><p>([^<]*)</p>', answer.text))


def test_users_with_what_is_theirs(sign_in: SignIn) -> None:
    text = admin(sign_in).get("/admin/users").text
    assert "2 domains" in text
    assert "1 mailbox<" in text
    assert "never here" in text
    assert "&#34;&gt;&lt;svg onload=x&gt;" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [("about=BEN", {BEN}), ("about=svg", {ANN}), ("state=admin", {ROOT}), ("state=trash", set()), ("about=%25", set())],
)
def test_users_that_are_looked_for(sign_in: SignIn, query: str, found: set[str]) -> None:
    text = admin(sign_in).get(f"/admin/users?{query}").text.replace("<wbr>", "")
    assert {each for each in (ANN, BEN, ROOT) if f">{each}</a>" in text} == found


def test_what_is_decided_about_somebody(sign_in: SignIn, engine: Engine) -> None:
    theirs, browser, ben = sign_in(BEN), admin(sign_in), uuid_of(engine, BEN)
    assert theirs.get("/").status_code == 200
    assert "signed out" in act(browser, ben, "off")
    assert theirs.get("/").status_code == 303
    assert "sign in again" in act(browser, ben, "on")
    assert "an administrator now" in act(browser, ben, "admin")
    assert "no more" in act(browser, ben, "user")
    theirs = sign_in(BEN)
    assert "have ended" in act(browser, ben, "sign-out")
    assert theirs.get("/").status_code == 303
    assert "in the trash" in act(browser, ben, "delete")
    assert "Restore" in browser.get(f"/admin/users/{ben}").text
    assert "They are back" in act(browser, ben, "restore")
    done = [what for who, what, subject in acts(engine) if who == f"web:{ROOT}" and subject == f"user {BEN}"]
    assert done == ["user.off", "user.on", "user.role", "user.role", "user.delete", "user.restore"]


def test_what_stands_in_the_way_is_said(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    assert "still owns a domain" in act(browser, uuid_of(engine, ANN), "delete")
    assert act(browser, uuid_of(engine, ROOT), "user") == "Somebody else has to do that to you."
    assert act(browser, uuid_of(engine, ANN), "king") == ""
    with reading(engine) as session:
        assert roll.show(session, ROOT).user.role == "admin"


def test_one_users_page(sign_in: SignIn, engine: Engine) -> None:
    text = admin(sign_in).get(f"/admin/users/{uuid_of(engine, ANN)}").text
    assert "a.example" in text
    assert "Make an administrator" in text
    assert "This is you." in admin(sign_in).get(f"/admin/users/{uuid_of(engine, ROOT)}").text


def test_all_domains(sign_in: SignIn) -> None:
    browser = admin(sign_in)
    text = browser.get("/admin/domains").text
    assert text.index("a.example") < text.index("b.example")
    assert "DNS not checked" in text
    assert "No keys" in text
    assert "b.example" not in browser.get("/admin/domains?about=A.EX").text
    assert "No domain matches" in browser.get("/admin/domains?state=troubled").text


def test_page_by_page(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    browser = admin(sign_in)
    for path, number in (("/admin/users", 3), ("/admin/domains", 2)):
        seen = 0
        target = path
        while target:
            text = browser.get(target).text
            seen += text.count("<li data-row>")
            found = re.search(r'href="([^"]+)" rel="next"', text)
            target = found[1] if found else ""
        assert seen == number


def test_questions_do_not_grow_with_the_lists(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    paths = ("/admin/users", "/admin/domains", f"/admin/users/{uuid_of(engine, ANN)}")
    few = []
    for path in paths:
        browser.get(path)
        with statements(engine) as told:
            browser.get(path)
        few.append(len(told))
    with change(engine, by="test") as c:
        for number in range(30):
            members.add(c, f"user{number}@people.example")
            domains.add(c, f"d{number}.example", owner=ANN)
    for path, number in zip(paths, few, strict=True):
        with statements(engine) as told:
            browser.get(path)
        assert len(told) == number <= 8, told

"""The audit trail as a page: filters, detail, and what is taken away."""

import csv
import io
import json

import pytest
from sqlalchemy import Engine

from smtpy.admin import domains, members
from smtpy.admin.change import change
from tests.queries import statements
from tests.web.conftest import SignIn
from tests.web.operators import acts, admin
from web.pages.operator import audit

EVIL = '=HYPERLINK("http://evil.example")'


@pytest.fixture(autouse=True)
def past(engine: Engine) -> None:
    """What somebody did."""
    with change(engine, by="web:ann@people.example", client="192.0.2.0") as c:
        members.add(c, "ann@people.example", name='"><svg onload=x>')
        domains.add(c, "our.example", owner="ann@people.example")
    with change(engine, by=EVIL) as c:
        c.note("user.set", "@subject", {"name": "old"}, {"name": "new", "tags": ["a"]})


def test_who_did_what_newest_first(sign_in: SignIn) -> None:
    text = admin(sign_in).get("/admin/audit").text
    assert text.index("@subject") < text.index("domain our.example") < text.index("user ann<wbr>@people.example")
    assert "192.0.2.0" in text


@pytest.mark.parametrize(
    ("query", "there", "not_there"),
    [
        ("actor=web:ann", "domain our.example", "@subject"),
        ("act=domain", "domain our.example", "user ann"),
        ("subject=*OUR", "domain our.example", "@subject"),
        ("since=2020-01-01&until=2090-01-01", "domain our.example", "Nothing like that"),
        ("until=2020-01-01", "Nothing like that", "domain our.example"),
        ("since=yesterday", "A day is written", "domain our.example"),
    ],
)
def test_what_is_looked_for(sign_in: SignIn, query: str, there: str, not_there: str) -> None:
    text = admin(sign_in).get(f"/admin/audit?{query}").text.partition('class="filters"')[2].partition("</form>")[2]
    assert there in text
    assert not_there not in text


def test_an_act_before_and_after(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    with engine.connect() as connection:
        number = connection.exec_driver_sql("SELECT id FROM audit WHERE subject = '@subject'").scalar()
    text = browser.get(f"/admin/audit/{number}").text
    assert "<td><code>old</code></td><td><code>new</code></td>" in text
    assert "<code>[&#34;a&#34;]</code>" in text
    assert browser.get("/admin/audit/99999").status_code == browser.get("/admin/audit/x").status_code == 404


def test_page_by_page(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 1)
    browser, seen = admin(sign_in), []
    path = "/admin/audit?actor=web:ann"
    while path:
        text = browser.get(path).text
        seen.append("our.example" in text.partition('<ul class="dense')[2])
        path = text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
        path = path if 'rel="next"' in text else ""
    assert seen[:2] == [True, False]


def test_39_taken_away_as_csv_without_formulas(sign_in: SignIn, engine: Engine) -> None:
    answer = admin(sign_in).post("/admin/audit/export", data={"as": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    (evil,) = (row for row in rows if row["act"] == "user.set")
    assert (evil["actor"], evil["subject"]) == ("'" + EVIL, "'@subject")
    assert json.loads(evil["after"]) == {"name": "new", "tags": ["a"]}
    assert acts(engine)[-1][1] == "audit.export"


def test_taken_away_as_lines_of_json(sign_in: SignIn) -> None:
    answer = admin(sign_in).post("/admin/audit/export", data={"as": "jsonl", "actor": "web:ann@"})
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {row["actor"] for row in rows} == {"web:ann@people.example"}
    assert rows[0]["after"]["name"] == "our.example"


def test_questions_do_not_grow_with_the_trail(sign_in: SignIn, engine: Engine) -> None:
    browser = admin(sign_in)
    browser.get("/admin/audit")
    with statements(engine) as few:
        browser.get("/admin/audit")
    with change(engine, by="test") as c:
        for number in range(200):
            c.note("user.set", f"user {number}", None, {"n": number})
    with statements(engine) as many:
        browser.get("/admin/audit")
    assert len(many) == len(few) <= 5

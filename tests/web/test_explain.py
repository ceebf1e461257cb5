"""What would become of a message, as a page: the same decisions as the mail path's, and nobody else's mailboxes."""

import io
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from smtpy.admin import aliases, automatics, domains, mailboxes, members
from smtpy.admin.change import change
from smtpy.config import Settings
from tests.dns import Zone
from tests.nameserver import Nameserver, silence
from tests.web.conftest import SignIn
from tests.web.test_domains import cost
from web import create_app
from web.forms.explain import MAX_MESSAGE

ANN, BEN = "ann@people.example", "ben@people.example"
MESSAGE = "From: a@sender.example\r\nSMTPy-Trace: forged\r\nSubject: <b>hello</b>\r\n\r\nbody\r\n"


@pytest.fixture
def settings(settings: Settings) -> Any:
    with Nameserver(Zone({"sender.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]}})) as server:
        plain = settings.model_dump() | {"dns_servers": [f"{server.host}:{server.port}"]}
        yield type(settings).model_validate(plain)


@pytest.fixture
def ann(engine: Engine, sign_in: SignIn) -> FlaskClient:
    """Ann owns ann.example, on which Ben has an alias; Ben owns ben.example, on which Ann has one."""
    client = sign_in(ANN)
    with change(engine, by="test", hostname="mx.our.example") as c:
        members.add(c, BEN)
        mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        mailboxes.add(c, "ben@secret.example", owner=BEN, verified=True)
        domains.add(c, "ann.example", owner=ANN)
        domains.add(c, "ben.example", owner=BEN)
        domains.add(c, "bare.example", owner=ANN, role_mailbox=None)
        aliases.add(c, "shop@ann.example", to=["ann@inbox.example"])
        aliases.add(c, "bens@ann.example", owner=BEN, to=["ben@secret.example"])
        aliases.add(c, "anns@ben.example", owner=ANN, to=["ann@inbox.example"])
        aliases.add(c, "trashed@ben.example", to=["ben@secret.example"])
        aliases.delete(c, "trashed@ben.example")
        automatics.catch_all(c, "ben.example", to=["ben@secret.example"])
    return client


def asked(browser: FlaskClient, to: str, **others: Any) -> str:
    data = {"sender": "s@sender.example", "recipients": to, "message": MESSAGE} | others
    answer = browser.post("/explain", data=data)
    assert answer.status_code == 200, answer.text
    return answer.text.partition('id="answer"')[2].partition("<h2>Ask again")[0]


def test_it_tells_answers_verdicts_and_plans(ann: FlaskClient) -> None:
    told = asked(ann, "shop@ann.example none@ann.example", client="198.51.100.1")
    for words in ("exact alias", "ann<wbr>@inbox.example", "550", "No such address here", "SRS0="):
        assert words in told, words
    assert "<del>- SMTPy-Trace: forged</del>" in told
    assert "<ins>+ Authentication-Results:" in told
    assert "<span>  Subject: &lt;b&gt;hello&lt;/b&gt;</span>" in told
    assert 'class="state good">pass' in told


@pytest.mark.parametrize(
    ("address", "mine"),
    [
        ("shop@ann.example", True),
        ("anns@ben.example", True),
        ("bens@ann.example", False),
        ("anything@ben.example", False),
        ("trashed@ben.example", False),
        ("postmaster@ann.example", True),
        ("postmaster@bare.example", False),
        ("postmaster@mx.our.example", False),
        ("x@elsewhere.example", False),
    ],
)
def test_of_what_is_not_theirs_members_hear_what_the_world_hears(ann: FlaskClient, address: str, mine: bool) -> None:
    told = asked(ann, address)
    assert ("what any sender would hear" in told) != mine
    assert "secret.example" not in told
    assert "postmaster<wbr>@inbox.example" not in told
    assert ("At the end of the message" in told) == mine
    assert "in the trash" not in told


def test_a_domain_that_is_not_proven_is_put_off(ann: FlaskClient) -> None:
    assert ann.post("/domains/add", data={"domain": "soon.example"}).status_code == 303
    told = asked(ann, "shop@soon.example")
    assert ("454" in told, "its DNS has not shown yet" in told) == (True, True)


def test_what_is_not_theirs_takes_no_part_in_the_plan(ann: FlaskClient) -> None:
    told = asked(ann, "shop@ann.example, bens@ann.example")
    assert told.count("At the end of the message") == 1
    assert "second pass" not in told
    assert "secret.example" not in told


def test_a_file_counts_before_what_is_pasted(ann: FlaskClient) -> None:
    told = asked(ann, "shop@ann.example", file=(io.BytesIO(b"Subject: of the file\r\n\r\n"), "a.eml"))
    assert "Subject: of the file" in told


@pytest.mark.parametrize(
    "wrong",
    [
        {"recipients": ""},
        {"recipients": " ".join(f"a{n}@ann.example" for n in range(11))},
        {"sender": "no address"},
        {"client": "300.1.1.1"},
        {"message": ""},
        {"message": "a" * (MAX_MESSAGE + 1)},
        {"helo": "h" * 300},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_cannot_be_explained_is_told_at_its_field(ann: FlaskClient, wrong: dict[str, str]) -> None:
    data = {"sender": "s@sender.example", "recipients": "shop@ann.example", "message": MESSAGE} | wrong
    answer = ann.post("/explain", data=data)
    assert (answer.status_code, 'class="error"' in answer.text) == (422, True)


@pytest.mark.parametrize("message", ["\0", "\ud800x", "no header", "From: a@b\r\n" * 500, ":\r\n\r\n"], ids=range(5))
def test_any_message_has_an_answer(ann: FlaskClient, message: str) -> None:
    octets = message.encode("utf-8", "surrogatepass")
    assert "shop<wbr>@ann.example" in asked(ann, "shop@ann.example", message="", file=(io.BytesIO(octets), "a"))


def test_slow_dns_is_waited_for_within_bounds(
    engine: Engine, settings: Settings, ann: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.explain.SECONDS", 0.5)
    with silence() as (host, port):
        slow = type(settings).model_validate(settings.model_dump() | {"dns_servers": [f"{host}:{port}"]})
        made = create_app(slow, engine)
        made.config.update(WTF_CSRF_ENABLED=False)
        browser = made.test_client()
        browser._cookies = ann._cookies  # type: ignore[attr-defined]  # the same one
        began = time.monotonic()
        told = asked(browser, "shop@ann.example", client="198.51.100.1")
    assert time.monotonic() - began < 3
    assert "temperror" in told


def test_nothing_is_recorded(ann: FlaskClient, engine: Engine) -> None:
    def counted() -> list[int]:
        with engine.connect() as connection:
            return [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
                for table in ("journal", "audit", "return_tokens", "journal_recipients")
            ]

    before = counted()
    asked(ann, "shop@ann.example")
    assert counted() == before


def test_it_takes_few_statements(ann: FlaskClient, engine: Engine) -> None:
    """Of each recipient the mail path's own, twice, and two of whose it is."""

    def counted(to: str) -> int:
        return cost(engine, lambda: ann.post("/explain", data={"recipients": to, "message": MESSAGE}))

    assert counted("shop@ann.example") <= 20
    assert counted(" ".join(f"a{n}@ann.example" for n in range(10))) <= 90


def test_an_address_can_be_brought_along(ann: FlaskClient) -> None:
    assert 'value="shop@ann.example"' in ann.get("/explain?to=shop@ann.example").text

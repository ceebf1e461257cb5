"""The first hour, from nothing to a letter that is seen to arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from smtpy.admin import aliases, domains, mailboxes
from smtpy.admin.change import change as acting
from smtpy.admin.change import reading
from smtpy.config import Settings
from smtpy.store.rows import Delivery, Entry, write
from smtpy.store.schema import User
from tests.dns import Zone
from tests.nameserver import Nameserver
from tests.web.accounts import ANN, Letters, enter
from tests.web.conftest import SignIn
from tests.web.test_domains import cost
from tests.worker.published import published

HOST = "mx.our.example"


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver(Zone({HOST: {"A": ["198.51.100.25"]}})) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, nameserver: Nameserver) -> Settings:
    server = f"{nameserver.host}:{nameserver.port}"
    return type(settings).model_validate(settings.model_dump() | {"check_resolvers": [server], "dns_servers": [server]})


@pytest.fixture
def browser(sign_in: SignIn) -> FlaskClient:
    return sign_in(ANN)


def at(engine: Engine) -> str:
    """Where Ann is."""
    with Session(engine) as session:
        return session.scalars(select(User.welcome).where(User.email == ANN)).one()


def change(engine: Engine, **values: Any) -> None:
    with Session(engine) as session, session.begin():
        for name, value in values.items():
            setattr(session.scalars(select(User).where(User.email == ANN)).one(), name, value)


def test_whoever_signs_in_for_the_first_time_is_led_to_it(client: FlaskClient, engine: Engine, ann: str) -> None:
    change(engine, welcome="")
    assert enter(client).headers["Location"] == "/welcome"
    assert client.get("/welcome").headers["Location"] == "/welcome/domain"
    assert enter(client, next="/domains").headers["Location"] == "/domains"
    client.post("/welcome/dismiss")
    assert at(engine) == "dismissed"
    assert enter(client).headers["Location"] == "/"


def test_the_whole_hour(
    browser: FlaskClient, engine: Engine, settings: Settings, nameserver: Nameserver, letters: Letters
) -> None:
    assert browser.post("/welcome/domain", data={"domain": "https://new.example"}).headers["Location"] == "/welcome/dns"
    assert at(engine) == "dns"
    waiting = browser.get("/welcome/dns").text
    assert "0 of 5 required records are right" in waiting
    assert 'again="15"' in waiting
    nameserver.zone.names |= published(engine, settings, "new.example")
    domain = waiting.partition("/domains/")[2].partition("/")[0]
    checked = browser.post(f"/domains/{domain}/check", data={"next": "/welcome/dns"})
    assert checked.headers["Location"] == "/welcome/dns"
    part = browser.get("/welcome/dns", headers={"X-Part": "1"}).text
    assert "data-final" in part
    assert "<html" not in part

    browser.post("/welcome/go", data={"to": "mailbox"})
    assert browser.get("/welcome").headers["Location"] == "/welcome/mailbox"
    browser.post("/welcome/mailbox", data={"address": "ann@inbox.example"})
    assert "A letter went to" in browser.get("/welcome/mailbox").text
    letters.to("ann@inbox.example")
    browser.post("/welcome/mailbox", data={"again": "1"})
    browser.post(letters.link_to("ann@inbox.example"))
    assert "data-final" in browser.get("/welcome/mailbox", headers={"X-Part": "1"}).text

    made = browser.post("/welcome/alias", data={"local": "shop", "note": "the shop"})
    assert made.headers["Location"] == "/welcome/test"
    assert browser.post("/welcome/test").headers["Location"] == "/welcome/test?sent=1"
    assert "shop@new.example" in letters.to("shop@new.example").get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Nothing has come to it yet" in browser.get("/welcome/test?sent=1").text
    arrive(engine, "shop@new.example")
    assert "Step by step" in browser.get("/welcome/test", headers={"X-Part": "1"}).text
    assert browser.post("/welcome/go", data={"to": "done"}).headers["Location"] == "/"
    assert at(engine) == "done"


def test_it_begins_with_what_is_lacking(browser: FlaskClient, engine: Engine) -> None:
    change(engine, welcome="")
    browser.post("/mailboxes/new", data={"address": "ann@inbox.example"})
    browser.post("/domains/add", data={"domain": "new.example"})
    assert browser.get("/welcome").headers["Location"] == "/welcome/dns"


def test_a_test_mail_goes_to_an_alias_that_is_on(browser: FlaskClient, engine: Engine) -> None:
    browser.post("/welcome/domain", data={"domain": "new.example"})
    with acting(engine, by="test") as c:
        mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        for name in ("shop", "gone"):
            aliases.add(c, f"{name}@new.example", to=["ann@inbox.example"])
        aliases.off(c, "gone@new.example")
    assert "shop@new.example" in browser.get("/welcome/test").text


def arrive(engine: Engine, address: str) -> None:
    """A message in the journal, as the milter writes it."""
    with reading(engine) as session:
        alias = aliases.show(session, address)
    delivery = Delivery(address, address, alias.id, "forward", ("ann@inbox.example",), "exact alias")
    entry = Entry(
        *(str(uuid4()), datetime.now(UTC), "front", "4F2x", None, "127.0.0.1", f"smtpy@{HOST}"),
        *("<1@mx.our.example>", 1000, "accept", "exact alias", 900, (delivery,)),
    )
    with engine.begin() as connection:
        write(connection, [entry])


def test_the_accounts_own_address_needs_no_letter(browser: FlaskClient, engine: Engine) -> None:
    change(engine, verified_at=datetime.now(UTC))
    assert browser.post("/welcome/mailbox", data={"address": ANN.upper()}).headers["Location"] == "/welcome/alias"
    with reading(engine) as session:
        assert mailboxes.page(session)[0].verified_at is not None


def test_an_address_that_was_not_shown_does(browser: FlaskClient, engine: Engine, letters: Letters) -> None:
    assert browser.post("/welcome/mailbox", data={"address": ANN}).headers["Location"] == "/welcome/mailbox"
    with reading(engine) as session:
        assert mailboxes.page(session)[0].verified_at is None


@pytest.mark.parametrize("step", ["domain", "mailbox", "alias", "test"])
def test_every_step_stands_by_itself(browser: FlaskClient, step: str) -> None:
    """Back and forth, with nothing done yet."""
    assert browser.get(f"/welcome/{step}").status_code == 200


def test_dns_needs_a_domain(browser: FlaskClient) -> None:
    assert browser.get("/welcome/dns").headers["Location"] == "/welcome/domain"
    assert browser.post("/welcome/alias", data={"local": "x"}).headers["Location"] == "/welcome/domain"


def test_no_letter_leaves_for_a_domain_that_is_not_proven(
    browser: FlaskClient, engine: Engine, letters: Letters
) -> None:
    """It would go to whoever has the domain's mail now."""
    change(engine, verified_at=datetime.now(UTC))
    browser.post("/welcome/domain", data={"domain": "new.example"})
    browser.post("/welcome/mailbox", data={"address": ANN})
    browser.post("/welcome/alias", data={"local": "shop"})
    assert "still waits for its DNS" in browser.get("/welcome/test").text
    assert browser.post("/welcome/test").status_code == 409
    assert not letters.inbox.deliveries


def test_a_mail_server_that_is_away_is_told(browser: FlaskClient, engine: Engine) -> None:
    change(engine, verified_at=datetime.now(UTC))
    browser.post("/welcome/domain", data={"domain": "new.example"})
    browser.post("/welcome/mailbox", data={"address": ANN})
    browser.post("/welcome/alias", data={"local": "shop"})
    from smtpy.admin.change import change as changing

    with changing(engine, by="test") as c:
        domains.on(c, "new.example")
    answer = browser.post("/welcome/test", follow_redirects=True)
    assert "does not take mail now" in answer.text


def test_what_is_wrong_is_told_at_its_field(browser: FlaskClient) -> None:
    for step, data in (("domain", {"domain": "a b"}), ("mailbox", {"address": "nobody"})):
        answer = browser.post(f"/welcome/{step}", data=data)
        assert (answer.status_code, 'class="error"' in answer.text) == (422, True), step
    assert browser.post("/welcome/go", data={"to": "elsewhere"}).status_code == 400


def test_a_step_takes_few_statements(browser: FlaskClient, engine: Engine) -> None:
    change(engine, verified_at=datetime.now(UTC))
    browser.post("/welcome/domain", data={"domain": "new.example"})
    browser.post("/welcome/mailbox", data={"address": ANN})
    browser.post("/welcome/alias", data={"local": "shop"})
    arrive(engine, "shop@new.example")
    browser.get("/welcome/test")
    assert cost(engine, lambda: browser.get("/welcome/test")) <= 24

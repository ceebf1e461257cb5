"""The pages of domains, on the real application and a real name server."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smtpy.admin import aliases, automatics, domains, keys, mailboxes
from smtpy.admin.change import change, reading
from smtpy.config import Settings
from smtpy.store.schema import Audit
from smtpy.terms import vault_of
from tests.dns import Zone
from tests.nameserver import Nameserver, silence
from tests.queries import statements
from tests.web.conftest import SignIn
from tests.web.forms import forms
from tests.worker.published import published
from web import checking, create_app
from web.pages.domains.names import name_in

ANN, BEN = "ann@people.example", "ben@people.example"
HOST = "mx.our.example"


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver(Zone({HOST: {"A": ["198.51.100.25"]}})) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, nameserver: Nameserver) -> Settings:
    """Those of the tests, with our name server."""
    server = f"{nameserver.host}:{nameserver.port}"
    plain = settings.model_dump()
    return type(settings).model_validate(plain | {"check_resolvers": [server], "dns_servers": [server]})


@pytest.fixture
def ann(sign_in: SignIn) -> FlaskClient:
    return sign_in(ANN)


@pytest.fixture
def home(ann: FlaskClient, engine: Engine, settings: Settings) -> str:
    """ann.example, set up by an operator; its UUID."""
    with change(engine, by="test", hostname=HOST, vault=vault_of(settings)) as c:
        mailboxes.add(c, "ann@inbox.example", owner=ANN, verified=True)
        made = domains.add(c, "ann.example", owner=ANN)
        aliases.add(c, "shop@ann.example", to=["ann@inbox.example"])
    return made.uuid


def added(client: FlaskClient, text: str) -> str:
    """Add a domain by the page; its UUID."""
    answer = client.post("/domains/add", data={"domain": text})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rpartition("/")[2]


def seen(engine: Engine, uuid: str) -> Any:
    with reading(engine) as session:
        return domains.show(session, uuid)


def cost(engine: Engine, ask: Any) -> int:
    """How many statements an answer takes."""
    with statements(engine) as seen:
        assert ask().status_code == 200
    return len([each for each in seen if not each.startswith("PRAGMA")])


def test_nothing_yet_says_what_to_do(ann: FlaskClient) -> None:
    page = ann.get("/domains").text
    assert "Add your first domain" in page


@pytest.mark.parametrize(
    ("pasted", "name"),
    [
        ("new.example", "new.example"),
        (" NEW.example. ", "NEW.example"),
        ("https://www.new.example/shop?x=1", "new.example"),
        ("http://user@new.example:8080/", "new.example"),
        ("//new.example/a", "new.example"),
        ("me@new.example", "new.example"),
        ("www.example", "www.example"),
        ("new.example/", "new.example"),
        ("https://[broken", "https://[broken"),
    ],
)
def test_a_name_or_a_link_is_read(pasted: str, name: str) -> None:
    assert name_in(pasted) == name


def test_what_a_member_adds_waits_and_is_switched_on_by_its_dns(
    ann: FlaskClient, engine: Engine, settings: Settings, nameserver: Nameserver
) -> None:
    uuid = added(ann, "https://new.example/")
    assert (seen(engine, uuid).enabled, seen(engine, uuid).proven_at) == (False, None)
    page = ann.get(f"/domains/{uuid}").text
    assert "waits for proof that it is yours" in page
    assert f"smtpy-verification={uuid}" in page
    assert 'data-copy="_smtpy"' in page
    assert 'data-copy="_smtpy.new.example"' in page
    nameserver.zone.names |= published(engine, settings, "new.example")
    answer = ann.post(f"/domains/{uuid}/check", follow_redirects=True)
    assert "The domain is yours" in answer.text
    assert "All that is required is right" in answer.text
    assert seen(engine, uuid).enabled
    with Session(engine) as session:
        acts = {row.act: row.actor for row in session.query(Audit)}
    assert acts["domain.prove"] == acts["key.use"] == f"web:{ANN}"


def test_what_is_found_stands_beside_what_is_expected(
    ann: FlaskClient, engine: Engine, home: str, nameserver: Nameserver
) -> None:
    nameserver.zone.names |= {
        "ann.example": {"MX": [(10, "mail.<b>evil</b>.example")], "TXT": ['v=spf1 "><svg onload=alert(1)> -all']},
        "_smtpy.ann.example": {"TXT": ["smtpy-verification=other"]},
    }
    page = ann.post(f"/domains/{home}/check", follow_redirects=True).text
    assert "v=spf1 &#34;&gt;&lt;svg onload=alert(1)&gt; -all" in page
    assert "<svg onload" not in page
    assert "It is of another service, or of an earlier try." in page


def test_a_page_that_looks_by_itself_is_not_kept_waiting(
    ann: FlaskClient, home: str, settings: Settings, engine: Engine, sign_in: SignIn
) -> None:
    with silence() as (host, port):
        slow = type(settings).model_validate(settings.model_dump() | {"check_resolvers": [f"{host}:{port}"]})
        app = create_app(slow, engine)
        app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
        client = app.test_client()
        client._cookies = ann._cookies  # type: ignore[attr-defined]  # the same browser
        began = time.monotonic()
        answer = client.post(f"/domains/{home}/check", headers={"X-Part": "1"})
        assert time.monotonic() - began < 1
        assert "Asking DNS" in answer.text
        assert "data-final" not in answer.text
        assert "Asking DNS" in client.get(f"/domains/{home}/records").text
        began = time.monotonic()
        answer = client.post(f"/domains/{home}/check")
        assert time.monotonic() - began < checking.WAIT_SECONDS + 1.5
        assert answer.status_code == 303


def test_the_part_ends_when_the_check_has(ann: FlaskClient, home: str) -> None:
    assert "data-final" in ann.get(f"/domains/{home}/records").text


def test_36_dns_checks_are_bounded(
    app: Flask, ann: FlaskClient, home: str, nameserver: Nameserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of letters, digits and hyphens and few labels; our resolver; bounded time and questions; 6 a minute."""
    for name in ("a_b.example", "-a.example", ".".join("abcdefghijk"), "192.0.2.1", "[192.0.2.1]", "a..example", "x"):
        answer = ann.post("/domains/add", data={"domain": name})
        assert answer.status_code == 422, name
    assert "xn--bcher-kva.example" in ann.get(f"/domains/{added(ann, 'bücher.example')}").text
    nameserver.zone.names |= {"ann.example": {"CNAME": ["b.example"]}, "b.example": {"CNAME": ["ann.example"]}}
    asked = len(nameserver.asked)
    assert ann.post(f"/domains/{home}/check").status_code == 303
    assert asked < len(nameserver.asked) < asked + 2 * 62
    assert checking.SECONDS == 5.0
    from web.limits import limiter

    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()
    codes = [ann.post(f"/domains/{home}/check", headers={"X-Part": "1"}).status_code for _ in range(8)]
    limiter.reset()
    assert (codes[:6], codes[6:]) == ([200] * 6, [429] * 2)


def test_the_provider_is_told_by_its_name_servers(ann: FlaskClient, nameserver: Nameserver) -> None:
    nameserver.zone.names |= {"new.example": {"NS": ["amy.ns.cloudflare.com"]}}
    page = ann.get(f"/domains/{added(ann, 'sub.new.example')}").text
    assert "<strong>Cloudflare</strong>" in page


def test_all_records_as_a_file(ann: FlaskClient, home: str) -> None:
    zone = ann.get(f"/domains/{home}/zone.txt")
    assert 'ann.example. 3600 IN TXT "v=spf1 mx -all"' in zone.text
    assert zone.headers["Content-Disposition"] == 'attachment; filename="ann.example.txt"'
    found = json.loads(ann.get(f"/domains/{home}/zone.json").text)
    assert found[0]["name"] == "_smtpy.ann.example"
    assert ann.get(f"/domains/{home}/zone.exe").status_code == 404


def test_the_list_says_how_each_is_and_takes_few_statements(
    ann: FlaskClient, engine: Engine, settings: Settings, home: str
) -> None:
    ann.get("/domains")
    few = cost(engine, lambda: ann.get("/domains"))
    with change(engine, by="test", vault=None) as c:
        for number in range(60):
            domains.add(c, f"d{number}.example", owner=ANN)
    page = ann.get("/domains")
    assert "ann.example" in page.text
    assert "1 alias" in page.text
    assert 'rel="next"' in page.text
    assert cost(engine, lambda: ann.get("/domains")) == few <= 7
    after = page.text.partition("after=")[2].partition('"')[0]
    assert "d55.example" in ann.get(f"/domains?after={after}").text


def test_the_pages_of_a_domain_take_few_statements(ann: FlaskClient, engine: Engine, home: str) -> None:
    ann.post(f"/domains/{home}/check")
    assert cost(engine, lambda: ann.get(f"/domains/{home}")) <= 12
    assert cost(engine, lambda: ann.get(f"/domains/{home}/records")) <= 10
    assert cost(engine, lambda: ann.get(f"/domains/{home}/keys")) <= 8


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a?){100}a{100}", "((a{50}){50}){50}"])
def test_38_no_pattern_takes_long(ann: FlaskClient, home: str, pattern: str) -> None:
    began = time.thread_time()
    given = {"pattern": pattern, "names": "a" * 64 + "!"}
    assert ann.get(f"/domains/{home}/rules", query_string=given).status_code == 200
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("text", ["\u0440\u0430\u0443\u0440\u0430l.example", "b\u00fccher.example"])
def test_40_a_domain_is_shown_as_dns_has_it(ann: FlaskClient, text: str) -> None:
    page = ann.get(f"/domains/{added(ann, text)}").text
    assert "<h1>xn--" in page.replace("\n", "")
    assert not re.search("[\u0400-\u04ff\u00fc]", page)


def test_rules_are_added_tried_deleted_and_had_back(ann: FlaskClient, engine: Engine, home: str) -> None:
    with reading(engine) as session:
        box = mailboxes.page(session)[0].uuid
    rules = f"/domains/{home}/rules"
    assert ann.post(rules, data={"pattern": "shop-[a-z]+", "to": box}).status_code == 303
    wrong = ann.post(rules, data={"pattern": "(", "to": box})
    assert (wrong.status_code, "not RE2" in wrong.text) == (422, True)
    assert ann.post(rules, data={"pattern": "x"}).status_code == 422
    tried = ann.get(f"{rules}?names=shop-lamp,Info&pattern=info").text
    assert tried.count('class="state good">fits') == 1
    assert "<code>shop-[a-z]+</code>" in tried.partition('id="tried"')[2]
    assert "no rule takes it" in tried
    assert "not RE2" in ann.get(f"{rules}?names=a&pattern=(").text
    with reading(engine) as session:
        rule = automatics.page(session, home)[0].uuid
    gone = ann.post(f"{rules}/{rule}/delete", follow_redirects=True).text
    assert "The rule is gone." in gone
    ann.post(f"{rules}/restore", data={"pattern": "shop-[a-z]+", "to": "ann@inbox.example"})
    with reading(engine) as session:
        assert [each.pattern for each in automatics.page(session, home)] == ["shop-[a-z]+"]


def test_the_catch_all_goes_on_and_off(ann: FlaskClient, engine: Engine, home: str) -> None:
    with reading(engine) as session:
        box = mailboxes.page(session)[0].uuid
    at = f"/domains/{home}/rules/catch-all"
    assert ann.post(at).status_code == 422
    assert "Every address works" in ann.post(at, data={"to": box}, follow_redirects=True).text
    assert "Only known addresses work" in ann.post(at, data={"off": "1"}, follow_redirects=True).text


def test_a_rule_of_another_domain_is_not_found(ann: FlaskClient, engine: Engine, home: str) -> None:
    with change(engine, by="test") as c:
        second = domains.add(c, "second.example", owner=ANN)
        rule = automatics.add(c, "ann.example", "x", to=["ann@inbox.example"])
    assert ann.post(f"/domains/{second.uuid}/rules/{rule.uuid}/delete").status_code == 404


def test_keys_are_made_used_and_retired(ann: FlaskClient, engine: Engine, home: str) -> None:
    at = f"/domains/{home}/keys"
    assert "A pair waits" in ann.get(at).text
    assert ann.post(f"{at}/rotate").status_code == 409
    assert ann.post(f"{at}/use").status_code == 422
    assert ann.post(f"{at}/use", data={"sure": "y"}).status_code == 303
    assert ann.post(f"{at}/rotate").status_code == 303
    with reading(engine) as session:
        pairs = keys.of_domain(session, home)
    assert [each.state for each in pairs] == ["waiting", "waiting", "used", "used"]
    only = next(each for each in pairs if each.state == "used" and each.algorithm == "rsa-sha256")
    assert ann.post(f"{at}/{only.uuid}/retire").status_code == 409
    spare = next(each for each in pairs if each.state == "used" and each.algorithm != "rsa-sha256")
    assert ann.post(f"{at}/{spare.uuid}/retire").status_code == 303
    with reading(engine) as session:
        assert [each.state for each in keys.of_domain(session, home)][-2:].count("retired") == 1


def test_what_is_dangerous_takes_a_password(sign_in: SignIn, home: str) -> None:
    stale = sign_in(ANN, sudo=False)
    for path in ("keys/rotate", "keys/use", "trash"):
        answer = stale.post(f"/domains/{home}/{path}")
        assert answer.headers["Location"].startswith("/auth/confirm"), path


def test_settings_in_plain_words(ann: FlaskClient, engine: Engine, home: str) -> None:
    at = f"/domains/{home}/settings"
    assert "Refuse it: the sender is told" in ann.get(at).text
    chosen = {"role_mailbox": "", "extension_separator": "-", "max_megabytes": "10", "when_off": "drop"}
    chosen |= {"on_reject": "hold", "on_quarantine": "deliver"}
    assert ann.post(at, data=chosen).status_code == 303
    view = seen(engine, home)
    assert (view.role_mailbox, view.extension_separator, view.max_message_bytes) == (None, "-", 10_000_000)
    assert (view.when_off, view.on_reject, view.on_quarantine) == ("drop", "hold", "deliver")
    assert ann.post(at, data=chosen | {"on_reject": "burn"}).status_code == 422
    assert ann.post(at, data=chosen | {"max_megabytes": "0"}).status_code == 422


def test_settings_that_another_tab_has_changed_are_not_undone_unasked(
    ann: FlaskClient, engine: Engine, home: str
) -> None:
    at = f"/domains/{home}/settings"
    first, second = (
        next(each.fields for each in forms(ann.get(at).text) if "on_reject" in each.fields) for _tab in range(2)
    )
    assert ann.post(at, data=first | {"on_reject": "hold"}).status_code == 303
    answer = ann.post(at, data=second | {"when_off": "drop"})
    assert answer.status_code == 409
    assert "<dd>Hold it until an operator decides</dd>" in answer.text
    assert seen(engine, home).when_off != "drop"
    again = next(each.fields for each in forms(answer.text) if "on_reject" in each.fields)
    assert ann.post(at, data=again).status_code == 303
    assert (seen(engine, home).when_off, seen(engine, home).on_reject) == ("drop", second["on_reject"])


def test_the_switch_and_the_trash_have_a_way_back(ann: FlaskClient, engine: Engine, home: str) -> None:
    off = ann.post(f"/domains/{home}/switch", data={"to": "off"}, follow_redirects=True)
    assert "Undo" in off.text
    assert not seen(engine, home).enabled
    ann.post(f"/domains/{home}/switch", data={"to": "on"})
    assert seen(engine, home).enabled
    assert ann.post(f"/domains/{home}/trash", data={"name": "ann.exampel"}).status_code == 422
    assert ann.post(f"/domains/{home}/trash", data={"name": " Ann.Example "}).status_code == 303
    assert "Restore it" in ann.get(f"/domains/{home}").text
    assert "ann.example" not in ann.get("/domains").text.partition("<main")[2]
    assert "ann.example" in ann.get("/domains?trash=1").text
    ann.post(f"/domains/{home}/restore")
    assert seen(engine, home).deleted_at is None


def test_an_unproven_domain_cannot_be_switched_on_by_its_member(ann: FlaskClient, engine: Engine) -> None:
    uuid = added(ann, "new.example")
    assert ann.post(f"/domains/{uuid}/switch", data={"to": "on"}).status_code == 422
    assert not seen(engine, uuid).enabled


def test_a_name_that_somebody_has_is_told_with_a_way_out(ann: FlaskClient, sign_in: SignIn) -> None:
    added(ann, "new.example")
    answer = sign_in(BEN).post("/domains/add", data={"domain": "new.example"})
    assert (answer.status_code, "ask the operator, or add it after" in answer.text) == (422, True)
    assert ANN not in answer.text

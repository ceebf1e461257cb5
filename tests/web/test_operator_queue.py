"""The queue page on real Postfix, by way of the helper; and without one."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from smtpy.config import Settings, load
from smtpy.store.engine import open_engine
from tests.stand import Stand
from tests.waiting import until
from tests.web.conftest import ORIGIN, SignIn
from tests.web.operators import ROOT, acts, admin


@pytest.fixture(scope="module")
def house() -> Iterator[Stand]:
    """A whole SMTPy with its helper, whose mail gets no further than the queue."""
    lines = ("default_transport = smtp:[127.0.0.1]:1", "relayhost =", "smtp_dns_support_level = disabled",
             "smtp_host_lookup = native", "smtp_tls_security_level = none")  # fmt: skip
    one = Stand(postfix=lines)
    try:
        one.open()
        one.start("queue")
        one.declare("sales@our.example", "ann@inbox.example")
        yield one
    finally:
        one.close()


class OnPostfix:
    """The pages of `app`, on the stand's settings and database."""

    @pytest.fixture
    def settings(self, house: Stand) -> Settings:
        return load(None, {**house.environ, "SMTPY_WEB_ORIGIN": ORIGIN})

    @pytest.fixture
    def engine(self, settings: Settings) -> Iterator[Engine]:
        opened = open_engine(settings.database_url)
        yield opened
        opened.dispose()


def send(house: Stand, sender: str = "bob@sender.example") -> str:
    """A message that waits; its queue id."""
    answers = house.send(sender, ["sales@our.example"], b"Subject: Hello <you>\r\n\r\nhush\r\n", client="127.0.0.1")
    name = str(answers.data).rpartition(" ")[2]
    until(lambda: queue_of(house, name) == "deferred", "deferred")
    return name


def queue_of(house: Stand, name: str) -> str:
    return next((each["queue_name"] for each in house.queue() if each["queue_id"] == name), "")


class TestQueue(OnPostfix):
    def test_what_waits_is_shown_with_reason_age_and_state(self, house: Stand, sign_in: SignIn) -> None:
        name = send(house)
        text = admin(sign_in).get("/admin/queue").text
        assert f"<code>{name}</code>" in text
        assert "Connection refused" in text
        assert '<span class="state warn">Waiting</span>' in text
        assert 'role="img" aria-label="Messages by age, up to"' in text
        assert re.search(r'<th scope="row">5 min</th><td class="num">\d+</td>', text)  # the chart's twin

    def test_what_is_looked_for(self, house: Stand, sign_in: SignIn) -> None:
        name = send(house, "someone.else@elsewhere.example")
        browser = admin(sign_in)
        assert name in browser.get("/admin/queue?about=ELSEWHERE.example%3Dsomeone").text
        assert name not in browser.get("/admin/queue?queue=hold").text
        assert "Nothing matches" in browser.get("/admin/queue?about=nobody@at.all").text
        assert browser.get("/admin/queue?after=1-x").status_code == 422

    def test_a_message_without_its_body(self, house: Stand, sign_in: SignIn) -> None:
        text = admin(sign_in).get(f"/admin/queue/{send(house)}").text
        assert "Hello &lt;you&gt;" in text
        assert "ann<wbr>@inbox.example" in text
        assert "Connection refused" in text
        assert "hush" not in text

    def test_hold_release_try_and_delete(self, house: Stand, sign_in: SignIn, engine: Engine) -> None:
        name, browser = send(house), admin(sign_in)
        assert post(browser, one=f"hold {name}") == "1 message is on hold."
        assert queue_of(house, name) == "hold"
        assert post(browser, one=f"hold {name}") == "1 had left the queue, or was so already."
        assert post(browser, one=f"release {name}") == "1 message was released."
        until(lambda: queue_of(house, name) == "deferred", "deferred again")
        assert post(browser, one=f"retry {name}") == "1 message is being tried."
        assert post(browser, act="flush") == "Everything that waits is being tried now."
        until(lambda: queue_of(house, name) == "deferred", "deferred again")
        asked = browser.post("/admin/queue", data={"one": f"delete {name}"})
        assert "Delete mail for good?" in asked.text
        assert queue_of(house, name)
        assert post(browser, act="delete", sure="1", id=name) == "1 message was deleted."
        assert not queue_of(house, name)
        done = [act for who, act, subject in acts(engine) if who == f"web:{ROOT}" and subject == f"message {name}"]
        assert done == ["queue.hold", "queue.release", "queue.retry", "queue.delete"]

    def test_many_at_once(self, house: Stand, sign_in: SignIn) -> None:
        names, browser = [send(house), send(house)], admin(sign_in)
        assert post(browser, act="hold", id=names) == "2 messages are on hold."
        assert [queue_of(house, name) for name in names] == ["hold", "hold"]
        assert post(browser, act="hold") == "Choose messages first."
        assert post(browser, act="delete", sure="1", id=[*names, "ALL"]).startswith("2 messages were deleted.")

    @pytest.mark.parametrize("name", ["ALL", "-", "XXXXXXXX", "%2e%2e", "4jb9zj3lS3zJbRW;id"])
    def test_what_is_no_message(self, house: Stand, sign_in: SignIn, name: str) -> None:
        before = len(house.queue())
        browser = admin(sign_in)
        assert browser.get(f"/admin/queue/{name}").status_code in (404, 422)
        browser.post("/admin/queue", data={"act": "delete", "sure": "1", "id": name})
        assert len(house.queue()) == before


def post(browser: FlaskClient, **form: object) -> str:
    """Act, and what is said of it."""
    answer = browser.post("/admin/queue", data=form, follow_redirects=True)
    assert answer.status_code == 200
    return " ".join(re.findall(r'<div class="toast [^"]*"><p>([^<]*)</p>', answer.text))


def test_without_the_helper_the_page_says_how_to_start_it(sign_in: SignIn) -> None:
    text = admin(sign_in).get("/admin/queue").text
    assert "The queue cannot be shown." in text
    assert "start <code>smtpy queue serve</code> as root" in text


@pytest.mark.parametrize("path", ["/admin/queue", "/admin/queue/ABCDEF12"])
def test_it_is_there_for_administrators_only(app: Flask, sign_in: SignIn, path: str) -> None:
    assert sign_in().get(path).status_code == 404
    assert app.test_client().get(path).status_code == 303

"""What people and strangers write stays text (37, 41, 42): in every field of every table, on every page."""

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from sqlalchemy import JSON, Engine, Enum, String, Table, Text, select, update

from smtpy.admin.read import TURNING
from smtpy.store.columns import Base
from tests.web.routes import some
from tests.web.test_access import some_url
from tests.web.world import World, rightful

LINE = 4000  # octets that gunicorn takes of a request's line: no question comes that is longer
PAYLOADS = (
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    "</textarea></title><script>alert(1)</script>",
    "{{7*191}}${7*191}javascript:alert(1)",
)
# Not written by anybody: ids, digests, choices of ours, and addresses, which are parsed before they are kept.
LEFT_OUT = {
    *("uuid", "digest", "tail", "stage", "verdict", "decision", "kind", "status", "parent", "language", "welcome"),
    *("key", "email", "address", "domain", "subject", "name", "local", "selector", "pattern", "level", "password"),
    "extension_separator",
}
BUT_NAMES_OF = ("users", "tags", "passkeys", "api_keys")  # people choose these


class Page(HTMLParser):
    """Notes what no page of ours has."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name.startswith("on") or (name in ("href", "src", "action") and (value or "").startswith("javascript:")):
                self.wrong.append(f"<{tag} {name}={value}>")
        names = dict(attrs)
        if (tag == "script" and not names.get("src")) or (tag == "img" and names.get("src") == "x"):
            self.wrong.append(f"<{tag}>")


def columns() -> Iterator[tuple[Table, str]]:
    """Those that hold what somebody wrote; new ones by themselves."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            free = column.name not in LEFT_OUT or (column.name == "name" and table.name in BUT_NAMES_OF)
            text = (
                isinstance(column.type, (String, Text))
                and not column.foreign_keys
                and not isinstance(column.type, Enum)
            )
            if free and (text or isinstance(column.type, JSON)):
                yield table, column.name


def spoil(engine: Engine, payload: str) -> int:
    """Put it wherever it fits; into how many columns."""
    done = 0
    with engine.begin() as connection:
        for table, name in columns():
            column = table.c[name]
            value: object = payload[: getattr(column.type, "length", None) or 1000]
            if isinstance(column.type, JSON):
                held = connection.scalar(select(column).where(column.is_not(None)).limit(1))
                if table.name == "web_sessions" or not isinstance(held, list):
                    continue
                value = [payload]
            done += connection.execute(update(table).where(column.is_not(None)).values({name: value})).rowcount > 0
    return done


@pytest.mark.parametrize("payload", PAYLOADS)
def test_42_whatever_is_kept_is_shown_as_text(world: World, payload: str) -> None:
    assert spoil(world.engine, payload) >= 12
    shown = 0
    for route in some(write=False):
        answer = world.as_(rightful(route)).get(some_url(route, world))
        assert answer.status_code != 500, (str(route), answer.text)
        if answer.mimetype == "text/html":
            page = Page()
            page.feed(answer.text)
            assert page.wrong == [], str(route)
            shown += "191}}" in answer.text if "{{" in payload else "&lt;" in answer.text
            assert str(7 * 191) not in answer.text
    assert shown, "no page showed it: this test looks at nothing"


TURNED = "\u202e\u2066\u200f\u05d0 payload"


def test_40_nothing_that_is_kept_turns_a_page_round(world: World) -> None:
    """Refused where it is written; here it is in the database, as what strangers write is."""
    assert spoil(world.engine, TURNED) >= 12
    shown = 0
    for route in some(write=False):
        answer = world.as_(rightful(route)).get(some_url(route, world))
        if answer.mimetype == "text/html":
            assert TURNING.search(answer.text) is None, str(route)
            shown += "\ufffd\ufffd\ufffd\u05d0 payload" in answer.text
    assert shown > 3


@pytest.mark.parametrize("payload", PAYLOADS)
def test_42_what_is_asked_for_is_shown_as_text(world: World, payload: str) -> None:
    names = ("q", "about", "search", "tag", "domain", "state", "next", "after", "before", "kind", "actor", "address")
    for route in some(write=False):
        client = world.as_(rightful(route))
        answer = client.get(some_url(route, world), query_string=dict.fromkeys(names, payload))
        assert answer.status_code != 500, (str(route), answer.text)
        if answer.mimetype == "text/html":
            page = Page()
            page.feed(answer.text)
            assert page.wrong == [], str(route)


@pytest.mark.parametrize(
    "payload",
    [
        "\0",
        "a\r\nBcc: all@people.example",
        "\ud800",
        "\u202e",
        "x" * 100_000,
        "%00",
        "💥",
        "9" * 25,
        "-1",
        "9999-12-31",
    ],
)
def test_37_no_input_makes_a_defect_of_ours(world: World, payload: str) -> None:
    """Control characters, half characters, lengths: refused or kept, never a 500, never a header."""
    names = (
        *(
            "q",
            "about",
            "search",
            "tag",
            "domain",
            "state",
            "next",
            "after",
            "before",
            "name",
            "note",
            "email",
            "password",
        ),
        *(
            "address",
            "local",
            "to",
            "mailbox",
            "mailboxes",
            "tags",
            "display_name",
            "pattern",
            "text",
            "code",
            "when_off",
        ),
        *(
            "expires_at",
            "expires",
            "selector",
            "act",
            "action",
            "ids",
            "level",
            "shown_from",
            "shown_until",
            "sender",
            "since",
            "until",
        ),
    )
    form = dict.fromkeys(names, payload.encode("utf-8", "surrogatepass"))
    for route in some():
        client, target = world.as_(rightful(route)), some_url(route, world)
        if route.is_write:
            body = {
                name: value.decode("utf-8", "replace") if payload != "\ud800" else "\ufffd"
                for name, value in form.items()
            }
            answer = client.open(target, method=route.method, data=body)
        else:
            text = payload.encode("utf-8", "replace").decode()[:LINE]
            answer = client.get(target, query_string=dict.fromkeys(names, text))
        assert answer.status_code != 500, (str(route), answer.text[:2000])
        assert "Bcc" not in answer.headers


@pytest.mark.parametrize(
    "url", ["/aliases?tag=%00", "/log?q=a%00", "/admin/users?about=%00", "/admin/audit?actor=*%00"]
)
def test_37_no_nul_reaches_postgresql(world: World, url: str) -> None:
    assert world.as_("admin").get(url).status_code == 400
    assert world.as_("admin").get(url.replace("%00", "%2500")).status_code == 200

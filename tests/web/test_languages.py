"""Every page of a town of the seed speaks one language: what is not translated stands out as English.

The pages are found by their links, as the owner, an administrator and a stranger see them. What people of the town have
written, and what other servers have said, is nobody's to translate.
"""

import re
from collections import Counter, deque
from datetime import UTC, datetime
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from smtpy.config import Settings
from smtpy.seed import cast
from smtpy.seed.mail import Size
from smtpy.seed.plant import SIZES, plant
from smtpy.store.accounts import Announcement, ApiKey
from smtpy.store.events import MailEvent
from smtpy.store.schema import Alias, User
from tests.web.accounts import Letters
from tests.web.conftest import SignIn

ALIKE = 2  # pages of one kind that are looked at
# Words of English sentences that are no German ones, nor of SMTP.
ENGLISH = {
    "the", "and", "are", "were", "its", "it", "this", "that", "these", "with", "without", "not", "for", "have", "has",
    "you", "your", "they", "their", "there", "which", "who", "what", "when", "where", "how", "any", "each", "then",
    "than", "nothing", "never", "until", "after", "before", "again", "already", "another", "first", "only", "more",
    "most", "some", "somebody", "nobody", "everything", "is", "be", "by", "at", "on", "or", "no",
}  # fmt: skip
PROTOCOL = {"RCPT TO", "MAIL FROM", "From: … Subject: … …"}
_OF_MACHINES = re.compile(r"<(script|style|code|pre|q|svg)\b.*?</\1>|<wbr>", re.DOTALL)
_ATTRIBUTES = re.compile(r"\s(?:title|aria-label|placeholder|alt|content|label|data-[a-z-]*words?|value)=\"([^\"]*)\"")
_LINKS = re.compile(r"\s(?:href|src)=\"(/[^\"#]*)\"")
_NAME = re.compile(r"\S*[@.=/_-]\S*\w")  # addresses, domains, paths


@pytest.fixture
def written(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """A small town; what its people have written."""
    monkeypatch.setitem(SIZES, "small", Size(40, 300, 300))
    plant(engine, settings, "small", 1, datetime.now(UTC))
    columns = (Alias.note, Announcement.text, ApiKey.name, MailEvent.words)
    with Session(engine) as session:
        return {text for column in columns for text in session.scalars(select(column).distinct()) if text}


def test_pages_are_german_throughout(app: Flask, sign_in: SignIn, written: set[str]) -> None:
    left = {}
    for browser in (sign_in(cast.OWNER), sign_in(cast.ADMIN), app.test_client()):
        for path, page in _walked(browser, ["/", "/admin", "/auth/sign-in", "/welcome", "/offline"]).items():
            assert '<html lang="de"' in page or "<html" not in page, path  # some are parts of pages
            left |= {text: path for text in _texts(page) if _is_english(text, written)}
    assert left == {}


def _walked(browser: FlaskClient, starts: list[str]) -> dict[str, str]:
    """The pages that can be reached from there by links, some of each kind."""
    waiting, seen, kinds, pages = deque(starts), set[str](), Counter[str](), dict[str, str]()
    while waiting:
        path = waiting.popleft()
        kind = re.sub(r"[0-9a-f-]{36}|\d+|=[^&]*", "#", path)
        if path in seen or path.startswith("/static") or kinds[kind] >= ALIKE:
            continue
        seen.add(path)
        kinds[kind] += 1
        answer = browser.get(path, headers={"Accept-Language": "de"}, base_url="https://localhost")
        assert answer.status_code < 500, path
        if answer.mimetype == "text/html" and answer.status_code not in (301, 302, 303):
            pages[path] = answer.text
            waiting += map(unescape, _LINKS.findall(answer.text))
        elif answer.location:
            waiting.append(answer.location.removeprefix("https://localhost"))
    return pages


def _texts(page: str) -> set[str]:
    """What is read or heard of a page, piece by piece."""
    pieces = [*re.split(r"<[^>]*>", _OF_MACHINES.sub(" ", page)), *_ATTRIBUTES.findall(page)]
    return {" ".join(unescape(each).split()) for each in pieces}


def _is_english(text: str, written: set[str]) -> bool:
    if text in PROTOCOL or any(each in text or text in each for each in written):
        return False
    words = re.findall(r"[^\W\d]+", _NAME.sub(" ", text).lower())
    return len(words) > 1 and not ENGLISH.isdisjoint(words)


def test_english_would_be_found() -> None:
    assert _is_english("anybody can read it", set())
    assert not _is_english("Der Alias not-yet@the.example ist eingeschaltet.", set())
    assert _texts('<p title="Look at that">So <code>it is</code> <b>not</b></p>') >= {"Look at that", "So", "not"}


def test_a_letter_speaks_the_language_of_who_gets_it(
    client: FlaskClient, engine: Engine, sign_in: SignIn, letters: Letters
) -> None:
    sign_in("ann@people.example")
    with Session(engine) as session:
        session.execute(update(User).values(language="de"))
        session.commit()
    page = client.post("/auth/forgot", data={"email": "ann@people.example"}, headers={"Accept-Language": "en"}).text
    assert '<html lang="en"' in page
    letter = letters.to("ann@people.example")
    assert letter["Subject"] == "Ein anderes Passwort wählen"
    html = letter.get_body(("html",))
    assert html is not None
    assert '<html lang="de">' in html.get_content()

"""Pages as they are used: by keyboard alone, with mistakes, in another language, in a theme of one's own."""

import re
from http.client import HTTPConnection

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update
from sqlalchemy.orm import Session

from smtpy.store.schema import Theme, User
from tests.browser.conftest import Browse, Complaints
from tests.browser.site import ANN, Site
from tests.browser.test_pages import violations


def test_an_alias_is_made_found_and_switched_off_by_keyboard(browse: Browse) -> None:
    page = browse("/domains")
    page.keyboard.press("n")
    page.wait_for_url("**/aliases/new")
    tab_to(page, "Note")
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/aliases/[0-9a-f-]{36}"))
    page.goto("/aliases")
    page.keyboard.press("/")
    page.keyboard.type("By keyboard")
    row = page.locator("[data-row]")
    expect(row).to_have_count(1)
    page.keyboard.press("Enter")
    expect(row.get_by_role("link").first).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator(".toast").last).to_contain_text("Copied")
    switch = row.get_by_role("switch")
    switch.focus()
    page.keyboard.press("Enter")
    expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "false")


def test_7_back_after_signing_out_shows_nothing(browse: Browse) -> None:
    page = browse("/aliases")
    expect(page).to_have_url(re.compile("/aliases$"))
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/auth/"))
    page.go_back()
    expect(page).to_have_url(re.compile("/auth/sign-in"))
    assert page.locator("[data-row]").count() == 0


def test_8_answers_do_not_say_what_serves_them(site: Site) -> None:
    """As gunicorn sends them."""
    for path in ("/auth/sign-in", "/static/css/smtpy.css", "/nothing"):
        connection = HTTPConnection(site.origin.removeprefix("http://"), timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.headers.get_all("Server") == ["SMTPy"]
        told = f"{answer.headers}{answer.read().decode()}".lower()
        assert not [name for name in ("gunicorn", "werkzeug", "python/", "x-powered-by") if name in told]
        connection.close()


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the field of that label has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.get_by_label(label, exact=True).evaluate("field => field === document.activeElement"):
            return
    pytest.fail(f"{label} cannot be reached by Tab")


@pytest.mark.parametrize(
    ("path", "fill", "button"),
    [
        ("/mailboxes/new", {"Address": "not an address"}, "Send the letter"),
        ("/domains/add", {"Domain": "no domain at all"}, "Add"),
        ("/aliases/new", {"Name": "two words"}, "Create alias"),
        ("/settings/e-mail", {"New e-mail address": "x"}, "Send the link"),
    ],
)
def test_a_mistake_is_told_at_its_field(
    path: str, fill: dict[str, str], button: str, browse: Browse, complaints: Complaints
) -> None:
    complaints.expected.update({400, 409, 422})
    page = browse(path, width=320)
    page.locator("main form").first.evaluate("form => form.noValidate = true")
    for label, words in fill.items():
        field = page.locator("main").get_by_role("textbox", name=label, exact=True)
        field.fill(words)
    page.locator("main").get_by_role("button", name=button, exact=True).click()
    expect(page.locator("main .error").first).to_be_visible()
    assert not violations(page)


def test_pages_speak_german(browse: Browse) -> None:
    page = browse("/", language="de-AT")
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.get_by_role("link", name="Neuer Alias")).to_be_visible()


@pytest.mark.parametrize(("chosen", "system", "shown"), [(Theme.DARK, "light", "dark"), (Theme.LIGHT, "dark", "light")])
def test_a_theme_that_was_chosen_outdoes_the_systems(
    chosen: Theme, system: str, shown: str, browse: Browse, site: Site
) -> None:
    choose(site, chosen)
    try:
        page = browse("/", theme=system)
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == shown
        assert not violations(page)
    finally:
        choose(site, Theme.AUTO)


def choose(site: Site, theme: Theme) -> None:
    """As in the settings."""
    with Session(site.engine) as session:
        session.execute(update(User).where(User.email == ANN).values(theme=theme))
        session.commit()

"""The small elements of web/static/js, each in a page of ours: copying, toasts, questions, live parts, search, keys."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Browse

COPY = '<copy-text><code>shop@letters.example</code><button type="button" class="copy" hidden data-copy="shop@letters.example" aria-label="Copy"><svg class="icon"><use href="#copy"></use></svg></button></copy-text>'  # noqa: E501


# /offline is a page with little of its own.
def put(page: Page, html: str) -> None:
    """Have this in the page."""
    page.evaluate("html => document.querySelector('main').insertAdjacentHTML('beforeend', html)", html)


def test_what_is_copied_is_told_in_the_readers_language(browse: Browse) -> None:
    page = browse("/offline", language="de")
    put(page, COPY)
    page.locator("button.copy").click()
    expect(page.locator(".toast")).to_have_text("Kopiert")
    assert page.evaluate("navigator.clipboard.readText()") == "shop@letters.example"


def test_a_toast_goes_by_itself_but_not_from_under_the_hand(browse: Browse) -> None:
    page = browse("/offline")
    page.clock.install()
    page.evaluate("document.dispatchEvent(new CustomEvent('tell', { detail: 'Done.' }))")
    toast = page.locator(".toast")
    toast.hover()
    page.clock.run_for(60_000)
    expect(toast).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(11_000)
    expect(toast).to_have_count(0)


def test_a_question_is_asked_in_a_dialog(browse: Browse) -> None:
    page = browse("/offline")
    put(page, '<form action="/auth/confirm" data-confirm="Really?"><button>Delete</button></form>')
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Really?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert page.url.endswith("/offline")
    page.get_by_role("button", name="Delete").press("Enter")
    dialog.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/auth/confirm?")


def test_a_live_part_keeps_itself_up_to_date_and_ends(browse: Browse) -> None:
    page = browse("/offline")
    answers = iter(("<p>one</p>", "<p data-final>two</p>"))
    asked: list[str] = []

    def answer(route, request) -> None:  # type: ignore[no-untyped-def]
        asked.append(request.url)
        route.fulfill(body=next(answers), content_type="text/html")

    page.route("**/part", answer)
    put(page, '<live-part src="/part" every="0.1">none</live-part>')
    expect(page.locator("live-part")).to_have_text("two")
    page.wait_for_timeout(400)
    assert len(asked) == 2


def test_what_is_searched_is_found_while_it_is_typed(browse: Browse) -> None:
    page = browse("/offline")
    page.route(
        re.compile(r"/find\?"),
        lambda route, request: route.fulfill(
            body=f"<ul id=found><li>{request.url.partition('?')[2]}</li></ul>", content_type="text/html"
        ),
    )
    put(
        page,
        '<live-search for="found"><form action="/find"><input name="q" aria-label="Find" data-key="/"></form>'
        '</live-search><ul id="found"></ul>',
    )
    page.keyboard.press("/")
    page.keyboard.type("shop")
    expect(page.locator("#found")).to_have_text("q=shop")
    assert page.url.endswith("/find?q=shop")


def test_keys_walk_through_rows_and_can_be_switched_off(browse: Browse) -> None:
    page = browse("/offline")
    rows = "".join(
        f'<li data-row><input type="checkbox" aria-label="Choose {n}"><a href="#{n}" data-row-key="o">open {n}</a></li>'
        for n in (1, 2)
    )
    put(page, f"<ul data-rows>{rows}</ul>")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.get_by_label("Choose 2").is_checked()
    page.keyboard.press("o")
    assert page.url.endswith("#2")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog.locator("kbd")).to_have_text(["o", "j", "k", "x"])
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.get_by_label("Choose 2").is_checked()


def test_on_a_phone_the_other_ways_are_behind_a_button(browse: Browse) -> None:
    page = browse("/", width=320, javascript=False)
    leave = page.get_by_role("button", name="Sign out")
    expect(leave).to_be_hidden()
    page.get_by_role("button", name="More").click()
    expect(leave).to_be_visible()

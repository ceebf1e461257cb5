"""The list of aliases under a hand: found as it is typed, switched in its row, ticked, undone; by mouse and by keys."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.site import Site


@pytest.fixture
def page(browse: Browse) -> Page:
    return browse("/aliases?sort=name")


def rows(page: Page) -> int:
    return page.locator(".aliases > li").count()


def test_what_is_typed_is_found(page: Page) -> None:
    before = rows(page)
    name = page.locator(".aliases code").nth(3).inner_text()
    page.keyboard.press("/")
    page.keyboard.type(name)
    expect(page.locator(".aliases > li")).to_have_count(1)
    assert before > 1
    assert "q=" in page.url
    assert "sort=name" in page.url
    page.keyboard.press("Escape")  # to what was found, which stays
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(".bulk")).to_contain_text("1 ticked")
    heights = page.locator(".bulk > button, .bulk .pair > button").evaluate_all(
        "all => [...new Set(all.map((each) => each.offsetTop))]"
    )
    assert len(heights) == 1, "buttons of one row are not in line"
    page.reload()
    expect(page.locator(".aliases > li")).to_have_count(1)


def test_a_note_without_blanks_stays_within_a_phone(browse: Browse, site: Site) -> None:
    at = f"/aliases/{site.ids['alias']}/settings"
    page = browse(at, width=320)
    note = page.get_by_label("Note")
    before = note.input_value()
    note.fill("W" * 200)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast")).to_contain_text("Saved.")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    note.fill(before)
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".head")).not_to_contain_text("WWW")


def test_a_switch_turns_in_its_row_and_back(page: Page) -> None:
    row = page.locator(".aliases > li").nth(2)
    switch = row.get_by_role("switch")
    was = switch.get_attribute("aria-checked")
    page.evaluate("window.same = true")
    switch.click()
    expect(page.locator(".toast")).to_contain_text("1 alias switched")
    assert page.locator(".aliases > li").nth(2).get_by_role("switch").get_attribute("aria-checked") != was
    assert page.evaluate("window.same"), "the page was loaded anew"
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert page.locator(".aliases > li").nth(2).get_by_role("switch").get_attribute("aria-checked") == was
    assert "sort=name" in page.url


def test_many_are_ticked_and_tagged(page: Page) -> None:
    assert not page.locator(".bulk").is_visible()
    for number in range(3):
        page.locator(".aliases [name=alias]").nth(number).check()
    expect(page.locator(".bulk")).to_contain_text("3 ticked")
    page.locator(".bulk [name=tag]").fill("browser-test")
    page.locator(".bulk").get_by_role("button", name="Add").click()
    expect(page.locator(".toast")).to_contain_text("3 aliases changed.")
    assert page.locator(".aliases > li .chip", has_text="browser-test").count() == 3
    page.locator(".toast").get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    assert page.locator(".aliases > li .chip", has_text="browser-test").count() == 0


def test_one_box_ticks_all(page: Page) -> None:
    page.locator(".aliases [name=alias]").first.check()
    page.locator("tick-all input").check()
    assert page.locator(".aliases [name=alias]:checked").count() == rows(page)


def test_rows_are_walked_by_keys(page: Page) -> None:
    for key in ("j", "j", "k", "j", "x"):
        page.keyboard.press(key)
    assert page.locator(".aliases > li").nth(1).locator("[name=alias]").is_checked()
    name = page.locator(".aliases code").nth(1).inner_text()
    page.keyboard.press("e")
    page.wait_for_url(re.compile("/settings$"))
    assert page.locator("h1").inner_text().startswith(name)


def test_the_keys_are_told(page: Page) -> None:
    page.keyboard.press("?")
    told = page.locator("#keys").inner_text()
    for words in ("Next row", "Copy the address", "Change the alias", "New alias", "Search"):
        assert words in told


def test_a_new_one_by_one_line_of_the_first_page(browse: Browse) -> None:
    page = browse("/")
    page.keyboard.press("n")
    page.keyboard.type("https://www.browsertest.example/")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("new=1$"))
    assert page.locator(".made code").inner_text().startswith("browsertest-")


def test_who_writes_into_a_line_has_chosen_it(browse: Browse) -> None:
    page = browse("/aliases/new")
    page.get_by_role("textbox", name="Website").click()
    assert page.get_by_label("From a website").is_checked()


def test_the_log_keeps_itself_up_to_date(browse: Browse) -> None:
    page = browse("/log")
    with page.expect_response(lambda answer: "x-part" in answer.request.headers, timeout=8000) as part:
        pass
    assert part.value.status == 200
    assert "<html" not in part.value.text()


def test_nothing_stands_beside_a_narrow_screen(browse: Browse) -> None:
    """What is fixed or sticks makes no page wider, so that its words would be cut off unseen; German ones are long."""
    page = browse("/aliases?sort=name", width=320, language="de")
    page.locator(".aliases [name=alias]").first.check()
    expect(page.locator(".bulk")).to_be_visible()
    assert cut_off(page, ".bulk") == []
    page.locator(".bulk [value=pin], .bulk [value=off]").first.click()
    expect(page.locator(".toast")).to_be_visible()
    assert cut_off(page, ".toast") == []
    page.locator(".toast form button").first.click()
    page.wait_for_load_state()
    page.goto("/")
    page.locator(".twin summary").click()
    assert cut_off(page, ".twin") == []


def cut_off(page: Page, within: str) -> list[str]:
    """The words of what reaches beyond the window."""
    return page.locator(f"{within}, {within} *").evaluate_all(  # type: ignore[no-any-return]
        "all => all.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth)"
        ".map((e) => e.textContent.trim())"
    )

"""Domains in a real browser: records get their ticks while one watches, and everything can be copied."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from smtpy.admin import domains, members, ownership
from smtpy.admin.change import change, reading
from smtpy.admin.scope import Viewer
from smtpy.terms import vault_of
from tests.browser.conftest import Browse
from tests.browser.site import NEW, Site
from tests.worker.published import published

NAME = "watched.example"


@pytest.fixture
def watched(site: Site) -> Iterator[str]:
    """A domain that a new member has added; its UUID."""
    with reading(site.engine) as session:
        viewer = Viewer(members.find(session, NEW).id)
    with change(site.engine, by=NEW, viewer=viewer, vault=vault_of(site.settings)) as c:
        made = domains.add(c, NAME, owner=NEW)
    yield made.uuid
    site.nameserver.zone.names.clear()
    with change(site.engine, by=NEW, viewer=viewer) as c:
        domains.delete(c, NAME)
    with change(site.engine, by="test") as c:  # as whoever adds it next would
        ownership.take_away(c, domains.find(c.session, NAME))


def test_a_check_is_watched_without_leaving_the_page(site: Site, browse: Browse, watched: str) -> None:
    page = browse(f"/domains/{watched}", who=NEW)
    expect(page.get_by_text("waits for proof that it is yours")).to_be_visible()
    page.evaluate("window.stayed = true")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("0 of 5 required records are right")).to_be_visible()
    expect(page.get_by_text("Missing").first).to_be_visible()
    site.nameserver.zone.names |= published(site.engine, site.settings, NAME)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("All that is required is right")).to_be_visible()
    assert page.evaluate("window.stayed") is True
    row = page.locator("details.dns").first
    row.get_by_role("button", name="Copy _smtpy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == "_smtpy"


def test_the_first_hour_ticks_by_itself(site: Site, browse: Browse, watched: str) -> None:
    page = browse("/welcome/dns", who=NEW)
    page.locator("live-send").evaluate("each => { each.setAttribute('again', '1'); each.plan(); }")
    expect(page.get_by_text("0 of 5 required records are right")).to_be_visible()
    site.nameserver.zone.names |= published(site.engine, site.settings, NAME)
    expect(page.get_by_text("All that is required is right")).to_be_visible(timeout=20_000)


def test_without_javascript_a_check_waits_and_comes_back(site: Site, browse: Browse, watched: str) -> None:
    site.nameserver.zone.names |= published(site.engine, site.settings, NAME)
    page = browse(f"/domains/{watched}", who=NEW, javascript=False)
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("The domain is yours: its mail")).to_be_visible()
    expect(page.get_by_text("All that is required is right")).to_be_visible()


def test_names_are_tried_while_they_are_typed(browse: Browse, site: Site) -> None:
    page = browse(f"/domains/{site.ids['domain']}/rules")
    page.get_by_label("Pattern, to try a new one").fill("shop-[a-z]+")
    page.get_by_label("Names").fill("shop-lamp sales")
    expect(page.locator("#tried").get_by_text("does not fit")).to_have_count(1)
    expect(page.locator("#tried").get_by_text("fits", exact=True)).to_have_count(1)

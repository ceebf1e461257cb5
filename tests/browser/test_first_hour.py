"""The first hour as it is: an empty database, the printed link, and at the end a letter that is seen to be delivered.

Nothing of ours is stood in for: Postfix, lookup, policy, milter, worker and gunicorn run; the rest of the world is a
name server whose zone we fill with what the page asks for, and an inbox.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Complaints, picture
from tests.stand import HOSTNAME, SERVICES, Stand, StandFactory

OPERATOR = "olga@people.example"
MAILBOX = "olga@inbox.example"
DOMAIN = "letters.example"
PASSWORD = "seven cups of nettle tea"
ADDRESS = "198.51.100.25"
LINK = re.compile(r"http://localhost:\d+/\S+")


@pytest.fixture
def town(own_stand: StandFactory) -> Stand:
    """All of SMTPy, with nobody in it."""
    return own_stand((*SERVICES, "worker", "web"))


@pytest.fixture
def page(chromium: Browser, town: Stand, complaints: Complaints) -> Iterator[Page]:
    context = chromium.new_context(base_url=town.origin, locale="en", reduced_motion="reduce", service_workers="block")
    complaints.watch(context)
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def published(page: Page) -> dict[str, dict[str, Any]]:
    """What the page asks its reader to enter in DNS, as a zone."""
    names: dict[str, dict[str, Any]] = {HOSTNAME: {"A": [ADDRESS]}}
    for record in page.locator("details.dns").all():
        kind = record.locator("dl.fields dd").nth(0).inner_text().strip()
        copied = [each.get_attribute("data-copy") or "" for each in record.locator("[data-copy]").all()]
        full = record.locator(".full [data-copy]")
        name = full.get_attribute("data-copy") if full.count() else copied[0]
        values = [each.get_attribute("data-copy") or "" for each in record.locator(".value [data-copy]").all()]
        preference = next((int(each) for each in copied if each.isdigit()), 10)
        entered = [(preference, value) for value in values] if kind == "MX" else values
        names.setdefault(str(name), {}).setdefault(kind, []).extend(entered)
    return names


def letter_to(town: Stand, recipient: str) -> str:
    """The link in the letter that came for somebody."""
    came = town.inbox.wait_for(lambda each: recipient in each.recipients, timeout=30)
    text = came.data.replace(b"=\r\n", b"").replace(b"=3D", b"=").decode()
    found = LINK.search(text)
    assert found, text
    return found[0].rstrip('.,>"')


def test_from_an_empty_database_to_a_delivered_letter(town: Stand, page: Page) -> None:
    first = town.cli("user", "first")
    assert first.returncode == 0, first.stderr
    page.goto(first.stdout.strip().splitlines()[-1])
    page.get_by_role("textbox", name="E-mail address").fill(OPERATOR)
    page.get_by_role("textbox", name="Name").first.fill("Olga")
    page.locator("input[type=password]").first.fill(PASSWORD)
    picture(page, "first-hour-0-account")
    page.locator("main button.primary").click()
    page.wait_for_url("**/welcome/domain")

    page.get_by_role("textbox", name="Domain").fill(f"https://{DOMAIN}/shop")
    picture(page, "first-hour-1-domain")
    page.get_by_role("button", name="Add the domain").click()
    page.wait_for_url("**/welcome/dns")
    town.zone.names |= published(page)
    picture(page, "first-hour-2-dns")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("All that is required is right")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Go on").click()

    page.wait_for_url("**/welcome/mailbox")
    page.locator("#address").fill(MAILBOX)
    page.get_by_role("button", name="Use this mailbox").click()
    expect(page.get_by_text("A letter went to")).to_be_visible()
    other = page.context.new_page()
    other.goto(letter_to(town, MAILBOX))
    other.locator("main button.primary").click()
    expect(other.get_by_role("link", name="To your mailboxes")).to_be_visible()
    expect(page.get_by_text("Ready:")).to_be_visible(timeout=15_000)  # it notices by itself
    page.get_by_role("button", name="Go on").click()

    page.wait_for_url("**/welcome/alias")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/welcome/test")
    alias = page.locator("[data-copy]").first.get_attribute("data-copy") or ""
    assert alias.endswith(f"@{DOMAIN}")
    page.get_by_role("button", name="Send a test mail").click()
    expect(page.locator("live-part").get_by_text("Delivered").first).to_be_visible(timeout=30_000)
    picture(page, "first-hour-3-delivered")
    arrived = town.inbox.wait_for(lambda each: alias.encode() in each.header)
    assert arrived.recipients == (MAILBOX,)
    assert f"d={DOMAIN}".encode() in arrived.header  # the key came into use when DNS showed it

    page.get_by_role("button", name="Done").click()
    page.wait_for_url(f"{town.origin}/")
    found = town.cli("log", alias)
    assert "delivered" in found.stdout.lower(), found.stdout
    assert town.cli("audit", "mail", "--postfix", str(town.etc)).returncode == 0

"""SMTPy can be installed as an application, and has something to show without net: never anything of a member's."""

import json

from playwright.sync_api import Page

from tests.browser.conftest import Browse, Complaints
from tests.browser.site import ANN

READY = "navigator.serviceWorker.ready.then((found) => found.active.scriptURL)"


def test_chromium_takes_it_for_an_application(browse: Browse) -> None:
    page = browse("/", worker=True)
    page.evaluate(READY)
    ask = page.context.new_cdp_session(page)
    found = ask.send("Page.getAppManifest")
    assert not found["errors"]
    manifest = json.loads(found["data"])
    assert manifest["shortcuts"][0]["url"] == "/aliases/new"
    assert manifest["share_target"]["action"] == "/aliases/new"
    errors = [each["errorId"] for each in ask.send("Page.getInstallabilityErrors")["installabilityErrors"]]
    assert set(errors) <= {"in-incognito"}  # as every context of a test is


def test_its_pictures_are_there(browse: Browse) -> None:
    page = browse("/", worker=True)
    for each in page.request.get("/manifest.webmanifest").json()["icons"]:
        answer = page.request.get(each["src"])
        assert answer.headers["content-type"].startswith(each["type"])


def test_without_net_there_is_a_page(browse: Browse, complaints: Complaints) -> None:
    page = browse("/", worker=True)
    page.evaluate(READY)
    page.context.set_offline(True)
    page.goto("/aliases")
    assert page.locator("h1").inner_text() == "No connection"
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.button')).borderRadius") == "8px"
    )  # it has its style
    page.context.set_offline(False)
    complaints[:] = [each for each in complaints if "ERR_INTERNET_DISCONNECTED" not in each]


def test_the_worker_keeps_nothing_of_a_member(browse: Browse) -> None:
    page = browse("/", worker=True)
    page.evaluate(READY)
    page.goto("/auth/confirm")
    kept = _kept(page)
    assert "/offline" in kept
    assert all(each.startswith(("/static/", "/offline")) for each in kept)
    page.context.clear_cookies()
    words = page.evaluate("caches.match('/offline').then((kept) => kept.text())")
    assert ANN not in words


def _kept(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """async () => (await Promise.all((await caches.keys()).map(async (name) =>
            (await (await caches.open(name)).keys()).map((kept) => new URL(kept.url).pathname)))).flat()"""
    )
    return found

"""A real browser on the real application. `browse(...)` opens a page; whatever a browser complains of fails the test.

That is an error on the console, an exception, a violation of the content security policy, a request that fails, an
answer of 500. Debian's Chromium, driven by Playwright; with SMTPY_ARTEFACTS=FOLDER pictures of all pages are left there
to look at, which takes a quarter longer. All fixtures end with this package: Playwright's loop would be in the way of
other tests.
"""

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.browser.site import ANN, Site
from web.sessions import COOKIE

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    *("--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
ARTEFACTS = os.environ.get("SMTPY_ARTEFACTS")
# A violation of the policy is told on the console by Chromium too, but not always.
TELL = """document.addEventListener("securitypolicyviolation",
  (e) => console.error("CSP", e.violatedDirective, e.blockedURI, e.sourceFile, e.lineNumber))"""

Browse = Callable[..., Page]
ADDRESSES = (f"10.{number // 250}.{number % 250}.1" for number in count())  # tries are counted by network


class Complaints(list[str]):
    """What a browser has against the pages it was shown. `expected`: statuses over 399 that a test provokes."""

    def __init__(self) -> None:
        self.expected: set[int] = set()

    def watch(self, context: BrowserContext) -> None:
        """Listen to every page of the context."""
        context.add_init_script(TELL)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.append(f"exception: {error.error}"))
        context.on("requestfailed", lambda request: self._failed(request.url, request.failure or ""))
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        answered = message.text.startswith("Failed to load resource")  # told by its status already
        ours = "registration blocked by Playwright" in message.text  # service_workers="block"
        if message.type in ("error", "warning") and not (answered or ours):
            self.append(f"console: {message.text} ({message.location.get('url')})")

    def _failed(self, url: str, why: str) -> None:
        if "ERR_ABORTED" not in why:  # a page that was left, a download
            self.append(f"request: {url}: {why}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application, running; shared: leave what you find."""
    made = Site.made(tmp_path_factory.mktemp("site"))
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all of the tests here."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Fails the test afterwards if there are any."""
    found = Complaints()
    yield found
    assert not found, "\n".join(found)


@pytest.fixture
def browse(chromium: Browser, site: Site, complaints: Complaints) -> Iterator[Browse]:
    """Opens a page of a browser of its own: `browse("/aliases", theme="dark", width=320)`.

    `who=""`: a stranger; `worker`: with its service worker.
    """
    contexts: list[BrowserContext] = []

    def open_page(
        path: str = "/",
        *,
        who: str = ANN,
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        javascript: bool = True,
        language: str = "en",
        worker: bool = False,
    ) -> Page:
        context = chromium.new_context(
            base_url=site.origin,
            color_scheme=theme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            java_script_enabled=javascript,
            locale=language,
            reduced_motion="reduce",
            extra_http_headers={"X-Forwarded-For": next(ADDRESSES)},
            permissions=["clipboard-read", "clipboard-write"],
            service_workers="allow" if worker else "block",
        )
        contexts.append(context)
        complaints.watch(context)
        if who:
            cookie = {"name": COOKIE, "value": site.session(who), "url": site.origin.replace("http:", "https:")}
            context.add_cookies([{**cookie, "secure": True, "httpOnly": True, "sameSite": "Lax"}])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def picture(page: Page, name: str) -> None:
    """Keep how the page looks, if somebody wants to see it."""
    if ARTEFACTS:
        page.screenshot(path=Path(ARTEFACTS) / f"{name}.png", full_page=True)

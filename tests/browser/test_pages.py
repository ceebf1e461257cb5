"""Every page there is, looked at: both themes, desktop and phone, with and without JavaScript.

The pages are those of the URL map, so that a new one is looked at from its first day; one whose address has an id needs
a row in EXAMPLES.
"""

import gzip
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, Response
from werkzeug.routing import Rule

from smtpy.config import judge
from tests.browser.conftest import Browse, Complaints, picture
from tests.browser.site import ANN, NEW, OPS, SECRETS, Site
from web import create_app

WEIGHT = 100_000  # octets of a page and all it loads, compressed
LOOKS = [(theme, width) for width in (1440, 320) for theme in ("light", "dark")]
AXE = Axe().axe_script
RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that another theme changes
# What stands in the address of a page, as names of Site.ids: endpoint, then argument.
EXAMPLES: dict[str, dict[str, str]] = {
    "operator.audit_act": {"number": "act"},
    "operator.users_one": {"user": "user"},
    "domains.detail": {"domain": "domain"},
    "domains.rules": {"domain": "domain"},
    "domains.keys": {"domain": "domain"},
    "domains.settings": {"domain": "domain"},
    "settings.passkey": {"passkey": "passkey"},
    "signing.first": {"token": "first"},
    "signing.invited": {"token": "invited"},
    "signing.reset": {"token": "reset"},
    "signing.verify": {"token": "verify"},
    **{f"aliases.{name}": {"alias": "alias"} for name in ("detail", "senders", "log", "settings")},
    "messages.detail": {"message": "message"},
    "mailboxes.verify": {"token": "mailbox_link"},
}
# No pages for people: what they are instead.
NO_PAGES = {
    "domains.records": "a part of a page",
    "domains.zone": "a file",
    "domains.zone_json": "a file",
    "static": "files",
    "settings.totp": "after a button only: test_accounts.py",
    "signing.second_factor": "after a password only: test_accounts.py",
    "health.livez": "a line for machines",
    "health.readyz": "a line for machines",
    "installing.manifest": "JSON",
    "operator.queue_letter": "needs a Postfix with mail in its queue: tests/web",
    "installing.worker": "JavaScript",
    "wellknown.change_password": "leads to a page",
    "wellknown.robots": "lines for machines",
    "wellknown.security": "lines for machines",
}


def _application() -> Flask:
    names = {"hostname": "mx.our.example", "postmaster": OPS}
    return create_app(judge({**SECRETS, **names}))


APP = _application()
RULES = {
    rule.endpoint: rule
    for rule in APP.url_map.iter_rules()
    if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGES
}


def path_of(rule: Rule, site: Site) -> str:
    """The address of an example of the page."""
    named = EXAMPLES.get(rule.endpoint, {})
    missing = rule.arguments - named.keys()
    assert not missing, f"{rule.endpoint} needs a row in EXAMPLES for {sorted(missing)}"
    with APP.test_request_context():
        return APP.url_for(rule.endpoint, **{name: site.ids[what] for name, what in named.items()}, _external=False)


def who_of(rule: Rule) -> str:
    """Who may see it."""
    access = getattr(APP.view_functions[rule.endpoint], "access", "")
    return {"public": "", "admin_only": OPS}.get(access, ANN)


def violations(page: Page, rules: object = RULES_OF_AXE) -> str:
    """What axe finds, a line each."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: Any = page.evaluate("options => axe.run(options)", {"runOnly": rules, "resultTypes": ["violations"]})
    return "\n".join(
        f"{each['id']}: {each['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found["violations"]
        for node in each["nodes"][:5]
    )


@pytest.mark.parametrize("endpoint", sorted(RULES))
def test_a_page_is_fit_to_be_used(endpoint: str, site: Site, browse: Browse) -> None:
    path = path_of(RULES[endpoint], site)
    page = browse("about:blank", who=who_of(RULES[endpoint]))
    loaded: list[Response] = []
    page.on("response", lambda response: loaded.append(response))
    page.goto(path, wait_until="load")
    assert "/auth/sign-in" in path or "/auth/sign-in" not in page.url
    weight = sum(len(gzip.compress(each.body())) for each in loaded if each.status == 200)
    assert weight < WEIGHT
    wrong = {}
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900 if width > 1000 else 640})
        picture(page, f"{endpoint}-{width}-{theme}")
        if found := violations(page, RULES_OF_AXE if theme == "light" else COLOURS):
            wrong[theme, width] = found
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{overflow} px too wide at {width}: {widest(page)}"
    assert not wrong, "\n".join(f"{look}: {found}" for look, found in wrong.items())
    assert not unseen(page), "no outline when reached by keyboard"


def widest(page: Page) -> list[str]:
    """What reaches over the edge."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
            .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
            .map((e) => e.outerHTML.slice(0, 120)).slice(0, 5)"""
    )
    return found


def unseen(page: Page) -> list[str]:
    """What can be reached by keyboard, and does not show that it was."""
    page.keyboard.press("Tab")  # from here on the keyboard is in use
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
            .filter((e) => e.checkVisibility() && !e.disabled)
            .filter((e) => {
                e.focus();
                const { outlineStyle, outlineWidth } = getComputedStyle(e);
                return document.activeElement === e && (outlineStyle === "none" || !parseFloat(outlineWidth));
            }).map((e) => e.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.parametrize("endpoint", sorted(RULES))
def test_a_page_is_whole_without_javascript(endpoint: str, site: Site, browse: Browse) -> None:
    page = browse(path_of(RULES[endpoint], site), who=who_of(RULES[endpoint]), javascript=False)
    forms = page.locator("main form")
    for form in forms.all():
        pressed = form.locator("button:not([type=button]), input[type=submit]")
        assert pressed.count(), form.evaluate("form => form.outerHTML.slice(0, 300)")
    assert page.locator("main h1:visible").count() == 1


@pytest.mark.parametrize("endpoint", sorted(name for name, rule in RULES.items() if not rule.arguments))
def test_a_page_is_fit_for_whoever_has_nothing_yet(endpoint: str, site: Site, browse: Browse) -> None:
    if who_of(RULES[endpoint]) != ANN:
        pytest.skip("the same for everybody")
    page = browse(path_of(RULES[endpoint], site), who=NEW, width=320, height=640)
    picture(page, f"{endpoint}-new")
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, widest(page)


def test_the_lists_name_pages_that_exist() -> None:
    known = {rule.endpoint for rule in APP.url_map.iter_rules()}
    assert EXAMPLES.keys() | NO_PAGES.keys() <= known


def test_errors_are_pages_too(browse: Browse, complaints: Complaints) -> None:
    complaints.expected.add(404)
    page = browse("/no/such/page", width=320)
    assert page.locator("h1").inner_text() == "Not found"
    assert not violations(page)


def test_what_a_browser_complains_of_is_heard(browse: Browse, complaints: Complaints) -> None:
    page = browse("/auth/sign-in", who="")
    page.evaluate("""() => {
        document.body.setAttribute("style", "color: red");
        document.body.insertAdjacentHTML("beforeend", "<img src='/nothing.png' alt=''>");
        setTimeout(() => { throw new Error("on purpose") });
    }""")
    page.wait_for_timeout(300)
    heard = "\n".join(complaints)
    complaints.clear()
    assert all(each in heard for each in ("CSP style-src", "404: ", "exception: on purpose")), heard

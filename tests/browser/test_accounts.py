"""Signing in in a real browser: passkeys by a virtual authenticator (WEB.md 26), an app's code, pages after a button.

Chromium takes http://localhost for a secure place, so what is seen here is what people get on https.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import CDPSession, Page, expect
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from smtpy.admin import factors, members, signing_in
from smtpy.admin.change import personal
from smtpy.store.accounts import Passkey, RecoveryCode
from smtpy.store.schema import User
from smtpy.terms import vault_of
from tests.browser.conftest import Browse, Complaints, picture
from tests.browser.site import NEW, Site
from tests.browser.test_pages import LOOKS, violations

PASSWORD = "seven letters went by boat"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
INSIDE = re.compile(r"^http://localhost:\d+/(?!auth/)")  # the first page, or where it leads to


class Authenticator:
    """A phone or a laptop that holds passkeys, in one browser."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def hand_on(self, other: "Authenticator") -> None:
        """What is here is there, too."""
        for each in self.credentials():
            other.cdp.send("WebAuthn.addCredential", {"authenticatorId": other.id, "credential": each})

    def verify(self, *, well: bool) -> None:
        """Whether the next fingerprint is the right one."""
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": well})


@pytest.fixture
def newcomer(site: Site) -> Iterator[str]:
    """Somebody who has a password, and nothing else, before and after."""
    with personal(site.engine, by="test") as c:
        user_id = members.find(c.session, NEW).id
        signing_in.set_password(c, user_id, PASSWORD)
    yield NEW
    with Session(site.engine) as session:
        session.execute(update(User).where(User.id == user_id).values(password=None, totp=None, totp_step=None))
        session.execute(delete(Passkey).where(Passkey.user_id == user_id))
        session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
        session.commit()


def add_passkey(page: Page, name: str = "My laptop") -> None:
    page.goto("/settings/security/passkeys/add")
    expect(page.get_by_label("Name")).to_have_value("Chrome on Linux")  # a suggestion
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("The passkey is added")).to_be_visible()


def press_passkey(page: Page) -> None:
    page.get_by_role("button", name="Sign in with a passkey").click()


def test_26_a_passkey_is_made_and_signs_in_by_itself(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    device = Authenticator(page)
    add_passkey(page)
    expect(page.get_by_text("My laptop", exact=True)).to_be_visible()
    picture(page, "security-with-passkey")
    assert len(device.credentials()) == 1

    stranger = browse("/auth/forgot", who="")  # a page that asks for none, or it would be taken while handed on
    device.hand_on(Authenticator(stranger))
    stranger.goto("/auth/sign-in")  # the page offers it by itself, in the address field
    expect(stranger).to_have_url(INSIDE)
    with Session(site.engine) as session:
        row = session.scalars(select(Passkey).where(Passkey.name == "My laptop")).one()
        assert row.used_at is not None


def test_26_the_button_asks_for_a_passkey_too(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    device = Authenticator(page)
    add_passkey(page)
    stranger = browse("about:blank", who="")
    stranger.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    stranger.goto("/auth/sign-in?next=/settings")
    device.hand_on(Authenticator(stranger))
    press_passkey(stranger)
    expect(stranger).to_have_url(f"{site.origin}/settings")


def quiet(page: Page) -> None:
    """A browser that offers nothing by itself, and shows what it sends before it does."""
    page.add_init_script("""
      PublicKeyCredential.isConditionalMediationAvailable = async () => false;
      HTMLFormElement.prototype.submit = function () {
        document.body.dataset.sent = this.elements.credential.value;
      };
    """)


def test_26_a_challenge_is_good_once(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    device = Authenticator(page)
    add_passkey(page)
    stranger = browse("about:blank", who="")
    quiet(stranger)
    stranger.goto("/auth/sign-in")
    device.hand_on(Authenticator(stranger))
    press_passkey(stranger)
    stranger.wait_for_selector("body[data-sent]")
    answer = stranger.locator("body").get_attribute("data-sent") or ""

    def send() -> str:
        form = {"credential": answer, "csrf_token": stranger.locator("[name=csrf_token]").first.input_value()}
        got = stranger.context.request.post("/auth/passkey", form=form, max_redirects=0, headers=headers)
        return got.headers["location"]

    headers = {"Origin": site.origin, "Referer": f"{site.origin}/auth/sign-in"}
    assert not send().startswith("/auth/")
    stranger.context.clear_cookies()
    stranger.goto("/auth/sign-in")
    assert send() == "/auth/sign-in?next=/"  # another session has no such challenge
    stranger.context.request.post(
        "/auth/passkey/options",
        headers={**headers, "X-CSRFToken": stranger.locator("[name=csrf_token]").first.input_value()},
    )
    assert send() == "/auth/sign-in?next=/"  # and another challenge wants another answer


def test_26_a_counter_that_goes_back_is_a_copy(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    device = Authenticator(page)
    add_passkey(page)
    with Session(site.engine) as session:
        session.execute(update(Passkey).where(Passkey.name == "My laptop").values(sign_count=1000))
        session.commit()
    stranger = browse("about:blank", who="")
    stranger.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    stranger.goto("/auth/sign-in")
    device.hand_on(Authenticator(stranger))
    press_passkey(stranger)
    expect(stranger.get_by_text("That passkey was not accepted", exact=False)).to_be_visible()
    assert stranger.url.startswith(f"{site.origin}/auth/sign-in")


def test_26_who_is_not_verified_does_not_come_in(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    device = Authenticator(page)
    add_passkey(page)
    stranger = browse("about:blank", who="")
    stranger.add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    stranger.goto("/auth/sign-in")
    other = Authenticator(stranger)
    device.hand_on(other)
    other.verify(well=False)
    press_passkey(stranger)
    expect(stranger.get_by_text("No passkey was used.", exact=False)).to_be_visible()


def test_16_a_passkey_shows_that_it_is_still_them(browse: Browse, site: Site, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    Authenticator(page)
    add_passkey(page)
    page.goto("/auth/confirm?next=/settings/security/password")
    assert not violations(page)
    picture(page, "confirm-with-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(f"{site.origin}/settings/security/password")


def test_a_passkey_is_renamed_and_removed(browse: Browse, newcomer: str) -> None:
    page = browse("/settings/security", who=newcomer)
    Authenticator(page)
    add_passkey(page)
    page.get_by_role("link", name="Edit My laptop").click()
    page.get_by_label("Name").fill("Old laptop")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Edit Old laptop").click()
    page.get_by_role("button", name="Remove the passkey").click()
    page.get_by_role("button", name=re.compile("Remove|Yes")).last.click()
    expect(page.get_by_text("is removed")).to_be_visible()


@pytest.mark.parametrize("javascript", [True, False])
def test_23_an_app_is_set_up_and_asked_for(
    browse: Browse, site: Site, newcomer: str, complaints: Complaints, javascript: bool
) -> None:
    complaints.expected.add(422)
    page = browse("/settings/security", who=newcomer, javascript=javascript)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Authenticator app")).to_be_visible()
    seed = re.search(r"secret=([A-Z2-7]+)", page.content())
    assert seed is not None
    app, step = pyotp.TOTP(seed[1]), int(datetime.now(UTC).timestamp()) // 30
    look(page, "totp")
    page.get_by_label("The six digits it shows").fill(app.generate_otp(step))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".codes code")).to_have_count(10)
    code = page.locator(".codes code").first.inner_text()
    look(page, "codes")

    stranger = browse("/auth/sign-in", who="", javascript=javascript)
    stranger.get_by_label("E-mail address").fill(newcomer)
    stranger.get_by_label("Password", exact=True).fill(PASSWORD)
    stranger.get_by_role("button", name="Sign in", exact=True).click()
    look(stranger, "second-factor")
    stranger.get_by_label("Code").fill("000000")
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger.get_by_text("that code is wrong", exact=False)).to_be_visible()
    stranger.get_by_label("Code").fill(code)
    stranger.get_by_role("button", name="Sign in").click()
    expect(stranger).to_have_url(INSIDE)


def look(page: Page, name: str) -> None:
    """In all looks, as test_pages does it."""
    if page.evaluate("typeof customElements.get('copy-text')") == "undefined":
        return  # without JavaScript it looks the same
    size = page.viewport_size
    for theme, width in LOOKS:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 700})
        picture(page, f"{name}-{width}-{theme}")
        assert not violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert size is not None
    page.set_viewport_size(size)


def test_a_password_may_be_looked_at_while_it_is_typed(browse: Browse) -> None:
    page = browse("/auth/sign-in", who="")
    field = page.get_by_label("Password", exact=True)
    field.fill(PASSWORD)
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    expect(field).to_be_focused()
    assert not violations(page)
    picture(page, "sign-in-shown")
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "password")


def test_a_whole_first_hour(browse: Browse, site: Site) -> None:
    page = browse(f"/auth/invited/{site.ids['joining']}", who="", width=360)
    page.get_by_label("Your name").fill("New Person")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page).to_have_url(INSIDE)
    page.goto("/settings")
    page.get_by_label("Theme").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_vault_of_this_site_is_the_tests(site: Site, newcomer: str) -> None:
    with personal(site.engine, by="test", vault=vault_of(site.settings)) as c:
        user_id = members.find(c.session, newcomer).id
        step = int(c.now.timestamp()) // 30
        assert len(factors.turn_on(c, user_id, SEED, pyotp.TOTP(SEED).generate_otp(step))) == 10

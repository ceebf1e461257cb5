"""Rows of the audit trail of an account, in the words of its owner; and the tabs of its settings."""

from flask import Flask, current_app, request, url_for

from web.agents import described
from web.forms.settings import SCOPES
from web.i18n import N_, _

WORDS = {
    "user.sign-in": N_("Signed in"),
    "user.confirm": N_("Confirmed that it is you"),
    "user.add": N_("Account made"),
    "user.set": N_("Profile changed"),
    "user.on": N_("Account switched on"),
    "user.off": N_("Account switched off"),
    "user.delete": N_("Account deleted"),
    "user.restore": N_("Account restored"),
    "user.password": N_("Password changed"),
    "user.rehash": N_("Password protected anew"),
    "user.email": N_("E-mail address changed"),
    "user.email.ask": N_("Another e-mail address asked for"),
    "session.revoke": N_("Sessions ended"),
    "totp.on": N_("Authenticator app added"),
    "totp.off": N_("Authenticator app removed"),
    "recovery.renew": N_("Recovery codes made"),
    "recovery.use": N_("Recovery code used"),
    "passkey.add": N_("Passkey added"),
    "passkey.set": N_("Passkey renamed"),
    "passkey.delete": N_("Passkey removed"),
    "api_key.add": N_("API key made"),
    "api_key.revoke": N_("API key revoked"),
    "link.add": N_("Link for a new password asked for"),
    "user.reset-mfa": N_("Second factors removed by an administrator"),
    "user.export": N_("Data exported"),
}
TABS = (
    ("settings.profile", N_("Profile")),
    ("settings.security", N_("Security")),
    ("settings.api_keys", N_("API keys")),
    ("settings.data", N_("Your data")),
)


def init_app(app: Flask) -> None:
    """For the templates of settings."""
    app.jinja_env.filters.update(happening=happening, agent=described, scope=scope)
    app.jinja_env.globals.update(tabs=tabs)


def happening(act: str) -> str:
    """An act in words."""
    return _(WORDS[act]) if act in WORDS else act


def scope(name: str) -> str:
    """What an API key may do, in words."""
    words = {str(each): text for each, text in SCOPES.items()}
    return _(words[name]) if name in words else name


def tabs() -> list[tuple[str, str, bool]]:
    """Word, address, and whether the reader is there."""
    return [
        (_(word), url_for(endpoint), request.endpoint == endpoint)
        for endpoint, word in TABS
        if endpoint in current_app.view_functions
    ]

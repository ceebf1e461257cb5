"""Where the bar of each page leads. A page that wants to stand there has a row here."""

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for

from web import sessions
from web.i18n import N_, _


@dataclass(frozen=True, slots=True)
class Item:
    """A link of the bar. `here`: the reader is on that page or below it."""

    href: str
    label: str
    icon: str
    here: bool


# Endpoint, label, icon; labels are translated when shown. On a phone the first four stand in the bar.
MAIN = (
    ("home.dashboard", N_("Home"), "home"),
    ("aliases.listing", N_("Aliases"), "alias"),
    ("messages.listing", N_("Log"), "log"),
    ("domains.listing", N_("Domains"), "domain"),
    ("mailboxes.listing", N_("Mailboxes"), "mailbox"),
    ("explain.ask", N_("Explain"), "explain"),
)
OWN = (
    ("operator.health", N_("Service"), "service"),
    ("settings.profile", N_("Settings"), "settings"),
)


def init_app(app: Flask) -> None:
    """For base.html."""
    app.jinja_env.globals.update(
        navigation=lambda: _items(MAIN),
        own_navigation=lambda: _items(OWN),
        endpoints=lambda: current_app.view_functions,
    )


def _items(rows: tuple[tuple[str, str, str], ...]) -> list[Item]:
    member = sessions.visit().member
    shown = []
    for endpoint, label, icon in rows:
        blueprint = endpoint.partition(".")[0]
        if endpoint not in current_app.view_functions or (blueprint == "operator" and not (member and member.is_admin)):
            continue
        here = (request.blueprint or "") == blueprint
        shown.append(Item(url_for(endpoint), _(label), icon, here))
    return shown

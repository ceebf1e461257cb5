"""The pages, a blueprint for each subject. A new one is a module here and a name in PAGES."""

from flask import Flask

from web.pages import (
    aliases,
    announcements,
    domains,
    explain,
    health,
    home,
    installing,
    mailboxes,
    messages,
    operator,
    settings,
    signing,
    welcome,
    wellknown,
)

PAGES = (
    aliases,
    announcements,
    domains,
    explain,
    health,
    home,
    installing,
    mailboxes,
    messages,
    operator,
    settings,
    signing,
    wellknown,
    welcome,
)


def init_app(app: Flask) -> None:
    """Give them their addresses."""
    for page in PAGES:
        app.register_blueprint(page.pages)

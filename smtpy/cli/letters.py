"""Letters that a command writes, in English: who is at the terminal knows no language of the reader."""

import os

import click

from smtpy.cli.setup import Setup, Trouble
from smtpy.notices import letters
from smtpy.notices.letters import Letter
from smtpy.notices.message import composed
from smtpy.notices.post import Post, Undelivered


def send(setup: Setup, to: str, letter: Letter) -> None:
    """Send it. Raises Undelivered."""
    from datetime import UTC, datetime

    settings = setup.settings
    names = {"sender": settings.notice_sender, "to": to, "host": settings.hostname, "language": "en"}
    message = composed(letter, **names, now=datetime.now(UTC))
    Post(settings.notice_server, settings.notice_sender, settings.hostname).send(message, to)


def invite(setup: Setup, to: str, link: str) -> None:
    """Send an invitation; Trouble if it does not leave, which says the link."""
    settings = setup.settings
    try:
        send(setup, to, letters.invitation(letters.untranslated, link, settings.hostname, settings.postmaster))
    except Undelivered as why:
        raise Trouble(os.EX_TEMPFAIL, f"the invitation stands, but was not sent: {why}; its link is {link}") from None


def tell(setup: Setup, to: str, what: str) -> None:
    """Tell a user that their way of signing in has changed (letters.CHANGES), if that is possible now."""
    link = f"{setup.settings.web_origin.rstrip('/')}/settings/security"
    try:
        send(setup, to, letters.changed(letters.untranslated, link, what))
    except Undelivered as why:
        click.echo(f"{to} was not told: {why}", err=True)

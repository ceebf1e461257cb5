"""`smtpy invite`: letting people make an account."""

import click

from smtpy.cli.acts import reading
from smtpy.cli.setup import Setup, Trouble, pass_setup
from smtpy.cli.show import json_option, show_list


@click.group("invite")
def invite_command() -> None:
    """Invitations: links by which people make an account."""


@invite_command.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "user"]), default="user", show_default=True)
@click.option("--send", is_flag=True, help="Send the link there, too.")
@pass_setup
def create(setup: Setup, email: str, role: str, send: bool) -> None:
    """Invite somebody; prints the link, which is good for 7 days, once."""
    from smtpy.admin import accounts
    from smtpy.store.schema import Role

    with setup.change() as c:
        link = url(setup, "invited", accounts.invite(c, email, role=Role(role)))
    if send:
        _send(setup, email, link)
    click.echo(link)


def url(setup: Setup, page: str, token: str) -> str:
    """The page of a link, as people reach it. The web has the same addresses (web/pages/signing)."""
    return f"{setup.settings.web_origin.rstrip('/')}/auth/{page}/{token}"


def _send(setup: Setup, email: str, link: str) -> None:
    import os
    from datetime import UTC, datetime

    from smtpy.notices import letters
    from smtpy.notices.message import composed
    from smtpy.notices.post import Post, Undelivered

    settings = setup.settings
    letter = letters.invitation(letters.untranslated, link, settings.hostname, settings.postmaster)
    names = {"sender": settings.notice_sender, "to": email, "host": settings.hostname, "language": "en"}
    message = composed(letter, **names, now=datetime.now(UTC))
    try:
        Post(settings.notice_server, settings.notice_sender, settings.hostname).send(message, email)
    except Undelivered as why:
        raise Trouble(os.EX_TEMPFAIL, f"the invitation stands, but was not sent: {why}; its link is {link}") from None


@invite_command.command("list")
@json_option
@pass_setup
def list_(setup: Setup, as_json: bool) -> None:
    """List invitations that nobody has accepted."""
    with reading(setup) as session:
        from dataclasses import asdict

        from smtpy.admin import accounts

        found = [asdict(each) for each in accounts.invitations(session)]
    show_list(found, ("email", "role", "created_by", "expires_at"), as_json=as_json)


@invite_command.command()
@click.argument("name")
@pass_setup
def revoke(setup: Setup, name: str) -> None:
    """Make an invitation worth nothing, by address or UUID."""
    with setup.change() as c:
        from smtpy.admin import accounts

        accounts.revoke_invitation(c, name)
    click.echo(f"the invitation of {name} is revoked")

"""`smtpy invite`: letting people make an account."""

import click

from smtpy.cli.acts import reading
from smtpy.cli.choices import role_option
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_list


@click.group("invite")
def invite_command() -> None:
    """Invitations: links by which people make an account."""


@invite_command.command()
@click.argument("email")
@role_option
@click.option("--send", is_flag=True, help="Send the link there, too.")
@pass_setup
def create(setup: Setup, email: str, role: str, send: bool) -> None:
    """Invite somebody; prints the link, which is good for 7 days, once."""
    from smtpy.admin import accounts
    from smtpy.store.schema import Role

    with setup.change() as c:
        link = url(setup, "invited", accounts.invite(c, email, role=Role(role)))
    if send:
        from smtpy.cli.letters import invite

        invite(setup, email, link)
    click.echo(link)


def url(setup: Setup, page: str, token: str) -> str:
    """The page of a link, as people reach it. The web has the same addresses (web/pages/signing)."""
    return f"{setup.settings.web_origin.rstrip('/')}/auth/{page}/{token}"


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

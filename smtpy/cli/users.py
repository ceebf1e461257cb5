"""`smtpy user`: the people who own domains, mailboxes and aliases."""

import sys
from types import ModuleType

import click

from smtpy.cli.acts import add_acts, listing, reading, show_page
from smtpy.cli.choices import role_option
from smtpy.cli.invitations import url
from smtpy.cli.setup import Setup, pass_setup


@click.group("user")
def user_command() -> None:
    """People who own domains, mailboxes and aliases."""


def _admin() -> ModuleType:
    from smtpy.admin import members

    return members


@user_command.command()
@click.argument("email")
@role_option
@click.option("--name", default="", help="The person's name.")
@pass_setup
def add(setup: Setup, email: str, role: str, name: str) -> None:
    """Add a user, known by an e-mail address."""
    with setup.change() as c:
        from smtpy.admin import members
        from smtpy.store.schema import Role

        made = members.add(c, email, name=name, role=Role(role))
    click.echo(f"added user {made.email}")


@user_command.command("list")
@listing
@pass_setup
def list_(setup: Setup, trash: bool, limit: int, after: int, as_json: bool) -> None:
    """List users."""
    with reading(setup) as session:
        from smtpy.admin import members

        found = members.page(session, trash=trash, after=after, limit=limit)
    show_page(found, ("id", "email", "name", "role", "enabled"), limit, as_json=as_json)


@user_command.command()
@click.argument("email")
@pass_setup
def passwd(setup: Setup, email: str) -> None:
    """Set a user's password, asked for here or read from standard input; ends their sessions."""
    text = _asked() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    with setup.change() as c:
        from smtpy.admin import members, sessions, signing_in

        user = members.USERS.living(c.session, email)
        signing_in.set_password(c, user.id, text, words=(setup.settings.hostname,))
        sessions.revoke_all(c, user.id)
    click.echo(f"user {email} has another password and is signed out everywhere")


@user_command.command()
@pass_setup
def first(setup: Setup) -> None:
    """Print the link by which somebody becomes the first administrator: good for 24 hours, once."""
    with setup.change() as c:
        from smtpy.admin import accounts

        token = accounts.first(c)
    click.echo(url(setup, "first", token))


@user_command.command()
@click.argument("email")
@pass_setup
def link(setup: Setup, email: str) -> None:
    """Print a link by which a user chooses a password: good for 30 minutes, once."""
    with setup.change() as c:
        from smtpy.admin import accounts, members

        token = accounts.link_for(c, members.USERS.living(c.session, email))
    click.echo(url(setup, "reset", token))


@user_command.command("reset-mfa")
@click.argument("email")
@pass_setup
def reset_mfa(setup: Setup, email: str) -> None:
    """Remove authenticator app, recovery codes and passkeys of who has lost them; ends their sessions."""
    from smtpy.cli.letters import tell

    with setup.change() as c:
        from smtpy.admin import factors, members, sessions

        user = members.USERS.living(c.session, email)
        factors.reset(c, user.id)
        sessions.revoke_all(c, user.id)
        email = user.email
    tell(setup, email, "mfa.reset")
    click.echo(f"user {email} signs in by password alone, and is signed out everywhere")


def _asked() -> str:
    found: str = click.prompt("New password", hide_input=True, confirmation_prompt="Once more")
    return found


add_acts(user_command, "user", _admin)

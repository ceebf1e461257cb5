"""`smtpy user`: the people who own domains, mailboxes and aliases."""

from types import ModuleType

import click

from smtpy.cli.acts import add_acts, listing, reading, show_page
from smtpy.cli.setup import Setup, pass_setup


@click.group("user")
def user_command() -> None:
    """People who own domains, mailboxes and aliases."""


def _admin() -> ModuleType:
    from smtpy.admin import members

    return members


@user_command.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["admin", "user"]), default="user", show_default=True)
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


add_acts(user_command, "user", _admin)

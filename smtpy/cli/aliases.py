"""`smtpy alias`: addresses that stand for mailboxes."""

from types import ModuleType
from typing import Any

import click

from smtpy.cli.acts import add_acts, listing, reading, show_page
from smtpy.cli.choices import NONE, chosen, mode_option, when_off_option
from smtpy.cli.setup import Setup, pass_setup


@click.group("alias")
def alias_command() -> None:
    """Addresses that stand for mailboxes."""


def _admin() -> ModuleType:
    from smtpy.admin import aliases

    return aliases


def _choices(command: Any) -> Any:
    """What `add` and `set` can choose."""
    for option in (
        click.option("--note", help="A note for its owner."),
        click.option("--expires", metavar="TIME|none", help="ISO 8601; UTC unless it says otherwise."),
        mode_option,
        when_off_option,
        click.option("--to", multiple=True, metavar="MAILBOX", help="Where it leads; may be given again."),
    ):
        command = option(command)
    return command


def _chosen(expires: str | None, **choices: Any) -> dict[str, Any]:
    from smtpy.admin import read

    given = chosen(**choices)
    if expires is not None:
        given["expires_at"] = None if expires == NONE else read.moment("expires_at", expires)
    return given


@alias_command.command()
@click.argument("address")
@click.option("--owner", metavar="EMAIL", help="Else the owner of the domain.")
@_choices
@pass_setup
def add(setup: Setup, /, address: str, owner: str | None, **choices: Any) -> None:
    """Add an alias."""
    with setup.change() as c:
        from smtpy.admin import aliases

        made = aliases.add(c, address, owner=owner, **_chosen(**choices))
    click.echo(f"added alias {made.address} to {', '.join(made.mailboxes)}")


@alias_command.command("set")
@click.argument("address")
@_choices
@pass_setup
def set_(setup: Setup, /, address: str, **choices: Any) -> None:
    """Change what was chosen for an alias; --to replaces all its mailboxes."""
    with setup.change() as c:
        from smtpy.admin import aliases

        made = aliases.set_(c, address, **_chosen(**choices))
    click.echo(f"alias {made.address} is set")


@alias_command.command("list")
@click.option("--domain", metavar="NAME", help="Those of this domain.")
@click.option("--owner", metavar="EMAIL", help="Those of this user.")
@listing
@pass_setup
def list_(setup: Setup, /, limit: int, as_json: bool, **choice: Any) -> None:
    """List aliases."""
    with reading(setup) as session:
        from smtpy.admin import aliases

        found = aliases.page(session, limit=limit, **choice)
    show_page(found, ("id", "address", "mailboxes", "owner", "enabled", "expires_at"), limit, as_json=as_json)


add_acts(alias_command, "alias", _admin)

"""`smtpy mailbox`: where aliases lead to."""

from types import ModuleType

import click

from smtpy.cli.acts import add_acts, listing, reading, show_page
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.zone import mailbox_check_command


@click.group("mailbox")
def mailbox_command() -> None:
    """Where aliases lead to."""


def _admin() -> ModuleType:
    from smtpy.admin import mailboxes

    return mailboxes


@mailbox_command.command()
@click.argument("address")
@click.option("--owner", required=True, metavar="EMAIL", help="The user whose aliases may lead there.")
@pass_setup
def add(setup: Setup, address: str, owner: str) -> None:
    """Add a mailbox. It counts as verified: whoever may run this answers for it."""
    with setup.change() as c:
        from smtpy.admin import mailboxes

        made = mailboxes.add(c, address, owner=owner, verified=True)
    click.echo(f"added mailbox {made.address} of {made.owner}")


@mailbox_command.command("list")
@click.option("--owner", metavar="EMAIL", help="Those of this user.")
@listing
@pass_setup
def list_(setup: Setup, /, owner: str | None, limit: int, as_json: bool, **choice: int) -> None:
    """List mailboxes."""
    with reading(setup) as session:
        from smtpy.admin import mailboxes

        found = mailboxes.page(session, owner=owner, limit=limit, after=choice["after"], trash=bool(choice["trash"]))
    show_page(found, ("id", "address", "owner", "enabled", "verified_at"), limit, as_json=as_json)


add_acts(mailbox_command, "mailbox", _admin)
mailbox_command.add_command(mailbox_check_command)

"""`smtpy domain`: the domains whose mail comes here, and their catch-alls."""

from types import ModuleType
from typing import Any

import click

from smtpy.cli.acts import add_acts, listing, reading, show_page
from smtpy.cli.choices import MODES, NONE, ON_DMARC, chosen, mode_option, when_off_option
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.zone import dns_command, domain_check_command


class Octets(click.ParamType[int | str]):
    """A number of octets, or the word that takes the limit away."""

    name = "octets"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        return value if value == NONE else click.INT.convert(value, param, ctx)


@click.group("domain")
def domain_command() -> None:
    """Domains whose mail comes here."""


def _admin() -> ModuleType:
    from smtpy.admin import domains

    return domains


def _choices(command: Any) -> Any:
    """What `add` and `set` can choose."""
    for option in (
        click.option("--extension-separator", metavar="CHARACTER|none", help="Begins the extension of an alias."),
        click.option("--max-message-bytes", type=Octets(), metavar="OCTETS|none", help="The largest message taken."),
        click.option(
            "--on-quarantine",
            type=click.Choice(ON_DMARC),
            help="What is done with mail that fails DMARC, where its author's domain asks for quarantine; else tag.",
        ),
        click.option(
            "--on-reject",
            type=click.Choice(ON_DMARC),
            help="What is done with mail that fails DMARC, where its author's domain asks for rejection; else refuse.",
        ),
        click.option("--default-mode", type=click.Choice(MODES), help="The mode of new aliases."),
        when_off_option,
        click.option("--role-mailbox", metavar="ADDRESS|none", help="Takes mail to postmaster and abuse."),
    ):
        command = option(command)
    return command


@domain_command.command()
@click.argument("name")
@click.option("--owner", required=True, metavar="EMAIL", help="The user it belongs to.")
@_choices
@pass_setup
def add(setup: Setup, /, name: str, owner: str, **choices: Any) -> None:
    """Add a domain. Its roles go to its owner's first mailbox unless told otherwise."""
    with setup.change() as c:
        from smtpy.admin import domains

        made = domains.add(c, name, owner=owner, **chosen(**choices))
    click.echo(f"added domain {made.name} of {made.owner}")


@domain_command.command("set")
@click.argument("name")
@_choices
@pass_setup
def set_(setup: Setup, /, name: str, **choices: Any) -> None:
    """Change what was chosen for a domain."""
    with setup.change() as c:
        from smtpy.admin import domains

        made = domains.set_(c, name, **chosen(**choices))
    click.echo(f"domain {made.name} is set")


@domain_command.command("list")
@click.option("--owner", metavar="EMAIL", help="Those of this user.")
@listing
@pass_setup
def list_(setup: Setup, /, owner: str | None, limit: int, as_json: bool, **choice: int) -> None:
    """List domains."""
    with reading(setup) as session:
        from smtpy.admin import domains

        found = domains.page(session, owner=owner, limit=limit, after=choice["after"], trash=bool(choice["trash"]))
    show_page(found, ("id", "name", "owner", "enabled", "role_mailbox"), limit, as_json=as_json)


@domain_command.command("catch-all")
@click.argument("name")
@click.argument("mailboxes", nargs=-1, metavar="[MAILBOX]...")
@click.option("--off", is_flag=True, help="No catch-all any more.")
@mode_option
@pass_setup
def catch_all(setup: Setup, name: str, mailboxes: tuple[str, ...], off: bool, mode: str | None) -> None:
    """Let every address of a domain exist and lead to these mailboxes."""
    if off == bool(mailboxes):
        raise click.UsageError("name either mailboxes or --off")
    with setup.change() as c:
        from smtpy.admin import automatics

        if off:
            automatics.no_catch_all(c, name)
        else:
            automatics.catch_all(c, name, to=mailboxes, **chosen(mode=mode))
    click.echo(f"domain {name} has no catch-all" if off else f"domain {name} has a catch-all")


add_acts(domain_command, "domain", _admin)
domain_command.add_command(dns_command)
domain_command.add_command(domain_check_command)

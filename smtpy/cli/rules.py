"""`smtpy rule`: automatic aliases with a pattern, and the catch-all among them."""

from dataclasses import asdict

import click

from smtpy.cli.acts import reading
from smtpy.cli.choices import chosen, mode_option
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_list


@click.group("rule")
def rule_command() -> None:
    """Automatic aliases: addresses that exist because they match."""


@rule_command.command()
@click.argument("domain")
@click.argument("pattern")
@click.option("--to", multiple=True, required=True, metavar="MAILBOX", help="Where it leads; may be given again.")
@mode_option
@pass_setup
def add(setup: Setup, domain: str, pattern: str, to: tuple[str, ...], mode: str | None) -> None:
    """Add a rule, tried after the others. PATTERN is an RE2 expression for the whole part before the @."""
    with setup.change() as c:
        from smtpy.admin import automatics

        made = automatics.add(c, domain, pattern, to=to, **chosen(mode=mode))
    click.echo(f"added rule {made.id}: {made.pattern}@{made.domain} to {', '.join(made.mailboxes)}")


@rule_command.command("list")
@click.argument("domain")
@json_option
@pass_setup
def list_(setup: Setup, domain: str, as_json: bool) -> None:
    """List the rules of a domain in the order in which they are tried, the catch-all last."""
    with reading(setup) as session:
        from smtpy.admin import automatics

        found = automatics.page(session, domain)
    show_list([asdict(view) for view in found], ("id", "pattern", "mailboxes", "enabled"), as_json=as_json)


@rule_command.command()
@click.argument("rule", metavar="ID")
@pass_setup
def delete(setup: Setup, rule: str) -> None:
    """Take a rule away for good."""
    with setup.change() as c:
        from smtpy.admin import automatics

        gone = automatics.delete(c, rule)
    click.echo(f"deleted rule {gone.id} of {gone.domain}")

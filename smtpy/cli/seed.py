"""`smtpy seed`: a made-up town in an empty database, to look at and to measure."""

from datetime import UTC, datetime

import click

from smtpy.cli.setup import Setup, pass_setup

PATIENCE_SECONDS = 600.0  # for one statement


@click.command("seed")
@click.option(
    "--size",
    type=click.Choice(["small", "large"]),
    default="small",
    show_default=True,
    help="small: to look at; large: to measure, and takes minutes.",
)
@click.option("--number", type=int, default=1, show_default=True, help="Another number, another town.")
@click.option("--force", is_flag=True, help="Also where there are users already.")
@pass_setup
def seed_command(setup: Setup, size: str, number: int, force: bool) -> None:
    """Fill an empty database with made-up people, aliases and mail."""
    from smtpy.seed import PASSWORD, plant

    with setup.engine(deadline=PATIENCE_SECONDS) as engine:
        planted = plant(engine, setup.settings, size, number, datetime.now(UTC), force=force)
    click.echo(f"planted {planted.aliases} aliases and {planted.messages} messages; all is made up")
    click.echo(f"sign in as {planted.owner}, or as {planted.admin} who is an administrator: {PASSWORD}")

"""`smtpy purge`: what the worker does every ten minutes, done now and to the end."""

import time
from datetime import UTC, datetime

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document

REST_SECONDS = 0.05  # between two batches: Postfix's processes write the journal meanwhile


def _rest() -> bool:
    time.sleep(REST_SECONDS)
    return True


@click.command("purge")
@json_option
@pass_setup
def purge_command(setup: Setup, as_json: bool) -> None:
    """Take away what has been kept for long enough.

    Messages and what became of them by journal_days, and what the worker purges beside them. What it has not counted
    yet for the pages stays.
    """
    from smtpy.admin.retention import kinds, purge

    with setup.engine() as engine:
        gone = {each.name: purge(engine, each, _rest) for each in kinds(setup.settings, datetime.now(UTC))}
    if as_json:
        show_document(gone)
    else:
        click.echo("purged " + ", ".join(f"{number} {name}" for name, number in gone.items()))

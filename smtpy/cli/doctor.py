"""`smtpy doctor`: what is wrong with this installation, each finding with its fix; the exit code tells the worst one.

The checks are those of smtpy.doctor, from causes to consequences: so of several errors the first gives the exit code,
since it may well be the cause of the others.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from smtpy.cli.setup import Setup, Trouble, give_back, pass_setup
from smtpy.cli.show import json_option, show_document
from smtpy.doctor.finding import WARNING, Finding

SAID = {os.EX_OK: "ok   ", WARNING: "WARN "}  # the rest are errors


SUBJECTS = (
    *("settings", "files", "clock", "disk", "database", "standby", "backups", "resolvers"),
    *("lookup", "policy", "milter", "queue"),
    *("postfix", "smtpd", "web", "hostname", "blocklists"),
)


@click.command("doctor")
@click.argument("subjects", metavar="[SUBJECT]...", type=click.Choice(SUBJECTS), nargs=-1)
@click.option(
    "--postfix",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The configuration folder of Postfix; default: the one Postfix itself would use.",
)
@json_option
@click.pass_context
@pass_setup
def doctor_command(
    setup: Setup, ctx: click.Context, subjects: tuple[str, ...], postfix: Path | None, as_json: bool
) -> None:
    """Look for what is wrong with this installation.

    With SUBJECT, such as lookup, only there.
    """
    found = list(examine(setup, postfix, subjects))
    if as_json:
        show_document([asdict(finding) for finding in found])
    else:
        for finding in found:
            fix = f"; {finding.fix}" if finding.fix else ""
            click.echo(f"{SAID.get(finding.code, 'ERROR')} {finding.subject}: {finding.words}{fix}")
    codes = [finding.code for finding in found if finding.code]
    ctx.exit(next((code for code in codes if code != WARNING), max(codes, default=os.EX_OK)))


def examine(setup: Setup, postfix: Path | None, subjects: tuple[str, ...] = ()) -> Iterator[Finding]:
    """All findings, or those about the subjects; without settings nothing else can be looked at."""
    try:
        settings = setup.settings
    except Trouble as trouble:
        for line in trouble.message.splitlines()[1:]:
            yield Finding("settings", trouble.code, line, give_back(line) or "correct it, or run `smtpy init`")
        return
    from smtpy.config import gather
    from smtpy.doctor import rounds

    secrets = tuple(gather(setup.config, setup.environ).secret_files)
    here = rounds.Installation(settings, secrets, postfix or settings.postfix_dir)
    yield from rounds.examine(here, subjects)

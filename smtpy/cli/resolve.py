"""`smtpy resolve ADDRESS`: what happens at RCPT TO, and why; the answer that lookup and policy would give now.

Asks the database itself, so it shows what is declared even where a service has not heard of it yet. The exit code
tells the answer: EX_OK taken, EX_NOUSER refused, EX_TEMPFAIL put off, EX_NOHOST not a domain of ours.
"""

import os
from dataclasses import asdict

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_one


@click.command("resolve")
@click.argument("address")
@click.option("--from", "sender", default="", metavar="ADDRESS", help="The reverse-path; default: the null one.")
@click.option("--size", type=click.IntRange(0), default=0, metavar="OCTETS", help="The size as MAIL FROM tells it.")
@json_option
@click.pass_context
@pass_setup
def resolve_command(setup: Setup, ctx: click.Context, address: str, sender: str, size: int, as_json: bool) -> None:
    """What happens to mail to an address, and why."""
    with setup.engine() as engine:
        from smtpy.explain import answer
        from smtpy.mail.address import strip_path
        from smtpy.store.directory import SqlDirectory

        directory = SqlDirectory(engine, setup.settings.srs_max_age_days)
        found = answer(setup.settings, directory, strip_path(address), strip_path(sender), size)
    show_one(asdict(found), as_json=as_json)
    ctx.exit(code_of(found.answer))


def code_of(said: str) -> int:
    """The code of sysexits(3) that tells the answer."""
    from smtpy.explain import RELAY

    if said == RELAY:
        return os.EX_NOHOST
    return {"2": os.EX_OK, "4": os.EX_TEMPFAIL, "5": os.EX_NOUSER}[said[0]]

"""`smtpy verify FILE`: every verdict on a message, as it would be made if it arrived now.

SPF needs what no file holds: the client's address, its HELO name and the reverse-path. Without them it is `none`, and
DMARC rests on the signatures. Asks DNS by the settings; exits by what DMARC says: EX_NOPERM when nothing vouches for
the author, EX_TEMPFAIL when that could not be found out.
"""

import os
from dataclasses import asdict
from typing import BinaryIO

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document, show_list
from smtpy.cli.verdicts import COLUMNS, asking, sender_option, session_options

EXIT_CODES = {"fail": os.EX_NOPERM, "permerror": os.EX_NOPERM, "temperror": os.EX_TEMPFAIL}


@click.command("verify")
@click.argument("file", type=click.File("rb"))
@session_options
@sender_option
@json_option
@click.pass_context
@pass_setup
def verify_command(setup: Setup, ctx: click.Context, /, file: BinaryIO, as_json: bool, **session: str) -> None:
    """Who vouches for a message: SPF, DKIM, DMARC, ARC. FILE - is standard input."""
    from smtpy.authn.authenticate import Origin
    from smtpy.authn.results import written
    from smtpy.explain import rows, verdicts
    from smtpy.mail.message import parts

    hostname = setup.settings.hostname
    origin = Origin(session["client"], session["helo"], session["sender"], hostname)
    found = verdicts(*parts(file.read()), origin, asking(setup)())
    if as_json:
        show_document({**asdict(found), "authentication_results": written(hostname, found)})
    else:
        show_list([asdict(each) for each in rows(found)], COLUMNS, as_json=False)
    ctx.exit(EXIT_CODES.get(found.dmarc.result.value, os.EX_OK))

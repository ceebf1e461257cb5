"""`smtpy explain FILE --from A --to B...`: what would become of a message (smtpy.explain), told at a terminal.

Nothing is sent and nothing recorded. First what each RCPT TO would hear and who vouches for the message; then, for the
recipients that were taken, the plan of each pass: verdict and reply, the envelope that leaves, the header with what
goes (-) and what comes (+), and who vouches for it where it arrives. DNS is asked, by the settings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from smtpy.cli.resolve import code_of
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document
from smtpy.cli.verdicts import asking, sender_option, session_options

if TYPE_CHECKING:
    from smtpy.explain import Explained, Verdict


@click.command("explain")
@click.argument("file", type=click.File("rb"))
@sender_option
@click.option("--to", "recipients", multiple=True, required=True, metavar="ADDRESS", help="May be given again.")
@session_options
@json_option
@click.pass_context
@pass_setup
def explain_command(setup: Setup, ctx: click.Context, /, file: BinaryIO, as_json: bool, **session: Any) -> None:
    """What would be done with a message, and why. FILE - is standard input."""
    data = file.read()
    with setup.engine() as engine:
        from smtpy.explain import Asked, explain
        from smtpy.store.directory import SqlDirectory

        asked = Asked(data, session["sender"], session["recipients"], session["client"], session["helo"])
        directory = SqlDirectory(engine, setup.settings.srs_max_age_days)
        found = explain(asked, directory, setup.settings, asking(setup))
    if as_json:
        show_document(asdict(found))
    else:
        click.echo("\n".join(_text(asked.sender, found)))
    ctx.exit(code_of(found.passes[0].answer if found.passes else found.recipients[0].answer))


def _text(sender: str, found: "Explained") -> Iterator[str]:
    """A dialogue, then each pass."""
    from smtpy.explain import RELAY

    yield f"MAIL FROM:<{sender}>"
    for said in found.recipients:
        yield f"RCPT TO:<{said.address}>"
        yield f"    {said.answer}" + (f" ({said.why})" if said.answer != RELAY else "")
    yield from _vouching("as it arrives", found.authentication)
    for each in found.passes:
        yield f"end of message, {each.stage} pass"
        yield f"    {each.answer} ({each.why})"
        if each.verdict == "accept":
            yield f"    leaves from <{each.reverse_path}> to {', '.join(each.goes_to)}"
            if each.signed:
                yield f"    signed: {each.signed}"
            yield from (f"    {line}" for line in each.header)
            yield from _vouching("where it arrives then", each.where_it_arrives)


def _vouching(when: str, told: "Sequence[Verdict]") -> Iterator[str]:
    if told:
        yield f"who vouches for it, {when}"
    for each in told:
        yield "    " + " ".join(str(word) for word in (each.method, each.result, each.of, each.why) if word)

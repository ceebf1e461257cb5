"""`smtpy log`: what was done with messages, newest first; all, or what is known about one thing."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from smtpy.cli.choices import MAX_NUMBER
from smtpy.cli.logs import visible
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_document

if TYPE_CHECKING:
    from smtpy.store.journal import Entry


@click.command("log")
@click.argument("about", required=False, metavar="[MESSAGE-ID|QUEUE-ID|ADDRESS|UUID]")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Messages.")
@click.option("--before", type=click.IntRange(1, MAX_NUMBER), metavar="ID", help="Older than this one.")
@json_option
@pass_setup
def log_command(setup: Setup, about: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """What was done with messages, newest first."""
    with setup.engine() as engine:
        from smtpy.store.journal import entries

        found = entries(engine, about=about, limit=limit, before=before)
    if as_json:
        show_document([asdict(entry) for entry in found])
        return
    for entry in found:
        click.echo("\n".join(map(visible, lines(entry))))
    if not found:
        click.echo("nothing is recorded" + (f" about {about}" if about else ""), err=True)
    elif len(found) == limit:
        click.echo(f"there may be more: --before {found[-1].id}", err=True)


def lines(entry: "Entry") -> list[str]:
    """An entry for people: a line for the message, one for each recipient."""
    head = f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.queue_id or entry.uuid} {entry.verdict} from=<{entry.reverse_path}>"
    told = [f"{head} size={entry.size} client={entry.client or '-'} stage={entry.stage} id={entry.uuid}"]
    if entry.message_id:
        told.append(f"    message-id {entry.message_id}")
    if entry.dmarc:
        told.append(f"    spf={entry.spf} dkim={entry.dkim} dmarc={entry.dmarc} arc={entry.arc}")
    if entry.signed:
        told.append(f"    signed: {entry.signed}")
    for each in entry.recipients:
        goes = f" -> {', '.join(each.targets)}" if each.targets else ""
        told.append(f"    to=<{each.recipient}> {each.decision}{goes}: {each.why}")
    if not entry.recipients:
        told.append(f"    {entry.why}")
    return told

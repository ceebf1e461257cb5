"""`smtpy audit`: what can be proved, and who changed what (smtpy.cli.tail)."""

import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtpy.cli.logs import visible
from smtpy.cli.queue import asking, postfix_option
from smtpy.cli.setup import Setup, Trouble, pass_setup
from smtpy.cli.show import json_option, show_document
from smtpy.cli.tail import tail_command

if TYPE_CHECKING:
    from smtpy.admin.balance import Balance

LOOKS = 6  # at what seems to be missing: the log is followed within a second, the journal written within one
LOOK_SECONDS = 1.0
SINCE = timedelta(days=1)


@click.group("audit")
def audit_command() -> None:
    """Prove what became of mail; see who changed what."""


audit_command.add_command(tail_command)


@audit_command.command("mail")
@click.option("--since", metavar="TIME", help="ISO 8601, in UTC unless it says otherwise; else a day ago.")
@click.option("--until", metavar="TIME", help="Likewise; else now.")
@postfix_option
@json_option
@pass_setup
def mail(setup: Setup, since: str | None, until: str | None, postfix: Path | None, as_json: bool) -> None:
    """Prove that what was accepted was delivered, is queued, was returned or is recorded.

    Lists every recipient that has no end, and exits with 1 if there is one.
    """
    found, asked = _balance(setup, (since, until), postfix)
    if as_json:
        show_document({**asdict(found), "holds": found.holds, "queue_asked": asked})
    else:
        click.echo("\n".join(map(visible, lines(found))))
    if not asked:
        click.echo("the queue could not be asked (smtpy queue list says why): its part is what the log says", err=True)
    if not found.holds:
        raise click.exceptions.Exit(1)


def _balance(setup: Setup, between: tuple[str | None, str | None], postfix: Path | None) -> tuple["Balance", bool]:
    """Looks again while something seems to be missing, since log and journal are a moment behind the queue."""
    from smtpy.admin import read
    from smtpy.admin.balance import balance
    from smtpy.admin.change import reading

    since, until = between
    with setup.engine() as engine:
        begin = read.moment("since", since) if since else datetime.now(UTC) - SINCE
        end = read.moment("until", until) if until else None
        for look in range(LOOKS):
            now, queue = datetime.now(UTC), _queue(setup, postfix)
            with reading(engine) as session:
                found = balance(session, begin, end or now, queue)
            if found.holds or look == LOOKS - 1:
                break
            time.sleep(LOOK_SECONDS)
        return found, queue is not None


def _queue(setup: Setup, postfix: Path | None) -> frozenset[str] | None:
    from smtpy.admin.balance import waiting

    try:
        with asking(setup, postfix) as desk:
            return waiting(desk)
    except Trouble:
        return None


def lines(found: "Balance") -> list[str]:
    """The sum for people, and what is missing."""
    parts = " + ".join(f"{number} {kind}" for kind, number in found.counted.items() if kind != "missing")
    times = f"{found.since:%Y-%m-%d %H:%M:%S} to {found.until:%Y-%m-%d %H:%M:%S}"
    sign = "=" if found.holds else "≠"
    told = [f"{times}: {found.messages} messages", f"{found.accepted} accepted {sign} {parts}"]
    if found.unrecorded:
        told.append(f"{found.unrecorded} of them are known from the log alone: the journal lost their rows")
    if not found.holds:
        told.append(f"{len(found.missing)} missing:")
    for each in found.missing:
        goes = f" -> {each.target}" if each.target not in ("", each.recipient) else ""
        name = each.queue_id or each.uuid
        told.append(f"  {each.at:%Y-%m-%d %H:%M:%S} {name} to=<{each.recipient}>{goes}: {each.words}")
    return told

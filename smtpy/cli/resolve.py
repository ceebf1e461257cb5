"""`smtpy resolve ADDRESS`: what happens at RCPT TO, and why; the answer that lookup and policy would give now.

Asks the database itself, so it shows what is declared even where a service has not heard of it yet. The exit code
tells the answer: EX_OK taken, EX_NOUSER refused, EX_TEMPFAIL put off, EX_NOHOST not a domain of ours.
"""

import os
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_one

if TYPE_CHECKING:
    from smtpy.directory.questions import Directory
    from smtpy.directory.resolve import Resolution

RELAY = "Postfix decides: relayed for mynetworks, else 554 5.7.1 Relay access denied"


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
        from smtpy.mail.address import strip_path
        from smtpy.store.directory import SqlDirectory

        directory = SqlDirectory(engine, setup.settings.srs_max_age_days)
        found = answer(setup, directory, strip_path(address), strip_path(sender), size)
    show_one(found, as_json=as_json)
    ctx.exit(exit_code(found))


def answer(setup: Setup, directory: "Directory", recipient: str, sender: str, size: int) -> dict[str, Any]:
    """What RCPT TO is answered, with the resolution behind it. Both as strip_path leaves them. Raises Unavailable."""
    from datetime import UTC, datetime

    from smtpy.directory.resolve import resolve
    from smtpy.policy.decision import BAD_RECIPIENT, decide
    from smtpy.policy.protocol import Request
    from smtpy.routing.ask import recipient_address
    from smtpy.terms import house_of

    house, now = house_of(setup.settings), datetime.now(UTC)
    address = recipient_address(recipient, house)
    if address is None:
        why = "Postfix or the policy refuses it, as no address"
        return {"address": recipient, "resolution": "malformed", "answer": str(BAD_RECIPIENT), "why": why}
    found = resolve(address, directory, house, now)
    # Postfix asks in its internal form, without quotes (SMTPD_POLICY_README)
    request = Request("RCPT", sender, f"{address.local}@{address.domain}", size, "")
    decided = decide(request, directory, house, setup.settings.message_size_limit, now)
    row = {"address": str(address), "resolution": type(found).__name__.lower(), "answer": "250 2.1.5 Ok"}
    if decided.reply:
        row["answer"] = str(decided.reply)
    elif row["resolution"] == "foreign":
        row["answer"] = RELAY
    return row | {"why": decided.why} | _details(found)


def _details(found: "Resolution") -> dict[str, Any]:
    from smtpy.directory.resolve import Drop, Forward, Refused, Return

    match found:
        case Forward(address=address, mailboxes=mailboxes, alias_id=alias_id, mode=mode):
            return {"declared_as": str(address), "goes_to": mailboxes, "alias_id": alias_id, "mode": mode.value}
        case Return(sender=sender):
            return {"goes_to": (sender,)}
        case Drop(address=address, alias_id=alias_id):
            return {"declared_as": str(address), "goes_to": (), "alias_id": alias_id}
        case Refused(alias_id=alias_id):
            return {"goes_to": (), "alias_id": alias_id}
        case _:
            return {}


def exit_code(found: dict[str, Any]) -> int:
    """The code of sysexits(3) that tells the answer."""
    if found["answer"] == RELAY:
        return os.EX_NOHOST
    return {"2": os.EX_OK, "4": os.EX_TEMPFAIL, "5": os.EX_NOUSER}[found["answer"][0]]

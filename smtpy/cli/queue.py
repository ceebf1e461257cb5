"""`smtpy queue`: mail that waits in Postfix's queue. Root asks Postfix itself, others the helper that root runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.logs import visible
from smtpy.cli.setup import Setup, Trouble, pass_setup
from smtpy.cli.show import json_option, show_document, show_list

if TYPE_CHECKING:
    from smtpy.admin.queue import Desk
    from smtpy.queue.protocol import Letter, Listing, Message, QueueName

QUEUES = ("active", "incoming", "deferred", "hold", "maildrop")
COLUMNS = ("id", "queue", "arrived", "size", "sender", "recipients", "reason")

postfix_option = click.option(
    "--postfix",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The configuration folder of Postfix; else the setting postfix_dir.",
)


@click.group("queue")
def queue_command() -> None:
    """Mail that waits in Postfix's queue: look, hold, release, delete, try again."""


@contextmanager
def asking(setup: Setup, postfix: Path | None) -> Iterator["Desk"]:
    """Who may be asked, with refusals and outages as Trouble."""
    from smtpy.cli.failures import told
    from smtpy.queue.client import Helper
    from smtpy.queue.postfix import Postfix

    with told():
        yield Postfix(_folder(setup, postfix)) if os.geteuid() == 0 else Helper(setup.settings.queue_listen)


def _folder(setup: Setup, postfix: Path | None) -> Path | None:
    """Of a private instance the folder above does as well."""
    folder = postfix or setup.settings.postfix_dir
    return folder / "etc" if folder and (folder / "etc" / "main.cf").exists() else folder


@queue_command.command("list")
@click.argument("about", default="", metavar="[ADDRESS|WORDS]")
@click.option("--in", "where", type=click.Choice(QUEUES), help="Of one of Postfix's queues.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="Messages.")
@click.option("--after", default="", metavar="PLACE", help="Those that follow this one.")
@postfix_option
@json_option
@pass_setup
def list_(setup: Setup, /, postfix: Path | None, where: "QueueName | None", as_json: bool, **page: Any) -> None:
    """Messages, oldest first: all, or those with these words in an address or a reason."""
    from smtpy.admin import queue
    from smtpy.queue.protocol import Act, Request

    with asking(setup, postfix) as desk:
        found = queue.page(desk, Request(Act.LIST, queue=where or "", **page))
    if as_json:
        show_document(_plain(found))
        return
    show_list([_row(each) for each in found.messages], COLUMNS, as_json=False)
    click.echo(_summary(found), err=True)
    if len(found.messages) == page["limit"] < found.matching:
        click.echo(f"there may be more: --after {found.messages[-1].place}", err=True)


def _plain(found: "Listing") -> dict[str, Any]:
    return {**asdict(found), "messages": [{**asdict(each), "place": each.place} for each in found.messages]}


def _row(message: "Message") -> dict[str, object]:
    recipients = [each.address for each in message.recipients]
    reasons = dict.fromkeys(each.reason for each in message.recipients if each.reason)
    return {
        "id": message.id,
        "queue": message.queue,
        "arrived": datetime.fromtimestamp(message.arrived, UTC),
        "size": message.size,
        "sender": visible(f"<{message.sender}>"),
        "recipients": visible(", ".join(recipients)) + (f" and {message.others} more" if message.others else ""),
        "reason": visible("; ".join(reasons)) or None,
    }


def _summary(found: "Listing") -> str:
    parts = ", ".join(f"{number} {name}" for name, number in sorted(found.queues.items()))
    noun = "message" if found.total == 1 else "messages"
    cut = "" if found.whole else "; the queue is too long to be read through"
    return f"{found.total} {noun} in the queue{f' ({parts})' if parts else ''}{cut}"


@queue_command.command("show")
@click.argument("name", metavar="ID")
@postfix_option
@json_option
@pass_setup
def show(setup: Setup, name: str, postfix: Path | None, as_json: bool) -> None:
    """Envelope and header of a message; never its body."""
    from smtpy.admin import queue

    with asking(setup, postfix) as desk:
        letter = queue.show(desk, name)
    if as_json:
        show_document(asdict(letter))
        return
    click.echo("\n".join(_lines(letter)))


def _lines(letter: "Letter") -> Iterator[str]:
    yield f"{letter.id} in {letter.queue}"
    yield from (visible(f"  {name}: {value}") for name, value in letter.envelope)
    yield ""
    for name, value in letter.header:
        yield from map(visible, f"{name}: {value}".split("\n"))


ACTS = {
    "hold": ("Keep a message in the queue untried, until it is released.", "is on hold"),
    "release": ("Let a message go that is on hold, and try it now.", "is released"),
    "delete": ("Delete a message for good; nobody is told.", "is deleted"),
    "retry": ("Try a message now.", "is being tried"),
}


def _act(what: str, words: str, done: str) -> click.Command:
    @click.command(what, help=words)
    @click.argument("name", metavar="ID")
    @postfix_option
    @pass_setup
    def command(setup: Setup, name: str, postfix: Path | None) -> None:
        from smtpy.admin import queue
        from smtpy.queue.protocol import Act

        with asking(setup, postfix) as desk, setup.change() as c:
            queue.act(c, desk, Act(what), name)
        click.echo(f"message {name} {done}")

    return command


for _name, (_words, _done) in ACTS.items():
    queue_command.add_command(_act(_name, _words, _done))


@queue_command.command("flush")
@postfix_option
@pass_setup
def flush(setup: Setup, postfix: Path | None) -> None:
    """Try everything in the queue now, but for what is on hold."""
    from smtpy.admin import queue
    from smtpy.queue.protocol import Act

    with asking(setup, postfix) as desk, setup.change() as c:
        queue.act(c, desk, Act.FLUSH)
    click.echo("the queue is being tried")


@queue_command.command("serve")
@postfix_option
@pass_setup
def serve(setup: Setup, postfix: Path | None) -> None:
    """Do the same for the web pages, on the socket queue_listen; as root."""
    from smtpy.cli.services import service

    if os.geteuid() != 0:
        raise Trouble(os.EX_NOPERM, "the queue helper needs root, as postsuper does: start it as root")
    with service(setup, "queue"):
        from smtpy.queue.server import serve as run

        try:
            run(setup.settings, _folder(setup, postfix))
        except KeyError:
            name = setup.settings.queue_group
            raise Trouble(os.EX_CONFIG, f"queue_group: there is no group {name}; make it, or name another") from None

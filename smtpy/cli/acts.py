"""Commands that users, domains, mailboxes and aliases share: show, on, off, delete, restore.

`add`, `set` and `list` differ and stand in the module of their noun.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.choices import MAX_NUMBER
from smtpy.cli.setup import Setup, pass_setup
from smtpy.cli.show import json_option, show_list, show_one

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ACTS = {
    "on": "Switch on.",
    "off": "Switch off.",
    "delete": "Put into the trash, which keeps the name.",
    "restore": "Take out of the trash.",
}
DONE = {"on": "is on", "off": "is off", "delete": "is in the trash", "restore": "is back"}

limit_option = click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Rows.")
after_option = click.option(
    "--after", type=click.IntRange(0, MAX_NUMBER), default=0, metavar="ID", help="Rows with a higher id."
)
trash_option = click.option("--trash", is_flag=True, help="Those in the trash, too.")


def listing(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every `list`."""
    for option in (json_option, after_option, limit_option, trash_option):
        command = option(command)
    return command


@contextmanager
def reading(setup: Setup) -> Iterator["Session"]:
    """A session of the database for the time of the block."""
    with setup.engine() as engine:
        from smtpy.admin import change

        with change.reading(engine) as session:
            yield session


def add_acts(group: click.Group, noun: str, admin: Callable[[], ModuleType]) -> None:
    """Give a group the commands of ACTS and `show`; `admin` imports the module that does them."""
    for act, words in ACTS.items():
        group.add_command(_act(noun, act, words, admin))
    group.add_command(_show(admin))


def _act(noun: str, act: str, words: str, admin: Callable[[], ModuleType]) -> click.Command:
    @click.command(act, help=words)
    @click.argument("name")
    @pass_setup
    def command(setup: Setup, name: str) -> None:
        with setup.change() as c:
            getattr(admin(), act)(c, name)
        click.echo(f"{noun} {name} {DONE[act]}")

    return command


def _show(admin: Callable[[], ModuleType]) -> click.Command:
    @click.command("show", help="Everything about one, by name or UUID.")
    @click.argument("name")
    @json_option
    @pass_setup
    def command(setup: Setup, name: str, as_json: bool) -> None:
        with reading(setup) as session:
            show_one(asdict(admin().show(session, name)), as_json=as_json)

    return command


def show_page(views: Sequence[Any], columns: Sequence[str], limit: int, *, as_json: bool) -> None:
    """A page of a listing; when it is full, how to go on."""
    show_list([asdict(view) for view in views], columns, as_json=as_json)
    if len(views) == limit:
        click.echo(f"there may be more: --after {views[-1].id}", err=True)

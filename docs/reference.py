"""Pages that the code has: commands, settings, rows of metrics. `make reference` writes them, tests compare them."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from smtpy.cli import main
from smtpy.cli.manual import EXITS
from smtpy.config.reference import markdown as settings
from smtpy.metrics.table import METRICS

HERE = Path(__file__).parent
ABOUT = """\
# Commands

Every command of `smtpy`, as `smtpy COMMAND --help` and `man smtpy` tell it, too. It reads the [settings](settings.md)
named by `--config`, else by `$SMTPY_CONFIG`, else `/etc/smtpy/smtpy.toml`. What it could not do it tells in one line on
stderr, and by how it ends:
"""


def commands() -> str:
    """docs/commands.md."""
    root = click.Context(main, info_name="smtpy", **main.context_settings)
    exits = ("| exit status | |", "|---|---|", *(f"| {status} | {words} |" for status, words in EXITS))
    return "\n".join((ABOUT, *exits, "", *_options(root), "", *_commands(root, 2))).rstrip() + "\n"


def _commands(parent: click.Context, level: int) -> Iterator[str]:
    """Each in the order of the help, and what is below it."""
    group = parent.command
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(parent):
        if command := group.get_command(parent, name):
            context = click.Context(command, info_name=name, parent=parent)
            yield from _command(context, level)
            yield from _commands(context, level + 1)


def _command(context: click.Context, level: int) -> Iterator[str]:
    command, options = context.command, list(_options(context))
    yield from (f"{'#' * level} {context.command_path}", "")
    if not isinstance(command, click.Group):
        pieces = [each for each in command.collect_usage_pieces(context) if options or each != "[OPTIONS]"]
        yield from (f"`{' '.join([context.command_path, *pieces])}`", "")
    yield from (inspect.cleandoc(command.help or "").replace("\b\n", ""), "")
    if options:
        yield from (*options, "")


def _options(context: click.Context) -> Iterator[str]:
    """A list of all but --help, which every command has."""
    for each in context.command.params:
        if isinstance(each, click.Option) and (record := each.get_help_record(context)):
            yield f"- `{record[0]}`: {record[1].replace('  ', ' ')}".rstrip(": ")


def metrics() -> Iterator[str]:
    """The rows of docs/metrics.md."""
    for each in METRICS:
        labels = ", ".join(f"`{label}`" for label in each.labels) or "*none*"
        yield f"| `{each.name}` | {each.kind} | {labels} | {each.meaning} |"


def _with_rows(page: str, rows: Iterator[str]) -> str:
    """The page with these instead of the rows of its table, which begin with a name in backticks."""
    return re.sub(r"(?:^\| `.*\n)+", lambda _: "".join(f"{row}\n" for row in rows), page, count=1, flags=re.M)


def write() -> None:
    """All of them."""
    told = (HERE / "metrics.md").read_text("utf-8")
    (HERE / "commands.md").write_text(commands(), "utf-8")
    (HERE / "settings.md").write_text(settings(), "utf-8")
    (HERE / "metrics.md").write_text(_with_rows(told, metrics()), "utf-8")


if __name__ == "__main__":
    write()

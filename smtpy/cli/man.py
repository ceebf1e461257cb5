"""`smtpy man`: the manual pages of this version, printed one at a time or written where man(1) looks."""

import os
from pathlib import Path

import click

from smtpy.cli.setup import Trouble


@click.command("man")
@click.argument("name", metavar="[COMMAND]", default="smtpy")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write all of them below this folder, such as `/usr/local/share/man`.",
)
def man_command(name: str, folder: Path | None) -> None:
    """Print a manual page, or write all of them.

    Of COMMAND, of `smtpy` as a whole, or of `smtpy.toml`. To read one that is not installed:
    `smtpy man alias | man -l -`
    """
    if folder is not None:
        _write(folder)
        return
    from smtpy.cli.manual import page

    try:
        click.echo(page(name), nl=False)
    except KeyError:
        raise click.UsageError(f"there is no page of {name}; `smtpy --help` lists all commands") from None


def _write(folder: Path) -> None:
    from smtpy.cli.manual import names, page

    pages = tuple(names())
    for name, section in pages:
        path = folder / f"man{section}" / f"{name}.{section}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(name), encoding="utf-8")
        except OSError as error:
            raise Trouble(os.EX_CANTCREAT, f"cannot write {path}: {error.strerror}") from None
    click.echo(f"wrote {len(pages)} pages below {folder}")

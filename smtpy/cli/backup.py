"""`smtpy backup`: one file with all that an empty machine needs, for the holders of the keys in backup_recipients."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from smtpy.cli.setup import Setup, Trouble, pass_setup

FILE = click.Path(path_type=Path, dir_okay=False)
PATIENCE_SECONDS = 600.0  # for a statement: a journal of millions of rows takes its time


@click.command("backup")
@click.argument("file", type=FILE, required=False)
@click.option("--new-key", type=FILE, metavar="FILE", help="Only make a pair of keys, and write the secret half there.")
@pass_setup
def backup_command(setup: Setup, file: Path | None, new_key: Path | None) -> None:
    """Put database, settings and secrets into one sealed file.

    It is FILE, else a new one in backup_dir. Others go on working meanwhile. Only the secret half of a key in
    backup_recipients opens the file; keep it elsewhere.
    """
    try:
        if new_key:
            _make_key(new_key)
        else:
            _make(setup, file)
    except OSError as error:
        raise Trouble(os.EX_CANTCREAT, f"{error.filename or file}: {error.strerror}; nothing was written") from None


def _make_key(path: Path) -> None:
    from pyrage import x25519

    pair = x25519.Identity.generate()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:  # noqa: PTH123
        file.write(f"# public key: {pair.to_public()}\n{pair}\n")
    click.echo(f'backup_recipients = ["{pair.to_public()}"]')
    click.echo(
        f"Put this line into smtpy.toml, and take {path} elsewhere: without it no backup can be opened.", err=True
    )


def _make(setup: Setup, file: Path | None) -> None:
    from smtpy.backup.keeping import name_of
    from smtpy.backup.making import make
    from smtpy.store.transfer import Unfit

    settings, now = setup.settings, datetime.now(UTC)
    if not settings.backup_recipients:
        raise Trouble(os.EX_CONFIG, "backups are sealed, and backup_recipients names no key; see --new-key")
    if not file and not settings.backup_dir:
        raise Trouble(os.EX_USAGE, "there is no backup_dir; name a FILE")
    path = file or (settings.backup_dir or Path()) / name_of(settings.hostname, now)
    with setup.engine(deadline=PATIENCE_SECONDS) as engine:
        try:
            made = make(path, engine, settings, now)
        except Unfit as unfit:
            raise Trouble(os.EX_UNAVAILABLE, str(unfit)) from None
    click.echo(f"wrote {made.path}: {made.rows} rows, {made.octets} octets")

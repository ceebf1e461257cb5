"""`smtpy restore`: an empty machine filled from a backup.

Nothing that is there is written over: where there is a configuration its secrets have to be those of the backup, since
the signing keys in it are sealed with them; and a database that somebody is in is not touched.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtpy.cli.backup import PATIENCE_SECONDS
from smtpy.cli.setup import Setup, Trouble, pass_setup

if TYPE_CHECKING:
    from smtpy.backup.restoring import Backup

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command("restore")
@click.argument("file", type=FILE)
@click.option("--identity", type=FILE, required=True, metavar="FILE", help="The secret half of a key.")
@click.option("--database-url", metavar="URL", help="Of the database to fill, if it is not to be SQLite where it was.")
@click.option("--dry-run", is_flag=True, help="Only read the backup, and say what is in it.")
@pass_setup
def restore_command(setup: Setup, file: Path, identity: Path, database_url: str | None, dry_run: bool) -> None:
    """Fill an empty machine from a backup.

    Settings and secrets are written where there are none yet, and the rows into a database that nobody is in. Stop
    SMTPy's services first, and start them afterwards.
    """
    from smtpy.backup.archive import BadArchive
    from smtpy.backup.restoring import check

    key = _key(identity)
    try:
        backup, rows = check(file, key)
    except (BadArchive, OSError) as error:
        raise Trouble(os.EX_DATAERR, f"{file} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    click.echo(f"{file}: made {backup.made_at:%Y-%m-%d %H:%M} UTC by SMTPy {backup.version}, {rows} rows")
    if dry_run:
        return
    path = setup.config or Path(setup.environ.get("SMTPY_CONFIG") or _default())
    _configure(setup, path.absolute(), backup, database_url)
    _fill(Setup(path.absolute(), setup.environ), file, key, backup.revision)
    click.echo("filled the database; start the services")


def _default() -> Path:
    from smtpy.config import DEFAULT_FILE

    return DEFAULT_FILE


def _key(path: Path) -> str:
    from pyrage import IdentityError, x25519

    lines = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    key = next((line for line in lines if line and not line.startswith("#")), "")
    try:
        x25519.Identity.from_str(key)
    except IdentityError:
        raise Trouble(os.EX_DATAERR, f"{path} has no key of age in it (AGE-SECRET-KEY-...)") from None
    return key


def _configure(setup: Setup, path: Path, backup: "Backup", database_url: str | None) -> None:
    """Settings and secrets of the backup, unless there are some."""
    from smtpy.cli.init import folders, write

    there = Setup(path, setup.environ)
    if path.exists():
        if database_url not in (None, there.settings.database_url):
            raise Trouble(os.EX_CONFIG, f"{path} is there and has another database_url; edit the file instead")
        _agree(path, there, backup.secrets)
    else:
        own = {"database_url": database_url} if database_url else {}
        try:
            write(path, {**backup.settings, **own}, {key: "\n".join(each) for key, each in backup.secrets.items()})
        except OSError as error:
            raise Trouble(os.EX_CANTCREAT, f"{error.filename}: {error.strerror}; nothing was restored") from None
        click.echo(f"wrote {path} and secrets in {path.parent / 'secrets'}")
    folders(there)


def _agree(path: Path, there: Setup, secrets: Mapping[str, Sequence[str]]) -> None:
    for key, wanted in secrets.items():
        known = {each.get_secret_value() for each in getattr(there.settings, key)}
        if not known.issuperset(wanted):
            words = f"the {key} in force are not those of the backup, without which much of it is of no use"
            raise Trouble(os.EX_CONFIG, f"{words}; move {path} and its secrets away, and they come from the backup")


def _fill(setup: Setup, file: Path, key: str, revision: str) -> None:
    from smtpy.backup.restoring import fill_with
    from smtpy.store.engine import database_path
    from smtpy.store.transfer import Unfit, is_empty

    mask = os.umask(0o027)  # the journal tells who wrote to whom
    try:
        with setup.engine(deadline=PATIENCE_SECONDS) as engine:
            place = database_path(engine)
            if (place is None or Path(place).exists()) and not is_empty(engine):
                raise Trouble(os.EX_CANTCREAT, "there are people in the database already; name an empty one")
            fill_with(file, key, engine, revision)
    except Unfit as unfit:
        raise Trouble(os.EX_DATAERR, f"{file}: {unfit}") from None
    finally:
        os.umask(mask)

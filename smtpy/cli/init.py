"""`smtpy init`: a configuration file, secrets, folders, and the database at the head of its migrations.

Safe to run again, as every start of a demo or a container does: what is there stays, secrets above all, since return
addresses on their way back stop working without them. A secret that an older version did not need is added. What is
asked for and contradicts the file that is there is refused: two sources of truth are one too many.

A URL with a password goes to the secrets: the configuration file is readable by everyone.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from smtpy.cli.files import write_whole
from smtpy.cli.secret import OCTETS as SECRETS
from smtpy.cli.secret import new
from smtpy.cli.setup import Setup, Trouble, pass_setup

NEEDED = ("hostname", "postmaster")
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("init")
@click.option("--config", type=FILE, metavar="FILE", help="The file to write; else the one of `smtpy --config`.")
@click.option("--hostname", metavar="NAME", help="The name of this mail server.")
@click.option("--postmaster", metavar="ADDRESS", help="Takes mail to postmaster at that name; an address elsewhere.")
@click.option("--state-dir", type=FOLDER, help="For the SQLite database; default /var/lib/smtpy.")
@click.option("--run-dir", type=FOLDER, help="For the sockets; default /run/smtpy.")
@click.option("--database-url", metavar="URL", help="Default: SQLite in the state directory.")
@pass_setup
def init_command(setup: Setup, /, config: Path | None, **asked: Any) -> None:
    """Write configuration and secrets, create or upgrade the database."""
    path = (config or setup.config or _default(setup)).absolute()
    wanted = {key: _text(value) for key, value in asked.items() if value is not None}
    try:
        if path.exists():
            _agree(path, wanted)
            click.echo(f"kept {path} and its secrets")
            _complete(setup, path)
        else:
            write(path, wanted, environ=setup.environ)
            click.echo(f"wrote {path} and secrets in {path.parent / 'secrets'}")
        folders(Setup(path, setup.environ))
        _migrate(Setup(path, setup.environ))
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        raise Trouble(os.EX_CANTCREAT, f"{reason}; run as a user who may write there") from None


def _default(setup: Setup) -> Path:
    from smtpy.config import DEFAULT_FILE

    return Path(setup.environ.get("SMTPY_CONFIG") or DEFAULT_FILE)


def _text(value: object) -> str:
    return str(value.absolute()) if isinstance(value, Path) else str(value)


def _agree(path: Path, wanted: dict[str, str]) -> None:
    """Refuse what the configuration that is there says otherwise."""
    from smtpy.config import Settings, gather

    said = gather(path, {}).values
    for key, value in wanted.items():
        if str(said.get(key, Settings.model_fields[key].default)) != value:
            raise Trouble(os.EX_CONFIG, f"{path} is there and has another {key}; edit the file instead")


def write(
    path: Path,
    wanted: Mapping[str, Any],
    known: Mapping[str, str] = MappingProxyType({}),
    environ: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A configuration and its secrets, those not known made anew. Secrets first, so that no file points at nothing.

    What the environment says, as in a container, is not written down a second time.
    """
    from smtpy.config.schema import PREFIX
    from smtpy.config.sources import is_secret

    wanted = dict(wanted)
    said = {key: environ[name] for key in NEEDED if environ.get(name := PREFIX + key.upper())}
    for key in NEEDED:
        if key not in (wanted | said):
            raise Trouble(os.EX_USAGE, f"{path} is not there yet, and to write it takes --{key}")
    _judge(wanted | said)
    hidden = {key: known.get(key) or new(key) for key in SECRETS}
    hidden |= {key: wanted.pop(key) for key in list(wanted) if is_secret(key, wanted[key])}
    path.parent.mkdir(parents=True, exist_ok=True)
    named = _hide(path, hidden)
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in wanted.items()]
    head = "# SMTPy's settings; docs/settings.md lists them all, `smtpy config check` checks them.\n"
    write_whole(path, head + "".join(lines + named), 0o644)


def _complete(setup: Setup, path: Path) -> None:
    """Add the secrets that no source has, as after an upgrade to a version that needs more of them."""
    from smtpy.config import gather

    given = gather(path, setup.environ).values
    lacking = {key: new(key) for key in SECRETS if key not in given}
    if not lacking:
        return
    named = _hide(path, lacking)
    whole = path.read_bytes()[-1:] in (b"", b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("" if whole else "\n") + "".join(named))
    click.echo(f"added {', '.join(lacking)} in {path.parent / 'secrets'}")


def _hide(path: Path, hidden: dict[str, str]) -> list[str]:
    """Write secrets beside the configuration, unless they are there; the lines that name them."""
    folder = path.parent / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    for key, secret in hidden.items():
        if key not in SECRETS or not (folder / key).exists():
            write_whole(folder / key, secret + "\n", 0o600)
    return [f'{key}_file = "secrets/{key}"\n' for key in hidden]


def _judge(wanted: Mapping[str, Any]) -> None:
    """Refuse bad values before anything is written."""
    from smtpy.config import BadSettings, judge

    try:
        judge({**wanted, **dict.fromkeys(SECRETS, "x" * 64)})
    except BadSettings as bad:
        raise Trouble(os.EX_USAGE, str(bad)) from None


def folders(setup: Setup) -> None:
    """Those for state and sockets."""
    setup.settings.state_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not setup.settings.run_dir.exists():
        setup.settings.run_dir.mkdir(parents=True)
        setup.settings.run_dir.chmod(0o755)  # whatever the umask: user postfix has to enter it


def _migrate(setup: Setup) -> None:
    """The schema made or brought up to date; says which."""
    with setup.engine() as engine:
        from smtpy.admin.outages import AHEAD
        from smtpy.store import migrate
        from smtpy.store.engine import database_path

        path = database_path(engine)
        if (path is None or Path(path).exists()) and migrate.fit(engine) is migrate.Fit.RIGHT:
            click.echo("the database is up to date")
            return
        mask = os.umask(0o027)  # the journal tells who wrote to whom
        try:
            found = migrate.upgrade(engine)
        except migrate.Ahead:
            raise AHEAD from None
        finally:
            os.umask(mask)
        done = {None: "created the database", migrate.head(): "the database is up to date"}  # somebody was faster
        click.echo(done.get(found, "upgraded the database"))

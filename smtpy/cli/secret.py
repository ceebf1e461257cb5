"""`smtpy secret`: replace the secrets of the settings, without losing what the old ones have made.

Each is a list: the first makes, all are believed. So a new one is first added behind, where everybody comes to know it
(restart the services, of all hosts), then put in front, then the old one is taken away, once nothing that it made is
still on its way. A fingerprint stands for a secret: the same on all hosts, of no use to whoever sees it.

Only the files that settings name are written. What comes from elsewhere (the environment, a container's secrets, a
vault) has to be changed there, and is shown.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smtpy.cli.files import write_whole
from smtpy.cli.setup import Setup, Trouble, pass_setup
from smtpy.cli.show import json_option, show_list

if TYPE_CHECKING:
    from smtpy.config.sources import Given

OCTETS = {"secret_keys": 48, "srs_secrets": 24, "encryption_keys": 48}  # of a new one, random
COLUMNS = ("name", "fingerprint", "use", "since", "file")

name_argument = click.argument("name", type=click.Choice(list(OCTETS)))
wanted_argument = click.argument("wanted", metavar="FINGERPRINT")


def new(name: str) -> str:
    """A good secret."""
    return secrets.token_urlsafe(OCTETS[name])


def fingerprint(secret: str) -> str:
    """Eight hexadecimal digits: enough to tell a few apart, too few to find one that is not random."""
    return hashlib.sha256(b"smtpy fingerprint\0" + secret.encode()).hexdigest()[:8]


@click.group("secret")
def secret_command() -> None:
    """Secrets of the settings: add, use, retire."""


@secret_command.command("list")
@json_option
@pass_setup
def list_(setup: Setup, as_json: bool) -> None:
    """What secrets there are, by fingerprint: the first of a name makes, the others are still believed."""
    given = _given(setup)
    rows = [
        {
            "name": name,
            "fingerprint": fingerprint(secret),
            "use": "believed" if place else "used",
            "since": _since(file) if (file := given.files.get(name)) else None,
            "file": file,
        }
        for name in OCTETS
        for place, secret in enumerate(_values(given, name))
    ]
    show_list(rows, COLUMNS, as_json=as_json)


@secret_command.command()
@name_argument
@click.option("--use", "at_once", is_flag=True, help="Put it in front at once, where there is one host only.")
@pass_setup
def add(setup: Setup, name: str, at_once: bool) -> None:
    """Make a new one, which is believed and not used yet."""
    path, there = _file(setup, name)
    made = new(name)
    _write(path, [made, *there] if at_once else [*there, made])
    click.echo(f"added {fingerprint(made)} to {path}; restart the services")
    if not at_once:
        click.echo(f"(of all hosts, with the same file), then run `smtpy secret use {name} {fingerprint(made)}`")


@secret_command.command()
@name_argument
@wanted_argument
@pass_setup
def use(setup: Setup, name: str, wanted: str) -> None:
    """Put one in front, so that it makes what is made from then on."""
    path, there = _file(setup, name)
    chosen = _chosen(there, name, wanted)
    _write(path, [chosen, *(each for each in there if each != chosen)])
    first = "run `smtpy secret reseal`, " if name == "encryption_keys" else ""
    click.echo(f"{fingerprint(chosen)} is used once the services are restarted; {first}then retire the others")


@secret_command.command()
@name_argument
@wanted_argument
@click.option("--now", is_flag=True, help="Though something that it made may still come back.")
@pass_setup
def retire(setup: Setup, name: str, wanted: str, now: bool) -> None:
    """Take one away that is not used, once nothing that it made is still on its way."""
    path, there = _file(setup, name)
    chosen = _chosen(there, name, wanted)
    if chosen == there[0]:
        raise Trouble(os.EX_UNAVAILABLE, f"{fingerprint(chosen)} is used; add another one and use that first")
    left = [each for each in there if each != chosen]
    if not now:
        _refuse_sealed(setup, left) if name == "encryption_keys" else _refuse_early(setup, path)
    _write(path, left)
    click.echo(f"{fingerprint(chosen)} is gone from {path}; restart the services")


@secret_command.command()
@pass_setup
def reseal(setup: Setup) -> None:
    """Seal what is sealed in the database with the first of encryption_keys, so that the others can be retired."""
    with setup.change() as c:
        from smtpy.admin import sealed

        count = sealed.reseal(c)
        lost = sealed.unopened(c.session, setup.vault)
    click.echo(f"sealed {count} anew")
    if lost:
        told = ", ".join(f"{number} {kind}" for kind, number in lost.items())
        click.echo(f"cannot be opened: {told}; `smtpy doctor` says more", err=True)


def _given(setup: Setup) -> "Given":
    """What the sources say, once it is known to be good."""
    from smtpy.config import gather

    assert setup.settings  # noqa: S101 - refuses bad ones, in its own words
    return gather(setup.config, setup.environ)


def _values(given: "Given", name: str) -> list[str]:
    value = given.values[name]
    return value.split() if isinstance(value, str) else [str(each) for each in value]  # type: ignore[attr-defined]


def _file(setup: Setup, name: str) -> tuple[Path, list[str]]:
    """The file it stands in, and what stands there. Raises Trouble when it stands elsewhere."""
    given = _given(setup)
    path = given.files.get(name)
    if path is None:
        raise Trouble(os.EX_UNAVAILABLE, f"{given.names[name]} is no file of secrets; change it where it stands")
    return path, _values(given, name)


def _write(path: Path, values: Sequence[str]) -> None:
    try:
        write_whole(path, "".join(f"{each}\n" for each in values), 0o600)
    except OSError as error:
        fix = "run as a user who may write there, or change it where that file comes from"
        raise Trouble(os.EX_CANTCREAT, f"{path}: {error.strerror}; {fix}") from None


def _chosen(there: Sequence[str], name: str, wanted: str) -> str:
    for each in there:
        if fingerprint(each) == wanted.lower():
            return each
    known = ", ".join(map(fingerprint, there))
    raise Trouble(os.EX_DATAERR, f"{name} has none of fingerprint {wanted}; there are {known}")


def _since(path: Path) -> datetime:
    """When that file was last changed, in UTC."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def _refuse_early(setup: Setup, path: Path) -> None:
    """What it made comes back for so long: a return address until it is too old."""
    over = _since(path) + timedelta(days=setup.settings.srs_max_age_days)
    if over > datetime.now(UTC):
        words = f"mail of before {_since(path):%Y-%m-%d} may still come back by it"
        raise Trouble(os.EX_UNAVAILABLE, f"{words}; wait until {over:%Y-%m-%d}, or say --now")


def _refuse_sealed(setup: Setup, left: Sequence[str]) -> None:
    """What is sealed with it could be opened by none of those that are left."""
    from smtpy.cli.acts import reading
    from smtpy.vault import Vault

    with reading(setup) as session:
        from smtpy.admin.sealed import unopened

        lost = sum(unopened(session, Vault(left)).values()) - sum(unopened(session, setup.vault).values())
    if lost:
        raise Trouble(os.EX_UNAVAILABLE, f"{lost} secrets are sealed with it; run `smtpy secret reseal`")

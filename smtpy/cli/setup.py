"""What a command needs of the world, opened when it asks: settings, database; and Trouble, the way to say no.

Everything expected that can go wrong is turned into Trouble here, so that commands are written as if it could not.
"""

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # at run time a command pays only for what it uses
    from sqlalchemy import Engine

    from smtpy.admin.change import Change
    from smtpy.config import Settings
    from smtpy.vault import Vault


class Trouble(click.ClickException):
    """Ends the command with `code` of sysexits(3); `message` says what is wrong and what to do."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def show(self, file: object = None) -> None:
        """One line a finding on stderr."""
        for line in self.message.splitlines():
            click.echo(f"smtpy: {line}", err=True)


@dataclass
class Setup:
    """Where the settings come from, and what is made of them."""

    config: Path | None
    environ: Mapping[str, str]

    @cached_property
    def settings(self) -> "Settings":
        """The settings; Trouble with all bad keys."""
        from smtpy.config import BadSettings, load

        try:
            return load(self.config, self.environ)
        except BadSettings as bad:
            lost = [advice for line in str(bad).splitlines() if (advice := give_back(line))]
            advice = "; ".join(lost) or "correct them, or run `smtpy init` to make a configuration"
            raise Trouble(os.EX_CONFIG, f"the settings are refused; {advice}\n{bad}") from None

    @contextlib.contextmanager
    def engine(self, deadline: float | None = None) -> Iterator["Engine"]:
        """The database for the time of the block, in which its absence and refusals become Trouble.

        `deadline`: seconds for a statement, if not those of the settings.
        """
        from smtpy.cli.failures import told
        from smtpy.store.engine import open_engine

        with told():
            engine = open_engine(self.settings.database_url, deadline=deadline or self.settings.deadline_seconds)
            try:
                yield engine
            finally:
                engine.dispose()

    @contextlib.contextmanager
    def change(self) -> Iterator["Change"]:
        """The one door for change, opened as the person at this terminal."""
        from smtpy.admin.change import change

        by, hostname = f"cli:{login()}", self.settings.hostname
        with self.engine() as engine, change(engine, by=by, hostname=hostname, vault=self.vault) as opened:
            yield opened

    @property
    def vault(self) -> "Vault":
        """What seals and opens the secrets in the database."""
        from smtpy.terms import vault_of

        return vault_of(self.settings)


def give_back(problem: str) -> str:
    """What to do when it is that a file with a secret is gone; else "". A new one is no fix for that."""
    lost = _LOST.match(problem)
    return f"give {lost['path']} back, from a backup: a new one loses {_LOSSES[lost['key'].lower()]}" if lost else ""


_LOSSES = {
    "secret_keys": "the trace marks and return tokens made with it",
    "srs_secrets": "the return addresses made with it, so reports about mail on its way are refused",
    "encryption_keys": "the signing keys that it sealed",
}
_LOST = re.compile(
    rf"(?:SMTPY_)?(?P<key>{'|'.join(_LOSSES)})_file: cannot read (?P<path>.+): {os.strerror(errno.ENOENT)}\Z", re.I
)


def login() -> str:
    """Who is at the terminal, for the audit trail."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user needs no name
        return str(os.getuid())


pass_setup = click.make_pass_decorator(Setup)

"""The `smtpy` command: people's way in. Reads settings, asks one function elsewhere, shows what came of it.

A command's module is imported when the command is used, so `smtpy --help` costs no SQLAlchemy and the services start
with what they need. Exit codes are those of sysexits(3). Expected trouble (bad settings, a database that is away, a
refusal) is one line that names the fix; a traceback is a defect of ours.
"""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from smtpy.cli.setup import Setup, Trouble

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name: (module, one line of help). Each module has the command under its own name, with `-` as `_`.
COMMANDS = {
    "init": ("init", "Write configuration and secrets, create or upgrade the database."),
    "user": ("users", "People who own domains, mailboxes and aliases."),
    "invite": ("invitations", "Invitations: links by which people make an account."),
    "domain": ("domains", "Domains whose mail comes here."),
    "mailbox": ("mailboxes", "Where aliases lead to."),
    "alias": ("aliases", "Addresses that stand for mailboxes."),
    "rule": ("rules", "Automatic aliases: addresses that exist because they match."),
    "key": ("keys", "Keys that sign the mail of a domain."),
    "resolve": ("resolve", "What happens to mail to an address, and why."),
    "explain": ("explain", "What would be done with a message, and why."),
    "verify": ("verify", "Who vouches for a message: SPF, DKIM, DMARC, ARC."),
    "log": ("log", "Messages and what became of them, newest first."),
    "queue": ("queue", "Mail that waits in Postfix's queue: look, hold, release, delete, try again."),
    "audit": ("audit", "Prove what became of mail; see who changed what."),
    "purge": ("purge", "Take away what has been kept for long enough."),
    "backup": ("backup", "Put database, settings and secrets into one sealed file."),
    "restore": ("restore", "Fill an empty machine from a backup."),
    "config": ("config", "The settings: those in force, and what each means."),
    "secret": ("secret", "Secrets of the settings: add, use, retire."),
    "doctor": ("doctor", "Look for what is wrong with this installation."),
    "seed": ("seed", "Fill an empty database with made-up people, aliases and mail."),
    "man": ("man", "Print a manual page, or write all of them."),
    "completion": ("completion", "Have a shell complete commands and options."),
    "lookup": ("services", "Answer Postfix's socketmap questions."),
    "policy": ("services", "Answer Postfix's policy questions."),
    "milter": ("services", "Rewrite messages for Postfix."),
    "worker": ("services", "Check DNS, rotate keys, follow Postfix's log."),
    "metrics": ("services", "Count for Prometheus."),
}


class Root(click.Group):
    """Commands by name, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"smtpy.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The commands by their names here: click would import all of them for a TAB."""
        from click.shell_completion import CompletionItem

        commands = ((name, words) for name, (_, words) in COMMANDS.items() if name.startswith(incomplete))
        found = [CompletionItem(name, help=words) for name, words in commands]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run, and leave by a code of sysexits(3) where click has codes of its own."""
        words = sys.argv[1:] if args is None else args
        try:
            _refuse_other_than_utf8(words)
            code = super().main(words, *more, **{**extra, "standalone_mode": False})
        except click.ClickException as error:
            error.show()
            code = error.code if isinstance(error, Trouble) else os.EX_USAGE
        except click.Abort:
            code = 130  # 128 + SIGINT, as shells have it
        raise SystemExit(code or os.EX_OK)


def _refuse_other_than_utf8(words: Sequence[str]) -> None:
    """Raises UsageError. No database takes such octets, of which Python makes lone surrogates."""
    for number, word in enumerate(words, 1):
        if any("\ud800" <= character <= "\udfff" for character in word):
            raise click.UsageError(f"argument {number} is not UTF-8; write it in a UTF-8 locale")


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The TOML file; else $SMTPY_CONFIG, else /etc/smtpy/smtpy.toml.",
)
@click.version_option(package_name="smtpy")
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """E-mail aliases on your own domains, around Postfix."""
    ctx.obj = Setup(config, os.environ)

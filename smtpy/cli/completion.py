"""`smtpy completion`: what a shell has to read so that it completes commands and options, and the files they take.

At each TAB the shell asks `smtpy` itself, by click's protocol (`_SMTPY_COMPLETE`). Names of aliases are not completed:
bash takes an @ for the end of a word.
"""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Have a shell complete commands and options.

    Prints what SHELL has to read. For everybody, write it to
    `/usr/local/share/bash-completion/completions/smtpy`, `/usr/local/share/zsh/site-functions/_smtpy` or
    `/usr/local/share/fish/vendor_completions.d/smtpy.fish`; for a bash that runs: `source <(smtpy completion bash)`.
    """
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click has those of SHELLS
    click.echo(made(ctx.find_root().command, {}, "smtpy", "_SMTPY_COMPLETE").source())

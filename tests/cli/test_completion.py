"""Completion in the shells themselves: each reads what `smtpy completion` prints, then is asked what it would offer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smtpy.cli import COMMANDS
from smtpy.cli.completion import SHELLS
from tests.cli.conftest import run
from tests.cli.test_command import HEAVY

# What a shell does when TAB is pressed at the end of the line $2, having read the file $1; one offer a line. In zsh it
# is the editor that offers, and a script has none: compadd and _describe stand here for what it would show.
TAB = {
    "bash": """
        source "$1"
        read -ra COMP_WORDS <<<"$2"; [[ $2 == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        $(complete -p smtpy | sed -E 's/.* -F ([^ ]+) .*/\\1/') smtpy
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { :; }
        source "$1"
        compadd() { print -l -- ${(P)argv[-1]}; }
        _describe() { print -l -- ${${(P)argv[3]}%%:*}; }
        words=(${(z)2}); [[ $2 == *" " ]] && words+=("")
        CURRENT=$#words
        _smtpy_completion
    """,
    "fish": "source $argv[1]; complete --do-complete $argv[2] | string split --fields 1 \\t; true",
}
START = {"bash": ("bash", "--norc", "-c"), "zsh": ("zsh", "-f", "-c"), "fish": ("fish", "--no-config", "-c")}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_offers_what_there_is(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(run("completion", shell).output)
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def tab(line: str) -> set[str]:
        words = [*START[shell], TAB[shell], *([] if shell == "fish" else [shell]), str(script), line]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=environ)
        assert not done.stderr, done.stderr
        return set(done.stdout.split())

    assert tab("smtpy ") == COMMANDS.keys()
    assert tab("smtpy alias o") == {"on", "off"}
    assert tab("smtpy config doc --format m") == {"markdown", "man"}


def test_a_tab_loads_nothing_heavy() -> None:
    program = f"""
import os, sys
from smtpy.cli import main
os.environ |= {{"_SMTPY_COMPLETE": "bash_complete", "COMP_WORDS": "smtpy ", "COMP_CWORD": "1"}}
try:
    main(prog_name="smtpy")
except SystemExit as end:
    assert not end.code, end.code
print("loaded:", *sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == f"plain,{next(iter(COMMANDS))}"
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_other_shells_are_refused() -> None:
    assert run("completion", "csh").exit_code == os.EX_USAGE

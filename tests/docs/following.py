"""Following a page: its commands as a script whose lines are those of the page, so that what fails is told by place.

`smtpy` is the real one, with SQLite and beside a real Postfix; so are the TOOLS. Programs of the WORLD do nothing but
pass on what they would have `smtpy` do. Any other program is not found.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import ROOT, blocks

BIN = Path(__file__).parent / "bin"
SHELL = "sh"
TOOLS = ("bash", "cat", "cp", "grep", "openssl", "sed")
WORLD = (
    "ansible-playbook", "ansible-vault", "apt", "certbot", "curl", "df", "dig", "docker", "editor", "git", "journalctl",
    "make", "man", "master", "nc", "pg_basebackup", "postconf", "postfix", "psql", "rm", "ssh", "systemctl",
)  # fmt: skip
BY_PLACE = (".venv/bin/python", "postfix/instance")  # programs of the world that a page names by where they are
BEGINNING = """\
unset BASH_ENV
set -eEuo pipefail
trap 'echo "$BASH_SOURCE:$LINENO: ended with $?: $BASH_COMMAND" >&2' ERR
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where pages are followed: `bin` has the programs, `dns` is its server of names, `postfix` a configuration."""

    bin: Path
    dns: str
    postfix: Path

    def environ(self, folder: Path) -> dict[str, str]:
        """What the programs see, and nothing of ours; `folder` has configuration and database."""
        seen = {"PATH": self.bin, "HOME": folder, "LANG": "C.UTF-8", "STANDBY": self.bin / "standby"}
        seen |= {"SMTPY_CONFIG": folder / "smtpy.toml", "SMTPY_STATE_DIR": folder, "SMTPY_RUN_DIR": folder}
        seen |= {"SMTPY_DNS_SERVERS": self.dns, "SMTPY_CHECK_RESOLVERS": self.dns, "SMTPY_POSTFIX_DIR": self.postfix}
        return {key: str(value) for key, value in seen.items()}

    def run(self, script: Path, folder: Path) -> subprocess.CompletedProcess[str]:
        """The script, in that folder."""
        beginning = self.bin / "beginning"
        beginning.write_text(BEGINNING, "utf-8")
        return subprocess.run(
            [self.bin / "bash", script],
            cwd=folder,
            env=self.environ(folder) | {"BASH_ENV": str(beginning)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@contextmanager
def machine(folder: Path, dns: str, postfix: Path) -> Iterator[Machine]:
    """One whose programs are put into `folder`, with `smtpy` standing by."""
    for name in TOOLS:
        found = shutil.which(name)
        assert found, f"there is no {name}"
        (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(sys.executable)
    for name in ("smtpy", "sudo"):
        (folder / name).symlink_to(BIN / name)
    for name in WORLD:
        (folder / name).symlink_to(BIN / "world")
    command = [sys.executable, "-m", "tests.docs.standby", str(folder / "standby")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as standby:
        try:
            assert standby.stdout
            assert standby.stdout.readline() == b"ready\n"
            yield Machine(folder, dns, postfix)
        finally:
            os.killpg(standby.pid, signal.SIGKILL)  # and a command that hangs


def furnish(folder: Path) -> None:
    """What lies about where a page is followed: a working tree, a message, what other services export."""
    shutil.copytree(BIN.parent / "exports", folder, dirs_exist_ok=True)
    shutil.copytree(ROOT / "ansible" / "inventories", folder / "smtpy" / "ansible" / "inventories")
    shutil.copy(ROOT / ".env.example", folder)
    (folder / "message.eml").write_bytes(b"From: Ann <ann@friend.example>\r\nTo: shop@you.example\r\n\r\nhello\r\n")
    for name in (*BY_PLACE, ".venv/bin/smtpy"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(BIN / ("smtpy" if name.endswith("smtpy") else "world"))


def script(page: str, before: dict[str, str]) -> str:
    """The shell blocks at the lines where they stand. `before`: commands by the heading that they go before."""
    lines: dict[int, str] = {}
    waiting = dict(before)
    for block in blocks(page):
        if block.language == SHELL:
            lines[block.line - 1] = "; ".join(waiting.pop(block.heading, "").splitlines())
            lines |= dict(enumerate(block.text.splitlines(), block.line))
    assert not waiting, f"{page} has no commands below {', '.join(waiting)}"
    return "".join(lines.get(number, "") + "\n" for number in range(1, max(lines, default=0) + 1))

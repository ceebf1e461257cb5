"""The real command on a real configuration: `run` in this process, `process` as people start it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smtpy.cli import main
from tests.dns import Zone
from tests.nameserver import Nameserver

Run = Callable[..., Result]
ANN = "ann@people.example"
INBOX = "ann@inbox.example"


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    """A DNS server that answers and knows no name."""
    with Nameserver(Zone({})) as server:
        yield f"{server.host}:{server.port}"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    """No setting comes from outside the test, and no question leaves it."""
    for name in [name for name in os.environ if name.startswith("SMTPY_")]:
        monkeypatch.delenv(name)
    for name in ("SMTPY_DNS_SERVERS", "SMTPY_CHECK_RESOLVERS"):
        monkeypatch.setenv(name, nobody)


def run(*words: str, stdin: bytes | None = None) -> Result:
    """The command in this process; what it does not expect is raised here."""
    return CliRunner().invoke(main, list(words), input=stdin, catch_exceptions=False)


def process(*words: str, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = [str(Path(sys.executable).parent / "smtpy"), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(environ or {})}
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration as `smtpy init` makes it, with the database."""
    path = tmp_path / "etc" / "smtpy.toml"
    done = init(path)
    assert done.exit_code == 0, done.output
    return path


def init(path: Path, *words: str) -> Result:
    """`smtpy init` of that file."""
    folder = path.parent.parent
    asked = {
        "--hostname": "mx.our.example",
        "--postmaster": "postmaster@inbox.example",
        "--state-dir": str(folder / "state"),
        "--run-dir": str(folder / "run"),
    }
    return run("init", "--config", str(path), *(word for pair in asked.items() for word in pair), *words)


@pytest.fixture
def smtpy(config: Path) -> Run:
    """`smtpy --config ...` with that configuration."""

    def with_config(*words: str, stdin: bytes | None = None) -> Result:
        return run("--config", str(config), *words, stdin=stdin)

    return with_config


@pytest.fixture
def house(smtpy: Run) -> Run:
    """The same, with Ann, her mailbox, our.example and sales@our.example."""
    for words in (
        ("user", "add", ANN, "--role", "admin"),
        ("mailbox", "add", INBOX, "--owner", ANN),
        ("domain", "add", "our.example", "--owner", ANN),
        ("alias", "add", "sales@our.example", "--to", INBOX),
    ):
        done = smtpy(*words)
        assert done.exit_code == 0, done.output
    return smtpy

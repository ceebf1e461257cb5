"""postfix/serve, what a container of Postfix runs: STARTTLS at once, and a certificate that comes later is shown."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialog import Dialog
from tests.postfix.test_certificate import write_chain
from tests.stand import HOSTNAME
from tests.waiting import free_ports, until

SERVE = Path(__file__).parents[2] / "postfix/serve"
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="master -i is the first process of a namespace, which takes root"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that user postfix can enter."""
    with tempfile.TemporaryDirectory(prefix="smtpy-serve-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """Where it listens, with a certificate that is not there yet."""
    front, split = free_ports(2)
    values = {
        "POSTFIX_DIR": folder / "postfix",
        "SMTPY_HOSTNAME": HOSTNAME,
        "SMTP_LISTEN": f"127.0.0.1:{front}",
        "SPLIT_LISTEN": f"127.0.0.1:{split}",
        "TLS_CHAIN": f"{folder}/key.pem {folder}/chain.pem",
        "LOOK_EVERY": "0.2",
    }
    (folder / "postfix").mkdir()
    command = ["unshare", "--pid", "--fork", "--mount-proc", SERVE, "smtpd_milters ="]
    environ = {**os.environ, **{name: str(value) for name, value in values.items()}}
    with (folder / "output").open("wb") as out:
        process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield front
    finally:
        # The first process of the namespace, and with it all of them. unshare's --kill-child does not reach master: it
        # changes its user, for which the kernel forgets by whose death it is to be killed.
        (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(first), signal.SIGKILL)
        process.wait()


def shown(port: int) -> bytes:
    """The certificate that a new session is shown; empty: not there yet."""
    try:
        with Dialog(port) as dialog:
            dialog.hello()
            return dialog.encrypt()
    except OSError:
        return b""


def test_encrypts_at_once_and_shows_the_certificate_that_comes_later(folder: Path, port: int) -> None:
    own = until(lambda: shown(port), "a session with STARTTLS")
    assert HOSTNAME.encode() in own
    write_chain(folder / "both.pem", "new.example")
    text = (folder / "both.pem").read_text()
    middle = text.index("-----BEGIN CERTIFICATE")
    (folder / "chain.pem").write_text(text[middle:])
    (folder / "key.pem").write_text(text[:middle])
    until(lambda: b"new.example" in shown(port), "the certificate that has come")
    (folder / "key.pem").unlink()
    until(lambda: shown(port) == own, "its own again")

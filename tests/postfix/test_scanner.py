"""A spam scanner before SMTPy: rspamd as postfix/rspamd sets it up marks and refuses nothing, and is not waited for.

It judges by its test patterns alone here; what it loads else would take ten seconds.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stand import ROOT, Stand
from tests.waiting import until

SETTINGS = Path(__file__).parents[2] / "postfix/rspamd"
USER = "_rspamd"
CONFIGURATION = """
options {{
  filters = ""; enable_test_patterns = true; disable_hyperscan = true; url_tld = "{folder}/suffixes"; local_addrs = [];
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }}
  pidfile = "{folder}/pid"; tempdir = "{folder}"; cache_file = "{folder}/cache"; hs_cache_dir = "{folder}/";
  control_socket = "{folder}/control mode=0600";
}}
logging {{ type = "console"; level = "notice"; }}
worker "rspamd_proxy" {{ .include "{folder}/worker-proxy.inc" }}
actions {{ .include "{settings}/actions.conf" }}
modules {{ path = "$PLUGINSDIR/milter_headers.lua"; }}
milter_headers {{ .include "{settings}/milter_headers.conf" }}
"""
ALIAS, MAILBOX, SENDER = "scanned@our.example", "scanned@inbox.example", "friend@sender.example"
SPAM = b"YJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One of rspamd's own, with its settings."""
    with tempfile.TemporaryDirectory(prefix="smtpy-rspamd-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        (folder / "suffixes").write_text("example\n")
        proxy = (SETTINGS / "worker-proxy.inc").read_text()
        (folder / "worker-proxy.inc").write_text(proxy.replace("*:11332", f"{made}/milter.sock mode=0666"))
        (folder / "rspamd.conf").write_text(CONFIGURATION.format(folder=folder, settings=SETTINGS))
        subprocess.run([*ROOT, "chown", "-R", USER, made], check=True)
        yield folder
        subprocess.run([*ROOT, "chown", "-R", "root", made], check=True)


@pytest.fixture
def scanned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    """A whole SMTPy, with rspamd before it."""
    command = ["rspamd", "-c", str(folder / "rspamd.conf"), "-u", USER, "-g", USER, "--no-fork", "--insecure"]
    scanner = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *ROOT, *command], stdin=subprocess.DEVNULL)
    monkeypatch.setenv("SCANNER", f"unix:{folder}/milter.sock")
    one = Stand()
    try:
        one.open()
        one.declare(ALIAS, MAILBOX)
        until((folder / "milter.sock").exists, "rspamd")
        yield one
    finally:
        one.close()
        scanner.terminate()
        scanner.wait()


def sent(stand: Stand, body: bytes) -> bytes:
    """The header with which a message arrives that says of itself that it is spam."""
    before = len(stand.inbox.deliveries)
    fields = b"From: friend@sender.example\r\nX-Spam: Yes\r\nSubject: hello\r\nMessage-ID: <1@sender.example>\r\n\r\n"
    assert stand.send(SENDER, [ALIAS], fields + body).accepted
    until(lambda: len(stand.inbox.deliveries) > before, "the message")
    return stand.inbox.deliveries[-1].header


@pytest.mark.skipif(not shutil.which("rspamd"), reason="rspamd is not here")
def test_spam_is_marked_by_the_scanner_alone_and_a_scanner_that_is_away_stops_nothing(
    scanned: Stand, folder: Path
) -> None:
    assert sent(scanned, SPAM).count(b"\r\nX-Spam: Yes\r\n") == 1
    assert b"X-Spam" not in sent(scanned, b"hello\r\n")
    (folder / "milter.sock").unlink()
    assert b"X-Spam: Yes" in sent(scanned, b"hello\r\n")  # nobody has looked

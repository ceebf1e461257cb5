"""`smtpy verify`: the verdicts on a message in a file, with a DNS server of our own."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.cli.conftest import run
from tests.dns import Zone
from tests.nameserver import Nameserver

MESSAGE = b"From: A friend <a@sender.example>\r\nSubject: hello\r\n\r\nHello\r\n"
Verify = Callable[..., Result]
RECORDS = {
    "sender.example": {"TXT": ["v=spf1 ip4:198.51.100.1 -all"]},
    "_dmarc.sender.example": {"TXT": ["v=DMARC1; p=reject"]},
    "_dmarc.example": {},
    "example": {},
    "slow.example": "SERVFAIL",
    "_dmarc.slow.example": "SERVFAIL",
}


@pytest.fixture
def verify(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Verify]:
    """The command on a message, with these records."""
    with Nameserver(Zone(RECORDS)) as server:
        monkeypatch.setenv("SMTPY_DNS_SERVERS", f"{server.host}:{server.port}")

        def command(*words: str, message: bytes = MESSAGE) -> Result:
            return run("--config", str(config), "verify", "-", *words, stdin=message)

        yield command


SENDER = ("--client", "198.51.100.1", "--helo", "mx.sender.example", "--from", "<a@sender.example>")


def test_every_verdict_is_told(verify: Verify) -> None:
    done = verify(*SENDER)
    assert done.exit_code == os.EX_OK
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["spf", "pass", "sender.example"],
        ["dkim", "none"],
        ["arc", "none"],
        ["dmarc", "pass", "sender.example"],
    ]


def test_as_json(verify: Verify) -> None:
    found = json.loads(verify(*SENDER, "--json").stdout)
    assert found["spf"] == {"result": "pass", "domain": "sender.example", "identity": "mailfrom", "why": ""}
    assert (found["dmarc"]["result"], found["dmarc"]["policy"], found["dkim"]) == ("pass", "reject", [])
    assert found["authentication_results"].startswith("mx.our.example;\n\tspf=pass smtp.mailfrom=sender.example;")


def test_the_exit_code_is_that_of_dmarc(verify: Verify) -> None:
    forged = verify("--client", "203.0.113.9", "--from", "a@sender.example")
    assert forged.exit_code == os.EX_NOPERM
    assert "(asks to reject)  neither SPF nor DKIM vouches for sender.example" in forged.stdout
    assert verify().exit_code == os.EX_NOPERM
    assert verify(message=b"From: a@slow.example\n\n").exit_code == os.EX_TEMPFAIL
    assert verify(message=b"From: a@nowhere.example\n\n").exit_code == os.EX_OK


ANY = {
    b"": os.EX_OK,
    b"\n": os.EX_OK,
    b"no header": os.EX_OK,
    b"\0" * 1000: os.EX_OK,
    b"From: a@b.example <c@d.example>\n\n": os.EX_NOPERM,
    MESSAGE[:20]: os.EX_NOPERM,
}


@pytest.mark.parametrize(("message", "code"), ANY.items())
def test_any_file_has_verdicts(verify: Verify, message: bytes, code: int) -> None:
    assert verify(message=message).exit_code == code


@pytest.mark.parametrize("sender", ["not an address", "a@", "a@b@", "a@b..example"])
def test_a_sender_must_be_an_address(verify: Verify, sender: str) -> None:
    done = verify("--from", sender)
    assert (done.exit_code, f"{sender!r} is not an address" in done.stderr) == (os.EX_USAGE, True)


@pytest.mark.parametrize(
    "sender", ["", "<>", "<@relay.example:a@sender.example>", '"a b"@sender.example', "a" * 99 + "@b.example"]
)
def test_a_sender_is_what_postfix_takes(verify: Verify, sender: str) -> None:
    assert verify("--from", sender).exit_code == os.EX_NOPERM


def test_a_client_must_be_an_address(verify: Verify) -> None:
    done = verify("--client", "mx.sender.example")
    assert (done.exit_code, "not an IP address" in done.stderr) == (os.EX_USAGE, True)

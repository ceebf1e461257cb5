"""What is measured of signatures is what happens to a forwarded message."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import author
from bench.author import message
from bench.crypto import great_key
from smtpy.mail.message import parts
from smtpy.signing import dkim
from smtpy.signing.body import BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import parse_public
from smtpy.signing.result import Result
from smtpy.signing.verdict import Verdict
from tests.dns import Zone

ROOT = Path(__file__).parents[2]


def test_it_reports_within_what_is_allowed() -> None:
    command = [sys.executable, "-m", "bench", "crypto"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [each for each in lines if "5 KB" in each]
    assert [each for each in lines if "200 signatures" in each]


def test_the_author_of_the_load_is_believed() -> None:
    fields, body = parts(message(5120, "alias@aliases.example"))
    header = Header(fields)
    found = dkim.signatures(header)
    hashes = BodyHashes(dkim.specs(found))
    hashes.update(body)
    (verified,) = dkim.verify(header, found, hashes.finish(), Zone(author.records()), datetime.now(UTC))
    assert (verified.result, verified.domain) == (Result.PASS, author.DOMAIN)


@pytest.mark.parametrize("bits", [8192, 16_384, 32_768])
def test_nobody_believes_a_great_key(bits: int) -> None:
    found = parse_public(great_key(bits).encode())
    assert isinstance(found, Verdict)
    assert "too long" in found.why

"""Who writes all messages: someone at sender.example, a domain that signs (DKIM, RSA 2048), has SPF, and asks by DMARC
to reject what is not from it. `records` is what DNS says of it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bench.network import HOST
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import read
from smtpy.signing import dkim, key
from smtpy.signing.body import OURS, BodyHashes
from smtpy.signing.header import Header
from smtpy.signing.key import Signer

DOMAIN = "sender.example"
SENDER = f"someone@{DOMAIN}"
SELECTOR = "s1"
LINE = b"X" * 78 + b"\n"
HEADER = """\
From: Someone <{sender}>
To: <{to}>
Subject: A message of the benchmark
Date: Mon, 23 Nov 2026 12:00:00 +0000
Message-ID: <{number}.benchmark@sender.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

"""


@cache
def _key() -> tuple[Signer, str]:
    """One for the whole benchmark, and its record."""
    private = key.generate("rsa-sha256")
    record = key.record_of("rsa-sha256", key.public_of(private))
    return key.load(private, "rsa-sha256", DOMAIN, SELECTOR), record


def records() -> Mapping[str, Mapping[str, Any]]:
    """For a tests.dns.Zone."""
    return {
        DOMAIN: {"TXT": [f"v=spf1 ip4:{HOST} -all"], "MX": [(10, f"mx.{DOMAIN}")]},
        f"_dmarc.{DOMAIN}": {"TXT": ["v=DMARC1; p=reject"]},
        f"{SELECTOR}._domainkey.{DOMAIN}": {"TXT": [_key()[1]]},
    }


def message(size: int, to: str, number: int = 0) -> bytes:
    """A signed message with `size` octets of body, lines ending in LF."""
    text = HEADER.format(sender=SENDER, to=to, number=number).encode("ascii")
    body = LINE * max(1, size // (len(LINE) + 1))
    header = Header(read(text, Envelope("", ())).fields)
    hashes = BodyHashes([OURS])
    hashes.update(body.replace(b"\n", b"\r\n"))
    value = dkim.sign(header, hashes.finish()[OURS], _key()[0], datetime.now(UTC))
    return f"DKIM-Signature: {value}\n".encode("ascii") + text + body


def file(folder: Path, size: int, to: str) -> Path:
    """The same, for smtp-source; written once."""
    path = folder / f"message-{size}"
    if not path.exists():
        path.write_bytes(message(size, to))
    return path

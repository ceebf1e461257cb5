"""A hop between a forwarder and the mailbox's server, which does to a message what its recipient's name says and passes
it on. What it was answered it keeps, and tells nobody.

    python -m tests.judges.passing ADDRESS FOLDER SERVER KEY

N.json has the recipient here and the answer of SERVER. KEY is a file with the private key that dkimpy seals with, as
list.example, selector `rsa`.
"""

import asyncio
import json
import smtplib
import sys
from collections.abc import Callable
from pathlib import Path

import dkim
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.judges.keeper import serve
from tests.judges.sender import sealed

DOMAIN = "list.example"
FOOTER = b"-- \r\nadded on the way\r\n"
Change = Callable[[bytes, bytes], bytes]  # of the message; the second is the key


def footer(data: bytes, key: bytes) -> bytes:
    """As mailing lists do it."""
    return data + FOOTER


def footer_sealed(data: bytes, key: bytes) -> bytes:
    """As the better ones do: the chain it has found good goes on."""
    found = dkim.arc_verify(data)[0].decode()
    return sealed(footer(data, key), key, DOMAIN, f"arc={found}")


def subject(data: bytes, key: bytes) -> bytes:
    """Another subject."""
    return data.replace(b"\r\nSubject: ", b"\r\nSubject: [list] ", 1)


def sealed_then_changed(data: bytes, key: bytes) -> bytes:
    """The newest signature of all is broken."""
    return footer_sealed(data, key) + b"and more\r\n"


def results_changed(data: bytes, key: bytes) -> bytes:
    """Another story of where it came from than the one that was sealed."""
    return footer(data, key).replace(b"dmarc=pass", b"dmarc=pass (honestly)", 2)


CHANGES: dict[str, Change] = {
    "as-it-is": lambda data, key: data,
    "footer": footer,
    "footer-sealed": footer_sealed,
    "subject": subject,
    "sealed-then-changed": sealed_then_changed,
    "results-changed": results_changed,
}


class Passing:
    """aiosmtpd's handler."""

    def __init__(self, folder: Path, server: str, key: bytes) -> None:
        self._folder, self._server, self._key = folder, server, key
        self._count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        (recipient,) = envelope.rcpt_tos
        answer = await asyncio.to_thread(self._pass, envelope.mail_from or "", recipient, envelope.content)
        self._count += 1
        partial = self._folder / f"{self._count}.partial"
        partial.write_text(json.dumps({"recipient": recipient, "code": answer[0], "text": answer[1].decode()}))
        partial.rename(partial.with_suffix(".json"))
        return "250 2.0.0 Ok: passed on"

    def _pass(self, sender: str, recipient: str, data: bytes) -> tuple[int, bytes]:
        changed = CHANGES[recipient.partition("@")[0]](data, self._key)
        with smtplib.SMTP(self._server, 25, f"mx.{DOMAIN}") as client:
            client.ehlo()
            client.mail(sender)
            client.rcpt(f"user@{self._server.partition('.')[2]}")
            return client.data(changed)


if __name__ == "__main__":
    address, folder, server, key = sys.argv[1:]
    asyncio.run(serve(Passing(Path(folder), server, Path(key).read_bytes()), address))

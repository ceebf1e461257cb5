"""An SMTP server which keeps what it is sent, octet for octet, and refuses nothing: `tests.inbox` on a host of its own.

    python -m tests.judges.keeper ADDRESS FOLDER [EXTENSION]...

Each message is N.eml, and then N.json with its envelope. The extensions named, such as 8BITMIME, are not offered.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.inbox import Tolerant


class Keeper:
    """aiosmtpd's handler."""

    def __init__(self, folder: Path, without: tuple[str, ...]) -> None:
        self._folder, self._without = folder, without
        self._count = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [each for each in responses if each[4:] not in self._without]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._count += 1
        assert isinstance(envelope.content, bytes)
        (self._folder / f"{self._count}.eml").write_bytes(envelope.content)
        how = {"reverse_path": envelope.mail_from, "recipients": envelope.rcpt_tos}
        partial = self._folder / f"{self._count}.partial"
        partial.write_text(json.dumps(how))
        partial.rename(partial.with_suffix(".json"))
        return "250 2.0.0 Ok: kept"


async def serve(handler: Any, address: str) -> None:
    """Serve that handler on port 25 for ever."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Tolerant(handler, hostname="elsewhere", data_size_limit=None, enable_SMTPUTF8=True), address, 25
    )
    await server.serve_forever()


if __name__ == "__main__":
    address, folder, *without = sys.argv[1:]
    asyncio.run(serve(Keeper(Path(folder), tuple(without)), address))

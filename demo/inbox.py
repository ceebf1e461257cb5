"""The rest of the world, for the demonstration: an SMTP server which takes everything and keeps it as files.

A file is the transaction as it came: the envelope's commands, then the message. Sends nothing on.
"""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

PORT = int(os.environ["DEMO_INBOX"])
FOLDER = Path(os.environ["DEMO_DIR"]) / "inbox"
KEPT = 100  # messages; older ones make room


class Keeper:
    """Numbers the messages from where the last run ended."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        last = max((int(each.stem) for each in folder.glob("*.smtp")), default=0)
        self._numbers = itertools.count(last + 1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        number = next(self._numbers)
        reverse_path = (envelope.mail_from or "").strip("<>")  # aiosmtpd says <> for the null one
        commands = [f"MAIL FROM:<{reverse_path}>"]
        commands += [f"RCPT TO:<{each}>" for each in envelope.rcpt_tos]
        text = "\r\n".join([*commands, "DATA", ""]).encode() + bytes(envelope.original_content or b"")
        aside = self._folder / "arriving"
        aside.write_bytes(text)
        aside.rename(self._folder / f"{number:06}.smtp")  # whole, or not there
        (self._folder / f"{number - KEPT:06}.smtp").unlink(missing_ok=True)
        print(f"message {number} for {', '.join(envelope.rcpt_tos)}, reverse-path <{reverse_path}>")
        return f"250 2.0.0 Ok: message {number}"


async def serve() -> None:
    """Until SIGTERM."""
    loop = asyncio.get_running_loop()
    end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    keeper = Keeper(FOLDER)
    server = await loop.create_server(
        lambda: SMTP(keeper, enable_SMTPUTF8=True, data_size_limit=None, ident="the rest of the world"),
        "127.0.0.1",
        PORT,
    )
    print(f"listening on 127.0.0.1:{PORT}, keeping what comes in {FOLDER}")
    async with server:
        await end.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(serve()))

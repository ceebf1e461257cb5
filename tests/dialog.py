"""An SMTP client which says exactly what a test tells it to, byte for byte, and keeps every answer.

smtplib will not do: it hides the answers to single recipients, and cannot misbehave.
"""

import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3}) ")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: `status` is the enhanced code (RFC 3463) or None, `text` all lines without codes."""

    code: int
    status: str | None
    text: str

    def __str__(self) -> str:
        return " ".join(filter(None, (str(self.code), self.status, self.text)))


@dataclass(frozen=True, slots=True)
class Answers:
    """One transaction's answers: `rcpt` in the order of the recipients; `data` None if no recipient was taken."""

    mail: Answer
    rcpt: tuple[Answer, ...]
    data: Answer | None

    @property
    def accepted(self) -> bool:
        """The client has heard 250 for the message."""
        return self.data is not None and self.data.code == 250


class Dialog:
    """One connection. `client` is the loopback address it comes from: 127.0.0.1 is in mynetworks, others are not."""

    def __init__(
        self, port: int, *, client: str = "127.0.0.1", timeout: float = 130.0, server: str = "127.0.0.1"
    ) -> None:
        self._socket = socket.create_connection((server, port), timeout, source_address=(client, 0))
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without QUIT."""
        self._lines.close()
        self._socket.close()

    def raw(self, data: bytes) -> None:
        """Send these bytes and wait for nothing. That the server has hung up shows in the next answer."""
        with suppress(ConnectionError):
            self._socket.sendall(data)

    def answer(self) -> Answer:
        """Read one answer; code 0 when the server hung up instead."""
        lines: list[str] = []
        while True:
            line = self._line()
            if not line:
                return Answer(0, None, "connection closed")
            lines.append(line[4:])
            if line[3:4] != "-":
                break
        found = _ENHANCED.match(lines[0])
        status = found[1] if found else None
        text = "\n".join(each.removeprefix(f"{status} ") for each in lines)
        return Answer(int(line[:3]), status, text)

    def _line(self) -> str:
        try:
            return self._lines.readline().decode("utf-8", "surrogateescape").rstrip("\r\n")
        except ConnectionResetError:  # it hung up with something of ours unread
            return ""

    def command(self, line: str | bytes) -> Answer:
        """Send one command line, read its answer."""
        octets = line.encode() if isinstance(line, str) else line
        self.raw(octets + b"\r\n")
        return self.answer()

    def hello(self, name: str = "client.example") -> Answer:
        """Greeting and EHLO: the server's extensions."""
        self.answer()
        return self.command(f"EHLO {name}")

    def encrypt(self) -> bytes:
        """STARTTLS, which has to be offered; the server's certificate, whoever signed it."""
        begun = self.command("STARTTLS")
        assert begun.code == 220, begun
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secured = context.wrap_socket(self._socket)
        self._socket, self._lines = secured, secured.makefile("rb")
        return secured.getpeercert(binary_form=True) or b""

    def transaction(
        self, sender: str, recipients: list[str], data: bytes, *, parameters: str = "", stuffed: bool = False
    ) -> Answers:
        """MAIL, each RCPT, and DATA if one was taken. Dots are stuffed unless `data` is `stuffed` already."""
        mail = self.command(f"MAIL FROM:<{sender}>{parameters and ' ' + parameters}")
        if mail.code != 250:
            return Answers(mail, (), None)
        rcpt = tuple(self.command(f"RCPT TO:<{each}>") for each in recipients)
        if not any(each.code == 250 for each in rcpt):
            return Answers(mail, rcpt, None)
        go_on = self.command("DATA")
        if go_on.code != 354:
            return Answers(mail, rcpt, go_on)
        body = data if stuffed else re.sub(rb"(?m)^\.", b"..", data)
        self.raw(body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"))
        return Answers(mail, rcpt, self.answer())

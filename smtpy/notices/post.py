"""Handing a message to the SMTP server of the settings; as a rule Postfix on this host, which queues it, tries again.

So there is no queue here: what Postfix does not take within the deadline is not sent, and who asked for it is told.
"""

import smtplib
import socket
from dataclasses import dataclass
from email.message import EmailMessage

from smtpy.net import Endpoint

DEADLINE = 4.0  # seconds for each answer


class Undelivered(Exception):
    """The server was not there, or did not take the message; safe to log, holds no address and no text of a message."""


@dataclass(frozen=True, slots=True)
class Post:
    """`sender` is the reverse-path and the author; `host` what we greet with."""

    server: Endpoint
    sender: str
    host: str

    def answers(self) -> bool:
        """Whether a message would be taken now, as far as that can be known without one."""
        try:
            with self._connected() as smtp:
                return smtp.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def send(self, message: EmailMessage, to: str) -> None:
        """Hand it over. Raises Undelivered."""
        try:
            with self._connected() as smtp:
                smtp.send_message(message, self.sender, [to])
        except smtplib.SMTPRecipientsRefused as refused:
            codes = ", ".join(str(code) for code, _ in refused.recipients.values())
            raise Undelivered(f"{self.server} refused the recipient: {codes}") from None
        except smtplib.SMTPResponseException as refused:
            raise Undelivered(f"{self.server} refused the message: {refused.smtp_code}") from None
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Undelivered(f"{self.server} is not to be had: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        smtp = _Smtp(self.server)
        smtp.connect()
        smtp.ehlo(self.host)
        return smtp


class _Smtp(smtplib.SMTP):
    """smtplib's client on an endpoint: TCP, or a UNIX socket."""

    def __init__(self, server: Endpoint) -> None:
        self._server = server
        super().__init__(timeout=DEADLINE)

    def connect(self, host: str = "", port: int = 0, source_address: object = None) -> tuple[int, bytes]:
        """To the endpoint, wherever it is."""
        self.sock = self._socket()
        code, words = self.getreply()
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, words)
        return code, words

    def _socket(self) -> socket.socket:
        if self._server.path is None:
            return socket.create_connection((self._server.host, self._server.port), DEADLINE)
        made = socket.socket(socket.AF_UNIX)
        made.settimeout(DEADLINE)
        try:
            made.connect(self._server.path)
        except OSError:
            made.close()
            raise
        return made

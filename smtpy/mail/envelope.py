"""The envelope of RFC 5321: who a message says it is from, and who it is for, as the client wrote it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Envelope:
    """`reverse_path` and `recipients` as address.strip_path leaves them; "" is the null reverse-path.

    Postfix finds a recipient again only by that text of RCPT TO, so nothing more is normalised.
    """

    reverse_path: str
    recipients: tuple[str, ...]
    client: str = ""  # IP address of the SMTP client
    helo: str = ""  # what it called itself

"""An SMTP reply: basic code, enhanced status code, words (RFC 5321 section 4.2, RFC 3463).

Every reply SMTPy can give is a constant in the module that decides it, so a line of a mail log can be found by grep.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` 250 to 599, `status` the enhanced code ("5.1.1"), `text` one line of printable ASCII."""

    code: int
    status: str
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.status} {self.text}"

    @property
    def temporary(self) -> bool:
        """Whether the client is to try again (RFC 5321 section 4.2.1: 4yz)."""
        return 400 <= self.code < 500

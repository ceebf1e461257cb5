"""A milter that puts a footer below messages whose subject asks for one: what a content filter of the forwarder's own
would do. It stands at the second smtpd, before SMTPy's milter.

    python -m tests.judges.footing SOCKET
"""

import sys

import Milter

from tests.judges.passing import FOOTER

WANTED = "a footer, please"


class Footing(Milter.Base):
    """One connection."""

    def envfrom(self, *words: str) -> int:
        self._wanted, self._body = False, b""
        return Milter.CONTINUE

    def header(self, name: str, value: str) -> int:
        self._wanted |= name.lower() == "subject" and WANTED in value
        return Milter.CONTINUE

    def body(self, chunk: bytes) -> int:
        self._body += chunk
        return Milter.CONTINUE

    def eom(self) -> int:
        if self._wanted:
            self.replacebody(self._body + FOOTER)
        return Milter.CONTINUE


if __name__ == "__main__":
    Milter.factory = Footing
    Milter.set_flags(Milter.CHGBODY)
    Milter.runmilter("footing", sys.argv[1], 30)

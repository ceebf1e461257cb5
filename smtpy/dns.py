"""What DNS can tell, as those who decide ask it: an interface, no resolver. `smtpy.resolver` asks the world.

"There is no such record" is an answer; "I could not find out" is DnsTrouble, which becomes temperror, never fail
(RFC 8601 section 2.7.1).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "TXT"]
Record = str | bytes | tuple[int, str]


class DnsTrouble(Exception):
    """DNS did not answer: SERVFAIL, a time-out, or no time left. The text says which, for a log."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of one name and kind, CNAMEs followed, in the order they came.

    A, AAAA, CNAME, NS, PTR: text, names without the final dot. MX: (preference, name). TXT: bytes, the strings of a
    record joined. `exists` is False when the name has no record of any kind (NXDOMAIN).
    """

    records: tuple[Record, ...] = ()
    exists: bool = True


NO_SUCH_NAME = Answer((), exists=False)


class Dns(Protocol):
    """One way to ask, good for one message or one check: it may have a deadline for all its questions together."""

    def ask(self, name: str, kind: Kind) -> Answer:
        """The answer. `name` in A-labels, with or without the final dot. Raises DnsTrouble."""


def texts(dns: Dns, name: str) -> tuple[bytes, ...]:
    """The TXT records of a name. Raises DnsTrouble."""
    return tuple(each for each in dns.ask(name, "TXT").records if isinstance(each, bytes))

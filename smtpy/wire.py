"""What a protocol's reader is: bytes in, whole requests out. It knows no socket, so tests cut its input anywhere."""

from typing import Protocol, TypeVar

R_co = TypeVar("R_co", covariant=True)


class Violation(ValueError):
    """What the client sent is not the protocol; the message says which rule it breaks and is safe to log."""


class Reader(Protocol[R_co]):
    """One client's stream of requests."""

    def feed(self, data: bytes) -> None:
        """Take what came in."""

    def next(self) -> R_co | None:
        """The next whole request; None: more bytes are needed. Raises Violation; then the stream is at its end."""

    def pending(self) -> bool:
        """Whether a part of a request is held."""

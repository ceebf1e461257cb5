"""Postfix's side of the milter protocol, version 6, small enough to misbehave with (letters: libmilter's mfdef.h).

A packet is a length of four octets, a command letter, data. `Peer` sends packets and reads answers; `message` speaks a
whole message and gives what the milter asked for at its end.
"""

import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

VERSION = 6
ALL_ACTIONS = 0x1FF
ALL_STEPS = 0x1FFFFF  # every SMFIP_* bit: may skip, need not answer, keeps leading blanks
FINAL = frozenset(b"acdrty")  # accept, continue, discard, reject, tempfail, reply code


@dataclass(frozen=True, slots=True)
class Ended:
    """The milter's words at end-of-message: edits as (letter, data), then the letter and data that end it."""

    edits: tuple[tuple[str, bytes], ...]
    verdict: str
    data: bytes


class Peer:
    """A connection to the milter's socket."""

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, letter: str, *words: bytes) -> None:
        """One packet; the words are closed by NUL each."""
        self.raw(letter, b"".join(word + b"\0" for word in words))

    def raw(self, letter: str, data: bytes) -> None:
        self.socket.sendall(struct.pack("!I", len(data) + 1) + letter.encode("ascii") + data)

    def read(self) -> tuple[str, bytes]:
        """One packet of the milter. Raises EOFError when it has closed."""
        (length,) = struct.unpack("!I", self._exactly(4))
        data = self._exactly(length)
        return chr(data[0]), data[1:]

    def closed(self) -> bool:
        """Whether the milter ends the connection, whatever it says before."""
        try:
            while True:
                self.read()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def _exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            more = self.socket.recv(count - len(got))
            if not more:
                raise EOFError
            got += more
        return got

    def greet(self, daemon: str = "smtpd", client: str = "192.0.2.1", helo: bytes = b"host.example") -> None:
        """Negotiate, connect and say hello."""
        self.raw("O", struct.pack("!III", VERSION, ALL_ACTIONS, ALL_STEPS))
        letter, _ = self.read()
        assert letter == "O"
        self.raw("D", b"C" + b"{daemon_name}\0" + daemon.encode() + b"\0")
        self.raw("C", b"host.example\0" + b"4" + struct.pack("!H", 25) + client.encode() + b"\0")
        self.send("H", helo)

    def envelope(self, sender: bytes, *recipients: bytes) -> None:
        self.send("M", b"<" + sender + b">")
        for recipient in recipients:
            self.send("R", b"<" + recipient + b">")

    def message(self, sender: bytes, recipients: list[bytes], fields: list[tuple[bytes, bytes]], body: bytes) -> Ended:
        """A whole message, and what the milter says of it."""
        self.envelope(sender, *recipients)
        for name, value in fields:
            self.send("L", name, value)
        self.send("N")
        self.raw("B", body)
        return self.end()

    def end(self, queue_id: str = "4QUEUE") -> Ended:
        """End-of-message."""
        self.raw("D", b"Ei\0" + queue_id.encode() + b"\0")
        self.raw("E", b"")
        edits = []
        while True:
            letter, data = self.read()
            if ord(letter) in FINAL:
                return Ended(tuple(edits), letter, data)
            edits.append((letter, data))

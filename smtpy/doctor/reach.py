"""Who can reach what: paths by their modes, sockets by asking them one question.

Modes are computed, not tried, so that any user can ask on behalf of another; access control lists are not looked at.
"""

import os
import pwd
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smtpy.lookup.netstring import Netstrings, encode
from smtpy.net import Endpoint
from smtpy.wire import Violation

READ, WRITE, ENTER = 4, 2, 1
_MAX_ANSWER = 100_100  # octets


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of this machine."""

    name: str
    uid: int
    gids: frozenset[int]

    @classmethod
    def named(cls, name: str) -> "Person":
        """A user of this machine. Raises KeyError."""
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, frozenset(os.getgrouplist(name, entry.pw_gid)))

    def may(self, path: Path, wanted: int) -> bool:
        """Whether the mode of this one file grants all of `wanted`."""
        if self.uid == 0:
            return True
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.gids else 0
        return (stat.S_IMODE(found.st_mode) >> shift) & wanted == wanted

    def stopped_at(self, path: Path, wanted: int) -> Path | None:
        """The first folder on the way, or the file itself, that keeps this person out; None: nothing does."""
        for folder in reversed(path.parents):
            if not self.may(folder, ENTER):
                return folder
        return None if self.may(path, wanted) else path


NOBODY = Person("anybody", 65_534, frozenset({65_534}))  # stands for all who have no business here


def ask_lookup(endpoint: Endpoint, key: str, seconds: float) -> str:
    """What table `domains` says of a key. Raises OSError, Violation."""
    reader = Netstrings()
    for chunk in _conversation(endpoint, encode(f"domains {key}".encode()), seconds):
        reader.feed(chunk)
        if (reply := reader.next()) is not None:
            return reply.decode("utf-8", "replace")
    raise Violation("it closed the connection without an answer")


def ask_policy(endpoint: Endpoint, recipient: str, seconds: float) -> str:
    """What action the policy wants for a recipient. Raises OSError, Violation."""
    request = f"request=smtpd_access_policy\nprotocol_state=RCPT\nsender=\nrecipient={recipient}\nsize=0\n\n"
    held = b""
    for chunk in _conversation(endpoint, request.encode(), seconds):
        held += chunk
        if held.endswith(b"\n\n"):
            return held.decode("utf-8", "replace").strip().removeprefix("action=")
    raise Violation("it closed the connection without an answer")


def touch(endpoint: Endpoint, seconds: float) -> str:
    """Connect and leave. Raises OSError."""
    with _connected(endpoint, seconds):
        return "connected"


def _conversation(endpoint: Endpoint, question: bytes, seconds: float) -> Iterator[bytes]:
    with _connected(endpoint, seconds) as connection:
        connection.sendall(question)
        received = 0
        while received < _MAX_ANSWER and (chunk := connection.recv(4096)):
            received += len(chunk)
            yield chunk


def _connected(endpoint: Endpoint, seconds: float) -> socket.socket:
    if endpoint.path is None:
        return socket.create_connection((endpoint.host, endpoint.port), timeout=seconds)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(endpoint.path)
    except OSError:
        connection.close()
        raise
    return connection

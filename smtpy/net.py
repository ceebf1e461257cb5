"""Endpoints: where a socket listens, in Postfix's own spelling; and UNIX sockets to listen on.

`unix:/path` or `inet:host:port` (`inet:[2001:db8::1]:port` for IPv6), so the same text stands in SMTPy's settings and
in main.cf. Refuses relative paths, paths longer than the kernel takes, and inet without a host: a service that listens
on every address must say so.
"""

import errno
import os
import re
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

MAX_PATH = 107  # octets: sun_path of unix(7) is 108 with its NUL

_INET = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})\Z")


class BadEndpoint(ValueError):
    """The text is no endpoint; the message says which rule it breaks and is safe to show."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A UNIX socket (`path` set) or a TCP port (`host` without brackets, `port`)."""

    path: str | None = None
    host: str = ""
    port: int = 0

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read `unix:/path` or `inet:host:port`. Raises BadEndpoint."""
        kind, _, rest = text.partition(":")
        if kind == "unix":
            return cls(path=_path(rest))
        if kind != "inet":
            raise BadEndpoint("an endpoint is unix:/path or inet:host:port")
        found = _INET.match(rest)
        if not found:
            raise BadEndpoint("inet takes host:port, an IPv6 address in brackets")
        port = int(found["port"])
        if not 1 <= port <= 65535:
            raise BadEndpoint("a port is a number from 1 to 65535")
        return cls(host=found["v6"] or found["host"], port=port)

    def __str__(self) -> str:
        if self.path is not None:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"inet:{host}:{self.port}"


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise BadEndpoint("the path of a UNIX socket is absolute")
    if "\0" in text or not text.isprintable():
        raise BadEndpoint("the path of a UNIX socket has no control characters")
    if len(text.encode()) > MAX_PATH:
        raise BadEndpoint(f"the path of a UNIX socket is at most {MAX_PATH} octets")
    return text


def unix_socket(path: Path, group: int | None = None) -> socket.socket:
    """A bound UNIX socket that anyone may connect to, or only its owner and `group`.

    A file left by a server that was killed is removed; what is no socket is not. Raises OSError, EADDRINUSE if somebody
    listens there.
    """
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX)
    try:
        if group is None:
            made.bind(str(path))
            path.chmod(0o666)  # Postfix asks as its own user; the folder says who may come near
        else:
            _bind_for(group, made, path)
    except OSError:
        made.close()
        raise
    return made


def _bind_for(group: int, made: socket.socket, path: Path) -> None:
    """The file is right from its first moment: its folder may be another user's, who could put a link in its place."""
    mask, before = os.umask(0o117), os.getegid()
    try:
        os.setegid(group)
        made.bind(str(path))
    finally:
        os.setegid(before)
        os.umask(mask)


def _remove_stale(path: Path) -> None:
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return  # bind() has the words for what is no socket
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))

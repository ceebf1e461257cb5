"""Policy delegation: bytes in, whole requests out; actions back into bytes. Knows no socket.

A request is lines `name=value` up to an empty line; the answer is `action=...` and an empty line (SMTPD_POLICY_README).
Of a name that comes twice the last counts; names we do not know are passed over, as Postfix adds some with each
version. There is no error reply: what is no request ends the conversation, and Postfix gives its 451.
"""

import re
from dataclasses import dataclass

from smtpy.wire import Violation

MAX_LINE = 8192  # octets; Postfix's longest attributes are names in certificates
MAX_REQUEST = 65_536  # octets

_END = b"\n\n"
_TYPE = b"smtpd_access_policy"
_SIZE = re.compile(r"[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """What the policy looks at. Addresses in Postfix's internal form: no angle brackets, no quotes (`a b@x.example`).

    Octets that are not UTF-8 are lone surrogates in `recipient`, which no address takes, and U+FFFD elsewhere.
    """

    state: str  # "RCPT"
    sender: str  # "" is the null reverse-path
    recipient: str
    size: int  # octets as MAIL FROM declared them; 0: not declared
    client: str  # IP address
    relay: bool = False  # policy_context=relay: relaying is decided here, too


class Requests:
    """A stream of requests, cut anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        self._held += data

    def pending(self) -> bool:
        """Whether a part of a request is held."""
        return bool(self._held)

    def next(self) -> Request | None:
        """The next whole request; None: more bytes are needed. Raises Violation."""
        end = self._held.find(_END, self._searched)
        if (len(self._held) if end < 0 else end) > MAX_REQUEST:
            raise Violation(f"request is longer than {MAX_REQUEST} octets")
        if self._held.startswith(b"\n"):
            raise Violation("request is empty")
        if end < 0:
            self._searched = max(0, len(self._held) - 1)
            return None
        text = bytes(self._held[:end])
        del self._held[: end + len(_END)]
        self._searched = 0
        return _request(text)


def action(text: str) -> bytes:
    """The answer that tells Postfix to do that (access(5))."""
    return b"action=%s\n\n" % text.encode("ascii")


def _request(text: bytes) -> Request:
    attributes = dict(_attribute(line) for line in text.split(b"\n"))
    if attributes.get(b"request") != _TYPE:
        raise Violation("request is not of type smtpd_access_policy")
    size = _shown(attributes, b"size")
    return Request(
        state=_shown(attributes, b"protocol_state"),
        sender=_shown(attributes, b"sender"),
        recipient=attributes.get(b"recipient", b"").decode("utf-8", "surrogateescape"),
        size=int(size) if _SIZE.match(size) else 0,
        client=_shown(attributes, b"client_address"),
        relay=attributes.get(b"policy_context") == b"relay",
    )


def _attribute(line: bytes) -> tuple[bytes, bytes]:
    name, equals, value = line.partition(b"=")
    if len(line) > MAX_LINE:
        raise Violation(f"line is longer than {MAX_LINE} octets")
    if not (name and equals):
        raise Violation("line is not name=value")
    return name, value


def _shown(attributes: dict[bytes, bytes], name: bytes) -> str:
    return attributes.get(name, b"").decode("utf-8", "replace")

"""What pymilter calls a context: what a milter may ask about its connection, and say to Postfix about a message.

Edits are gathered until the end of the message, so that all of them and the verdict are one write; if there is no
verdict, none of them was made. A reply is given with the verdict it belongs to, 4xx or 5xx, as libmilter has it.
"""

import Milter

from smtpy.milter.packets import numbered, packet, words

_VERDICTS = {
    Milter.CONTINUE: packet(b"c"),
    Milter.REJECT: packet(b"r"),
    Milter.DISCARD: packet(b"d"),
    Milter.ACCEPT: packet(b"a"),
    Milter.TEMPFAIL: packet(b"t"),
}
_REPLIED = {Milter.REJECT: "5", Milter.TEMPFAIL: "4"}  # how a reply begins that may stand for the verdict


class Context:
    """The names are pymilter's; the engine's are `learn`, `said` and `forget`."""

    def __init__(self) -> None:
        self._macros: dict[bytes, dict[bytes, bytes]] = {}  # by the step they came for
        self._edits: list[bytes] = []
        self._reply = ""

    def learn(self, command: bytes, macros: dict[bytes, bytes]) -> None:
        """What Postfix tells before the step of that letter."""
        self._macros[command] = macros

    def said(self, verdict: int) -> bytes:
        """What Postfix is to hear: edits, and the verdict, unless it does not wait for one."""
        reply, self._reply = self._reply, ""
        if verdict == Milter.NOREPLY:
            return b""
        if reply and reply[0] == _REPLIED.get(verdict):
            return b"".join((*self._edits, packet(b"y", words(reply))))
        return b"".join((*self._edits, _VERDICTS[verdict]))

    def forget(self) -> None:
        """Nothing is kept from one message to the next but what is true of the connection."""
        self._edits.clear()
        self._macros = {command: known for command, known in self._macros.items() if command in b"CH"}

    def setpriv(self, milter: object) -> None:
        """The engine knows its milter."""

    def getsymval(self, name: str) -> str | None:
        """The value of a macro; None: not told."""
        for known in self._macros.values():
            if (value := known.get(name.encode())) is not None:
                return value.decode("utf-8", "replace")
        return None

    def setreply(self, code: str, status: str, text: str) -> None:
        """What a verdict of that class is to be told in. Per cent signs are doubled."""
        self._reply = f"{code} {status} {text}"

    def addheader(self, field: str, value: str, idx: int = -1) -> None:
        """At that place, 0 on top; at the end without."""
        self._edits.append(packet(b"h", words(field, value)) if idx < 0 else packet(b"i", numbered(idx, field, value)))

    def chgheader(self, field: str, idx: int, value: str | None) -> None:
        """The `idx`-th of that name, from 1; without a value it goes."""
        self._edits.append(packet(b"m", numbered(idx, field, value or "")))

    def addrcpt(self, rcpt: str) -> None:
        """A recipient, in angle brackets."""
        self._edits.append(packet(b"+", words(rcpt)))

    def delrcpt(self, rcpt: str) -> None:
        """The recipient with exactly that text in RCPT TO."""
        self._edits.append(packet(b"-", words(rcpt)))

    def chgfrom(self, sender: str) -> None:
        """The reverse-path, in angle brackets."""
        self._edits.append(packet(b"e", words(sender)))

    def quarantine(self, reason: str) -> None:
        """Into the hold queue."""
        self._edits.append(packet(b"q", words(reason)))

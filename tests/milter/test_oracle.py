"""The same milter run by libmilter and by our engine: Postfix is told the same by both."""

import os
import signal
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import Milter
import milter
import pytest

from smtpy.milter.engine import Base, Connection
from tests.milter.postfix_side import FINAL
from tests.milter.test_packets import offer, packet, words
from tests.waiting import until


@Milter.header_leading_space
class Parrot(Base):
    """Says back in edits what it was told, and ends a message as its subject wants it."""

    def negotiate(self, options: list[int]) -> int:
        answer = super().negotiate(options)
        options[0] &= milter.CURR_ACTS
        return int(answer)

    def note(self, *words: object) -> int:
        self.told.append(repr(words))
        return int(Milter.CONTINUE)

    @Milter.noreply
    def connect(self, host, family, address):
        self.told, self.subject = [], b""
        return self.note("connect", host, int(family), address)

    def hello(self, name):
        return self.note("hello", name)

    @Milter.noreply
    @Milter.decode("bytes")
    def envfrom(self, *words):
        return self.note("from", *words)

    @Milter.decode("bytes")
    def envrcpt(self, *words):
        self.note("to", *words)
        if words[0] == b"<nobody@our.example>":
            self.setreply("550", "5.1.1", "100 %% nobody")
            return Milter.REJECT
        return Milter.CONTINUE

    @Milter.noreply
    @Milter.decode("bytes")
    def header(self, name, value):
        self.subject = value if name == "Subject" else self.subject
        return self.note("field", name, value)

    @Milter.noreply
    def eoh(self):
        return self.note("end of header")

    @Milter.noreply
    def body(self, chunk):
        return self.note("body", chunk)

    def eom(self):
        self.note("end", self.getsymval("i"), self.getsymval("{daemon_name}"), self.getsymval("unheard"))
        for number, each in enumerate(self.told):
            self._ctx.addheader("X-Told", f" {each}", 0)
            self._ctx.chgheader("X-Told", number + 1, None if number % 2 else f" \u00fc\n\t{number}")
        self._ctx.addheader("X-Last", " 1")
        self._ctx.chgfrom("<new@our.example>")
        self._ctx.delrcpt("<sales@our.example>")
        self._ctx.addrcpt("<bob@home.example>")
        self._ctx.quarantine("to see what comes")
        return getattr(self, self.subject.strip().decode() or "accept")()

    def accept(self):
        return Milter.ACCEPT

    def discard(self):
        return Milter.DISCARD

    def reject(self):
        return Milter.REJECT

    def defer(self):
        self.setreply("451", "4.3.0", "not now")
        return Milter.TEMPFAIL

    def refuse(self):
        self.setreply("554", "5.7.1", "never")
        return Milter.REJECT

    def contradict(self):
        self.setreply("451", "4.3.0", "not now")
        return Milter.REJECT


def serve(path: Path) -> None:
    """libmilter's engine, until killed."""
    Milter.factory = Parrot
    Milter.set_flags(milter.CURR_ACTS)
    Milter.runmilter("parrot", f"unix:{path}", timeout=60)


@pytest.fixture(scope="module")
def libmilter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("oracle") / "milter.sock"
    pid = os.fork()
    if pid == 0:
        try:
            serve(path)
        finally:
            os._exit(0)
    try:
        until(path.is_socket, "oracle there")
        yield path
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def message(subject: bytes, *recipients: bytes, queue_id: bytes = b"4QUEUE") -> list[bytes]:
    """Packets; an answer is awaited after those that the parrot answers."""
    return [
        words("M", b"<anna@sender.example>", b"SIZE=9", b"BODY=8BITMIME"),
        *(words("R", b"<" + each + b">", b"NOTIFY=NEVER") for each in recipients),
        words("L", b"From", b" anna@sender.example"),
        words("L", b"X-Folded", b" one\n\ttwo \xff\xc3\xbc"),
        words("L", b"X-Empty", b""),
        words("L", b"Subject", subject),
        packet("N"),
        packet("B", b"text\r\n" * 3),
        packet("D", b"Ei\0" + queue_id + b"\0"),
        packet("E"),
    ]


def greeting(client: bytes, helo: bytes = b"host.example") -> list[bytes]:
    return [offer(), packet("D", b"C{daemon_name}\0smtpd\0"), packet("C", client), words("H", helo)]


FROM_IPV4 = b"host.example\x004\0\x19192.0.2.1\0"
DIALOGS = {
    **{
        how: greeting(FROM_IPV4) + message(b" " + how.encode(), b"sales@our.example")
        for how in ("accept", "discard", "reject", "defer", "refuse", "contradict")
    },
    "IPv6": greeting(b"host.example\x006\0\x192001:db8::1\0") + message(b"", b"sales@our.example"),
    "a name that is none": greeting(FROM_IPV4, b"h\xc3\xbc.example") + message(b"", b"sales@our.example"),
    "a recipient refused": greeting(FROM_IPV4) + message(b"", b"nobody@our.example", b"sales@our.example"),
    "two messages": greeting(FROM_IPV4)
    + message(b"", b"sales@our.example")
    + message(b" refuse", b"info@our.example", queue_id=b"4OTHER"),
    "one given up": greeting(FROM_IPV4)
    + message(b"", b"sales@our.example")[:4]
    + [packet("A")]
    + message(b" discard", b"info@our.example"),
}


def by_libmilter(path: Path, dialog: list[bytes]) -> bytes:
    """What it answers, packet by packet where an answer must come."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(10)
        peer.connect(str(path))
        answers = b""
        for each in dialog:
            peer.sendall(each)
            if each[4:5] in b"OHRE":
                answers += answer(peer, final=each[4:5] != b"O")
        return answers


def answer(peer: socket.socket, *, final: bool) -> bytes:
    got = b""
    while True:
        (length,) = struct.unpack("!I", head := peer.recv(4, socket.MSG_WAITALL))
        got += head + (data := peer.recv(length, socket.MSG_WAITALL))
        if not final or data[0] in FINAL:
            return got


def by_engine(dialog: list[bytes]) -> bytes:
    connection, answers = Connection(Parrot), b""
    for each in dialog:
        connection.feed(each)
        while asked := connection.next():
            answers += asked if isinstance(asked, bytes) else asked.end(at_once=False)
    return answers


@pytest.mark.parametrize("dialog", DIALOGS.values(), ids=DIALOGS)
def test_both_say_the_same(libmilter: Path, dialog: list[bytes]) -> None:
    assert packets_of(by_engine(dialog)) == packets_of(by_libmilter(libmilter, dialog))


def packets_of(octets: bytes) -> list[bytes]:
    """One by one, to see which differs."""
    found = []
    while octets:
        (length,) = struct.unpack("!I", octets[:4])
        found.append(octets[4 : 4 + length])
        octets = octets[4 + length :]
    return found

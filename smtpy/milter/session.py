"""One SMTP session as Postfix tells it: packets in; out comes what is to be answered, an offer or a message's end.

Only these two are answered: the other steps cost no round trip, because nothing is decided before the message is whole.
Nothing is kept from one message to the next but the client. The header is kept as bytes with its leading blanks; of the
body the size and the hashes that signatures ask for, made while it passes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smtpy.authn.authenticate import Claims, read_claims
from smtpy.mail.address import strip_path
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import MAX_FIELDS, Field, Message
from smtpy.milter.protocol import Packet, Packets, agreed
from smtpy.routing.arrival import Stage
from smtpy.signing.body import OURS, BodyDigest, BodyHashes, BodySpec
from smtpy.wire import Violation

SPLIT_DAEMON = "split"  # milter_macro_daemon_name of the second smtpd, postfix/master.cf


@dataclass(frozen=True, slots=True)
class Offer:
    """What Postfix can do, at the beginning, and what we say to that."""

    agreed: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """A message at its end. `claims` is None where nobody asks for them; `digests` has those of its body."""

    stage: Stage
    message: Message
    claims: Claims | None
    digests: Mapping[BodySpec, BodyDigest]
    queue_id: str


Asked = Offer | Ended


class Session:
    """A `smtpy.wire.Reader`: steps in the order of RFC 5321."""

    def __init__(self) -> None:
        self._packets = Packets()
        self.feed, self.pending = self._packets.feed, self._packets.pending
        self._macros: dict[bytes, bytes] = {}
        self._offered = False
        self._client = self._helo = ""
        self._begin("")

    def _begin(self, reverse_path: str) -> None:
        self._reverse_path = reverse_path
        self._recipients: list[str] = []
        self._fields: list[Field] = []
        self._size = 2  # the empty line behind the header
        self._claims: Claims | None = None
        self._hashes = BodyHashes((OURS,))

    def next(self) -> Asked | None:
        """What is to be answered next; None: more bytes are needed. Raises Violation."""
        while packet := self._packets.next():
            step = _STEPS.get(packet.command)
            if step is None or self._offered == (packet.command == b"O"):
                raise Violation("this command is unknown here")
            if asked := step(self, packet):
                return asked
        return None

    def _offer(self, packet: Packet) -> Offer:
        self._offered = True
        return Offer(agreed(packet))

    def _macro(self, packet: Packet) -> None:
        """Names and values, behind the letter of the step they are for."""
        words = packet.data[1:].split(b"\0")
        self._macros.update(zip(words[::2], words[1::2], strict=False))

    def _connect(self, packet: Packet) -> None:
        """Host name; then family, port and address, if there is an address (`4`, `6`)."""
        _, _, origin = packet.data.partition(b"\0")
        known = origin[:1] in (b"4", b"6")
        self._client = _text(origin[3:].removesuffix(b"\0")).removeprefix("IPv6:") if known else ""

    def _hello(self, packet: Packet) -> None:
        self._helo = _text(packet.words()[0])

    def _sender(self, packet: Packet) -> None:
        self._begin(_path(packet))

    def _recipient(self, packet: Packet) -> None:
        self._recipients.append(_path(packet))

    def _field(self, packet: Packet) -> None:
        name, _, value = packet.data.partition(b"\0")
        if not value.endswith(b"\0"):
            raise Violation("a field does not end")
        value = value[:-1]
        if len(self._fields) <= MAX_FIELDS:  # one more than are taken tells the plan
            self._fields.append(Field(name, value))
        self._size += len(name) + len(value) + value.count(b"\n") + 3  # colon, and CRLF where LF stands

    def _header_end(self, _: Packet) -> None:
        if self._stage is Stage.FRONT and len(self._fields) <= MAX_FIELDS:
            self._claims = read_claims(self._fields)
            self._hashes = BodyHashes({OURS, *self._claims.specs})

    def _body(self, packet: Packet) -> None:
        self._size += len(packet.data)
        self._hashes.update(packet.data)

    def _end(self, packet: Packet) -> Ended:
        if not self._recipients:
            raise Violation("a message ends that has not begun")
        if packet.data:  # the last part of the body may stand here
            self._body(packet)
        envelope = Envelope(self._reverse_path, tuple(self._recipients), self._client, self._helo)
        message = Message(envelope, tuple(self._fields), self._size)
        ended = Ended(self._stage, message, self._claims, self._hashes.finish(), _text(self._macros.pop(b"i", b"")))
        self._begin("")
        return ended

    def _abort(self, _: Packet) -> None:
        self._begin("")

    @property
    def _stage(self) -> Stage:
        return Stage.SPLIT if self._macros.get(b"{daemon_name}") == SPLIT_DAEMON.encode() else Stage.FRONT


_STEPS: Mapping[bytes, Callable[[Session, Packet], Asked | None]] = {
    b"O": Session._offer,
    b"D": Session._macro,
    b"C": Session._connect,
    b"H": Session._hello,
    b"M": Session._sender,
    b"R": Session._recipient,
    b"L": Session._field,
    b"N": Session._header_end,
    b"B": Session._body,
    b"E": Session._end,
    b"A": Session._abort,
    b"Q": Session._abort,  # who takes leave hangs up, too
}


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")


def _path(packet: Packet) -> str:
    """The text by which Postfix knows it; ESMTP parameters follow. What is not UTF-8 becomes U+FFFD, which is in no
    address of ours."""
    return strip_path(_text(packet.words()[0]))

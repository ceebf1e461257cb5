"""One SMTP session as pymilter tells it: collect envelope, header and size; at end-of-message decide and act.

Only the last call is answered: the others cost no round trip (SMFIP_NR_*), because nothing is decided before the
message is whole. The end is decided from memory if memory has all it takes. Nothing is kept from one message to the
next but the client. The header is kept as bytes with its leading blanks; of the body the size and the hashes that
signatures ask for, made while it passes.

Whether Postfix still waits for the answer, nobody knows here. If it has given up (milter_content_timeout), the journal
says what was decided, and Postfix's log that the client heard 451 (milter-reject: END-OF-MESSAGE); smtpy.admin.ends
goes by the log.
"""

import logging
import time
from typing import Any

import Milter

from smtpy.authn.authenticate import Claims, read_claims
from smtpy.directory.questions import Unavailable
from smtpy.directory.resolve import TRY_AGAIN
from smtpy.mail.address import strip_path
from smtpy.mail.envelope import Envelope
from smtpy.mail.message import MAX_FIELDS, Field, Message
from smtpy.mail.reply import Reply
from smtpy.milter.apply import apply
from smtpy.milter.desk import Decide, Desk, Ended
from smtpy.milter.engine import Base, MustWait
from smtpy.routing.arrival import Arrival, Stage
from smtpy.routing.outcome import Plan, Verdict
from smtpy.signing.body import OURS, BodyHashes
from smtpy.spans import note, span

NOT_NOW = Reply(451, "4.3.0", "The message cannot be handled now, try again later")

ACTIONS = Milter.ADDHDRS | Milter.CHGHDRS | Milter.ADDRCPT | Milter.DELRCPT | Milter.CHGFROM | Milter.QUARANTINE

SPLIT_DAEMON = "split"  # milter_macro_daemon_name of the second smtpd, postfix/master.cf

log = logging.getLogger("smtpy.milter")


@Milter.header_leading_space
class Session(Base):
    """Callbacks in the order of RFC 5321; each says whether Postfix waits for its answer."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.client = self.helo = ""
        self.stage = Stage.FRONT
        self.begin("")

    def begin(self, reverse_path: str) -> None:
        self.reverse_path = reverse_path
        self.recipients: list[str] = []
        self.fields: list[Field] = []
        self.size = 2  # the empty line behind the header
        self.claims: Claims | None = None
        self.hashes = BodyHashes((OURS,))
        self.ended: Ended | None = None

    def negotiate(self, options: list[int]) -> int:
        """Refuses who cannot do what plans ask for, or keeps the blanks to itself that lead a field."""
        super().negotiate(options)
        options[0] = ACTIONS
        enough = self._actions & ACTIONS == ACTIONS and self._protocol & Milter.P_HDR_LEADSPC
        return int(Milter.CONTINUE if enough else Milter.REJECT)

    @Milter.noreply  # type: ignore[untyped-decorator]
    def connect(self, _hostname: str, _family: int, address: Any) -> int:
        # ("192.0.2.1", port[, flow, scope]) for IPv4 and IPv6; text or None for a UNIX socket or no address
        self.client = address[0] if isinstance(address, tuple) else ""
        if self.getsymval("{daemon_name}") == SPLIT_DAEMON:
            self.stage = Stage.SPLIT
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    def hello(self, name: str) -> int:
        self.helo = name
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    @Milter.decode("bytes")  # type: ignore[untyped-decorator]
    def envfrom(self, path: bytes, *_parameters: bytes) -> int:
        self.begin(_path(path))
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    @Milter.decode("bytes")  # type: ignore[untyped-decorator]
    def envrcpt(self, path: bytes, *_parameters: bytes) -> int:
        self.recipients.append(_path(path))
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    @Milter.decode("bytes")  # type: ignore[untyped-decorator]
    def header(self, name: str | bytes, value: bytes) -> int:
        field = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
        if len(self.fields) <= MAX_FIELDS:  # one more than are taken tells the plan
            self.fields.append(Field(field, value))
        self.size += len(field) + len(value) + value.count(b"\n") + 3  # colon, and CRLF where LF stands
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    def eoh(self) -> int:
        if self.stage is Stage.FRONT and len(self.fields) <= MAX_FIELDS:
            self.claims = read_claims(self.fields)
            self.hashes = BodyHashes({OURS, *self.claims.specs})
        return int(Milter.CONTINUE)

    @Milter.noreply  # type: ignore[untyped-decorator]
    def body(self, chunk: bytes) -> int:
        self.size += len(chunk)
        self.hashes.update(chunk)
        return int(Milter.CONTINUE)

    def eom_at_once(self) -> int:
        return self.end(self.desk.decide_at_once)

    def eom(self) -> int:
        return self.end(self.desk.decide)

    def end(self, decide: Decide) -> int:
        try:
            with span("end of message", stage=self.stage, queue_id=self.getsymval("i") or ""):
                return self.act(decide)
        except MustWait:
            raise
        except Unavailable as missing:
            self.desk.numbers.add("put_off")
            log.warning("%s: tempfail why=%r", self.getsymval("i"), str(missing))
            return self.answer(TRY_AGAIN)
        except Exception:  # the edge of the process: whatever happened, the client keeps its message
            self.desk.numbers.add("put_off")
            log.exception("%s: tempfail", self.getsymval("i"))
            return self.answer(NOT_NOW)

    def act(self, decide: Decide) -> int:
        started = time.perf_counter_ns()
        arrival, plan = decide(self.whole())
        if plan.verdict is Verdict.ACCEPT:
            apply(plan.edits, self._ctx, self.desk.remember)
        queue_id = self.getsymval("i") or ""
        note(verdict=plan.verdict)
        self.desk.record(arrival, plan, queue_id, (time.perf_counter_ns() - started) // 1000)
        _log(queue_id, arrival, plan)
        if plan.verdict is Verdict.DISCARD:
            return int(Milter.DISCARD)
        return self.answer(plan.reply) if plan.reply else int(Milter.ACCEPT)

    def whole(self) -> Ended:
        """What has been collected; made once, however often it is decided about."""
        if self.ended is None:
            envelope = Envelope(self.reverse_path, tuple(self.recipients), self.client, self.helo)
            message = Message(envelope, tuple(self.fields), self.size)
            self.ended = Ended(self.stage, message, self.claims, self.hashes.finish())
        return self.ended

    def answer(self, reply: Reply) -> int:
        self.setreply(str(reply.code), reply.status, reply.text.replace("%", "%%"))
        return int(Milter.TEMPFAIL if reply.temporary else Milter.REJECT)


def _path(path: bytes) -> str:
    """The text by which Postfix knows it. What is not UTF-8 becomes U+FFFD, which is in no address of ours."""
    return strip_path(path.decode("utf-8", "replace"))


def _log(queue_id: str, arrival: Arrival, plan: Plan) -> None:
    envelope, standing = arrival.message.envelope, arrival.standing
    log.info(
        "%s: from=<%s> to=%s plan=%s edits=%d dmarc=%s why=%r",
        queue_id,
        envelope.reverse_path,
        ",".join(f"<{recipient}>" for recipient in envelope.recipients),
        plan.verdict,
        len(plan.edits),
        standing.dmarc if standing else "-",
        plan.why,
    )

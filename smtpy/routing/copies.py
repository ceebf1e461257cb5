"""One recipient of a message with all that is known of it, and the manner in which its copy goes on.

Copies of one manner share a queue file; copies of several are split.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from smtpy.directory.entries import OnDmarc
from smtpy.directory.resolve import Forward, Refused, Resolution
from smtpy.mail import trace
from smtpy.mail.address import Address
from smtpy.mail.message import Message
from smtpy.mail.reply import Reply
from smtpy.mail.trace import Trace
from smtpy.routing.arrival import Answers, Arrival, Terms
from smtpy.routing.author import is_rewritable
from smtpy.routing.outcome import Outcome, outcome
from smtpy.routing.replies import DISOWNED, DOUBTFUL, MAIL_LOOP, TOO_LARGE, UNSURE
from smtpy.routing.returns import ReturnPath, return_path
from smtpy.signing.result import Result


@dataclass(frozen=True, slots=True)
class Copy:
    """One recipient with all that is known of it. `asked`: what its owner wants done with mail that fails DMARC."""

    recipient: str
    resolution: Resolution
    refusal: tuple[Reply, str] | None
    asked: OnDmarc = OnDmarc.DELIVER

    @property
    def loops(self) -> bool:
        """Whether the message has been through this alias before."""
        return self.refusal is not None and self.refusal[0] is MAIL_LOOP

    def outcome(self, decision: str | None = None, why: str | None = None) -> Outcome:
        """What became of it, for the journal."""
        if decision == "loop" and self.refusal:
            why = self.refusal[1]
        return outcome(self.recipient, self.resolution, decision, why)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a copy is forwarded; copies of one manner share a queue file.

    `author`: the alias From is rewritten to. `signed`: the domain that signs, "" when none does.
    """

    path: ReturnPath
    asked: OnDmarc = OnDmarc.DELIVER
    author: Address | None = None
    signed: str = ""

    @property
    def decision(self) -> str:
        """The word for it in the journal."""
        return "hold" if self.asked is OnDmarc.HOLD else "forward"

    def reason(self, copy: Copy) -> str:
        """Why the copy goes on so, for the journal."""
        reasons = [copy.resolution.why]
        if self.asked in (OnDmarc.TAG, OnDmarc.HOLD):
            reasons.append("tagged" if self.asked is OnDmarc.TAG else "held")
        if copy.refusal and self.asked is OnDmarc.HOLD:
            reasons.append("another recipient takes what this one refuses")
        if self.author:
            reasons.append("From is rewritten, since DMARC would fail at the mailbox otherwise")
        return "; ".join(reasons)


def copies_of(arrival: Arrival, answers: Answers, terms: Terms) -> tuple[Copy, ...]:
    """A copy for each recipient of the envelope."""
    traces = _traces(arrival.message, terms)
    recipients = arrival.message.envelope.recipients
    return tuple(
        _copy(recipient, resolution, arrival, traces, terms)
        for recipient, resolution in zip(recipients, answers.resolutions, strict=True)
    )


def _copy(recipient: str, resolution: Resolution, arrival: Arrival, traces: tuple[Trace, ...], terms: Terms) -> Copy:
    refusal, standing = _refusal(resolution, arrival.message, traces, terms), arrival.standing
    if standing is None or not isinstance(resolution, Forward):
        return Copy(recipient, resolution, refusal)
    asked = standing.asked(resolution)
    if asked is OnDmarc.REFUSE:
        reply = DISOWNED if standing.dmarc is Result.FAIL else DOUBTFUL
        return Copy(recipient, resolution, refusal or (reply, standing.warning), OnDmarc.HOLD)
    if standing.is_unsure_of(resolution.address.domain):
        return Copy(recipient, resolution, refusal or (UNSURE, standing.warning), OnDmarc.HOLD)
    return Copy(recipient, resolution, refusal, asked)


def _refusal(
    resolution: Resolution, message: Message, traces: tuple[Trace, ...], terms: Terms
) -> tuple[Reply, str] | None:
    """What this recipient alone would be told now, and why; None: it takes the message."""
    match resolution:
        case Refused(reply=reply, why=why):
            return reply, why
        case Forward(address=address, max_message_bytes=limit):
            if traces and trace.goes_round(traces, trace.marks(terms.keys, address.key)):
                return MAIL_LOOP, "the message carries this alias's mark"
            if limit and message.size > limit:
                return TOO_LARGE, f"{message.size} octets, the domain takes {limit}"
    return None


def _traces(message: Message, terms: Terms) -> tuple[Trace, ...]:
    read = (trace.read(value, terms.keys) for value in message.values(trace.TRACE_FIELD))
    return tuple(found for found in read if found)


def manner_of(copy: Copy, arrival: Arrival, answers: Answers, terms: Terms) -> Manner:
    """How that copy is to be forwarded."""
    sender, standing = arrival.message.envelope.reverse_path, arrival.standing
    if not isinstance(copy.resolution, Forward):
        return Manner(ReturnPath(sender))
    address, path, author = copy.resolution.address, ReturnPath(sender), None
    # Anybody can write a return path of ours; from our own host SPF would make it true.
    if not (answers.sender_is_ours and (standing is None or standing.spf is Result.PASS)):
        path = return_path(sender, address.domain, terms.srs, terms.keys[0], arrival.now)
    vouching = (address.domain, path.path.rpartition("@")[2])
    if standing and standing.fails_onward(vouching, copy.asked) and is_rewritable(arrival.message, address):
        author = address
    return Manner(path, copy.asked, author, address.domain if answers.signing_keys.get(address.domain) else "")


def addresses(copies: Iterable[Copy]) -> Iterator[Address]:
    """The aliases of those that are forwarded."""
    return (copy.resolution.address for copy in copies if isinstance(copy.resolution, Forward))

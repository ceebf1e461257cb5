"""What becomes of a message at end-of-message: `plan(arrival, answers, terms) -> Plan`.

One plan or several. A message has one queue file, so one reverse-path and one header. When its recipients agree on
them the edits are made in place. When they do not, each alias is readdressed to the second pass (`routing.internal`),
where it is alone and gets a plan of its own.

Everything that can be refused is refused in the first pass: a 5xx in the second would become a bounce from our own
Postfix that shows an internal address. SMTP has one reply for all recipients at this point, so a message is refused
only when every recipient would refuse it; a loop among others ends quietly, with a row in the journal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smtpy.directory.resolve import Drop, Foreign, Forward, Refused, Resolution, Return
from smtpy.mail import trace
from smtpy.mail.address import ANY_LENGTH, Address, BadAddress, parse_path
from smtpy.mail.message import MAX_FIELDS, Message
from smtpy.mail.reply import Reply
from smtpy.mail.trace import Keys, Trace
from smtpy.routing.edits import AddField, ChangeReversePath, Edit, RememberSender, RemoveField, ReplaceRecipient
from smtpy.routing.internal import DROP_ADDRESS, split_address
from smtpy.routing.returns import ReturnPath, return_path
from smtpy.srs import Srs

TOO_MANY_HOPS = Reply(554, "5.4.6", "Too many hops, the message goes round in a circle")
MAIL_LOOP = Reply(554, "5.4.6", "This message has been through this address before")
TOO_MANY_FIELDS = Reply(552, "5.3.4", "The message has too many header fields")
TOO_LARGE = Reply(552, "5.3.4", "The message is larger than this address takes")
CHANGED_MEANWHILE = Reply(451, "4.2.1", "A recipient has been switched off meanwhile, try again")
NOT_A_COPY = Reply(451, "4.3.5", "Internal address expected")


class Stage(StrEnum):
    """Which smtpd the message came in by."""

    FRONT = "front"
    SPLIT = "split"


class Verdict(StrEnum):
    """What the client hears, and what the queue file's fate is."""

    ACCEPT = "accept"
    REFUSE = "refuse"  # with Plan.reply, 4xx or 5xx
    DISCARD = "discard"  # 250 and gone: only ever with a journal row


@dataclass(frozen=True, slots=True)
class Terms:
    """What the service has settled: secrets (newest first) and limits."""

    srs: Srs
    keys: Keys
    max_hops: int  # Received fields


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at end-of-message. `id` is its name in the journal, `now` an aware UTC time."""

    id: str
    stage: Stage
    message: Message
    now: datetime


@dataclass(frozen=True, slots=True)
class Answers:
    """What the directory said: one resolution for each recipient of the envelope, and whose the reverse-path is."""

    resolutions: tuple[Resolution, ...]
    sender_is_ours: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided for one recipient: `key` is the address it was found as."""

    recipient: str
    key: str
    decision: str
    why: str
    alias_id: int | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """`must_record`: something is taken and not delivered, so the journal row comes before the 250."""

    verdict: Verdict
    why: str
    outcomes: tuple[Outcome, ...]
    edits: tuple[Edit, ...] = ()
    reply: Reply | None = None
    must_record: bool = False


@dataclass(frozen=True, slots=True)
class _Copy:
    """One recipient with all that is known of it."""

    recipient: str
    resolution: Resolution
    refusal: tuple[Reply, str] | None


def plan(arrival: Arrival, answers: Answers, terms: Terms) -> Plan:
    """The one decision about a message. Pure."""
    message = arrival.message
    traces = _traces(message, terms)
    copies = tuple(
        _Copy(recipient, resolution, _refusal(resolution, message, traces, terms))
        for recipient, resolution in zip(message.envelope.recipients, answers.resolutions, strict=True)
    )
    if arrival.stage is Stage.SPLIT:
        return _second_pass(arrival, copies, answers, terms)
    if len(message.fields) > MAX_FIELDS:
        return _refuse(copies, TOO_MANY_FIELDS, f"more than {MAX_FIELDS} header fields")
    if sum(1 for _ in message.values("Received")) > terms.max_hops:
        return _refuse(copies, TOO_MANY_HOPS, f"more than {terms.max_hops} hops")
    if copies and all(copy.refusal for copy in copies):
        refusals = [copy.refusal for copy in copies if copy.refusal]
        # Who is owed "later" must not hear "never" because of another recipient.
        reply, why = next((refusal for refusal in refusals if refusal[0].temporary), refusals[0])
        return _refuse(copies, reply, why)
    return _first_pass(arrival, copies, answers, terms)


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


def _refuse(copies: tuple[_Copy, ...], reply: Reply, why: str) -> Plan:
    outcomes = tuple(_outcome(copy, "refuse", copy.refusal[1] if copy.refusal else why) for copy in copies)
    return Plan(Verdict.REFUSE, why, outcomes, reply=reply)


def _first_pass(arrival: Arrival, copies: tuple[_Copy, ...], answers: Answers, terms: Terms) -> Plan:
    looping = [copy for copy in copies if copy.refusal and copy.refusal[0] is MAIL_LOOP]
    forwards = [copy for copy in copies if isinstance(copy.resolution, Forward) and copy not in looping]
    paths = [_return_path(copy, arrival, answers, terms) for copy in forwards]
    wanted = {path.path for path in paths}
    relayed = any(isinstance(copy.resolution, Foreign) for copy in copies)
    if relayed:
        wanted.add(arrival.message.envelope.reverse_path)  # a relayed copy keeps its own way back
    edits: list[Edit] = [*_forged(arrival.message, terms)]
    edits += [ReplaceRecipient(copy.recipient, ()) for copy in looping]
    dropped = [copy.recipient for copy in copies if isinstance(copy.resolution, Drop)]
    edits += [ReplaceRecipient(recipient, (DROP_ADDRESS,)) for recipient in dropped]  # it may have been on at RCPT TO
    split = len(wanted) > 1
    if (split or not forwards) and any(isinstance(copy.resolution, Refused) for copy in copies):
        # It was on at RCPT TO, and its copy would leave with the sender as it came. The next try is told at RCPT TO.
        return _refuse(copies, CHANGED_MEANWHILE, "a recipient was switched off after RCPT TO")
    if split:
        edits += _split(arrival, forwards, terms, relayed=relayed)
    elif forwards:
        edits += _past_dropping(forwards)
        edits += _in_place(arrival, forwards, paths[0], terms)
    decisions = {copy.recipient: "split" if split else "forward" for copy in forwards}
    decisions |= {copy.recipient: "loop" for copy in looping}
    outcomes = tuple(_outcome(copy, decisions.get(copy.recipient)) for copy in copies)
    lost = any(outcome.decision in ("drop", "loop") for outcome in outcomes)
    return Plan(Verdict.ACCEPT, _summary(outcomes), outcomes, tuple(edits), must_record=lost)


def _second_pass(arrival: Arrival, copies: tuple[_Copy, ...], answers: Answers, terms: Terms) -> Plan:
    if len(copies) != 1:
        return _refuse(copies, NOT_A_COPY, "the second pass takes one internal address at a time")
    copy = copies[0]
    match copy.resolution:
        case Forward() if copy.refusal and copy.refusal[0] is MAIL_LOOP:  # a mailbox that leads back here
            outcome = _outcome(copy, "loop")
            return Plan(Verdict.DISCARD, outcome.why, (outcome,), must_record=True)
        case Forward(mailboxes=mailboxes):
            edits = [
                *_forged(arrival.message, terms),
                ReplaceRecipient(copy.recipient, mailboxes),
                *_in_place(arrival, [copy], _return_path(copy, arrival, answers, terms), terms),
            ]
            outcome = _outcome(copy, "forward")
            return Plan(Verdict.ACCEPT, outcome.why, (outcome,), tuple(edits))
        case Refused(reply=reply, why=why) if reply.temporary:
            return _refuse(copies, reply, why)
        case _:
            outcome = _outcome(copy, "discard", "the alias went away while the message was on its way")
            return Plan(Verdict.DISCARD, outcome.why, (outcome,), must_record=True)


def _return_path(copy: _Copy, arrival: Arrival, answers: Answers, terms: Terms) -> ReturnPath:
    sender = arrival.message.envelope.reverse_path
    if answers.sender_is_ours or not isinstance(copy.resolution, Forward):
        return ReturnPath(sender)
    return return_path(sender, copy.resolution.address.domain, terms.srs, terms.keys[0], arrival.now)


def _in_place(arrival: Arrival, forwards: list[_Copy], path: ReturnPath, terms: Terms) -> list[Edit]:
    """The edits of a plan that all these recipients share."""
    edits: list[Edit] = []
    if path.token:
        edits.append(RememberSender(path.token, arrival.message.envelope.reverse_path))
    if path.path != arrival.message.envelope.reverse_path:
        edits.append(ChangeReversePath(path.path))
    left = tuple(dict.fromkeys(trace.mark(terms.keys[0], address.key) for address in _addresses(forwards)))
    edits.append(AddField(trace.TRACE_FIELD, trace.write(Trace(arrival.id, left), terms.keys[0])))
    return edits


def _past_dropping(forwards: list[_Copy]) -> Iterator[ReplaceRecipient]:
    """Recipients that lookup, a moment behind, may still have expanded to the address that drops."""
    for copy in forwards:
        if isinstance(copy.resolution, Forward) and copy.resolution.may_drop:
            yield ReplaceRecipient(copy.recipient, copy.resolution.mailboxes)


def _split(arrival: Arrival, forwards: list[_Copy], terms: Terms, *, relayed: bool) -> list[Edit]:
    """Each alias on its own way to the second pass; the message itself stays as it came."""
    edits: list[Edit] = []
    if not relayed:  # the field ends in the second pass, and a relayed copy does not go there
        edits.append(AddField(trace.SPLIT_FIELD, trace.write(Trace(arrival.id, ()), terms.keys[0])))
    for copy, address in zip(forwards, _addresses(forwards), strict=True):
        edits.append(ReplaceRecipient(copy.recipient, (split_address(address),)))
    return edits


def _addresses(forwards: list[_Copy]) -> Iterator[Address]:
    return (copy.resolution.address for copy in forwards if isinstance(copy.resolution, Forward))


def _traces(message: Message, terms: Terms) -> tuple[Trace, ...]:
    read = (trace.read(value, terms.keys) for value in message.values(trace.TRACE_FIELD))
    return tuple(found for found in read if found)


def _forged(message: Message, terms: Terms) -> Iterator[RemoveField]:
    """Fields under our prefix that we did not write, or that end here; lowest first, so that no index moves."""
    seen: dict[str, int] = {}
    found = []
    for field in message.fields:
        name = field.name.decode("latin-1").lower()
        if not name.startswith(trace.PREFIX.lower()):
            continue
        seen[name] = seen.get(name, 0) + 1
        if name != trace.TRACE_FIELD.lower() or trace.read(field.value, terms.keys) is None:
            found.append(RemoveField(field.name.decode("latin-1"), seen[name]))
    return reversed(found)


def _outcome(copy: _Copy, decision: str | None = None, why: str | None = None) -> Outcome:
    resolution = copy.resolution
    reason = why or (copy.refusal[1] if decision == "loop" and copy.refusal else resolution.why)
    match resolution:
        case Forward(address=address, mailboxes=mailboxes, alias_id=alias_id):
            targets = mailboxes if decision in ("forward", "split") else ()
            return Outcome(copy.recipient, address.key, decision or "forward", reason, alias_id, targets)
        case Drop(address=address, alias_id=alias_id):
            return Outcome(copy.recipient, address.key, decision or "drop", reason, alias_id, (DROP_ADDRESS,))
        case Return(sender=sender):
            return Outcome(copy.recipient, _key(copy.recipient), decision or "return", reason, None, (sender,))
        case Refused(alias_id=alias_id):
            # Refused now but not when RCPT TO was answered: what was promised then is kept.
            return Outcome(copy.recipient, _key(copy.recipient), decision or "as promised", reason, alias_id)
        case Foreign():
            return Outcome(copy.recipient, _key(copy.recipient), decision or "relay", reason)


def _key(recipient: str) -> str:
    """What the journal finds a recipient by that is no alias."""
    try:
        return parse_path(recipient, max_local=ANY_LENGTH).key
    except BadAddress:
        return recipient.lower()


def _summary(outcomes: tuple[Outcome, ...]) -> str:
    """The reasons of all recipients, each once, in order."""
    return "; ".join(dict.fromkeys(f"{outcome.decision}: {outcome.why}" for outcome in outcomes))

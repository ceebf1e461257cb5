"""What becomes of a message at end-of-message: `plan(arrival, answers, terms) -> Plan`.

One plan or several. A message has one queue file, so one reverse-path and one header. When its recipients agree on
them the edits are made in place. When they do not, each alias is readdressed to the second pass (`routing.internal`),
where it is alone and gets a plan of its own.

Everything that can be refused is refused in the first pass: a 5xx in the second would become a bounce from our own
Postfix that shows an internal address. SMTP has one reply for all recipients at this point, so a message is refused
only when every recipient would refuse it. Otherwise a loop among them ends quietly, with a row in the journal, and what
its author's domain disowns is held for who would refuse it: nobody gets more because of somebody who takes everything.

What is signed and sealed comes last (`routing.sealing`), when no other edit is to come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from smtpy.directory.entries import OnDmarc
from smtpy.directory.resolve import Drop, Foreign, Forward, Refused
from smtpy.mail import trace
from smtpy.mail.message import MAX_FIELDS, Message
from smtpy.mail.reply import Reply
from smtpy.mail.trace import Trace
from smtpy.routing.arrival import Answers, Arrival, Stage, Terms
from smtpy.routing.author import author_domains, author_edits
from smtpy.routing.copies import Copy, Manner, addresses, copies_of, manner_of
from smtpy.routing.edits import (
    AddField,
    ChangeReversePath,
    Edit,
    Hold,
    RememberSender,
    ReplaceRecipient,
)
from smtpy.routing.foreign import not_ours
from smtpy.routing.internal import DROP_ADDRESS, split_address
from smtpy.routing.outcome import Plan, Verdict, summary
from smtpy.routing.replies import (
    CHANGED_MEANWHILE,
    MANY_AUTHORS,
    NOT_A_COPY,
    TOO_MANY_FIELDS,
    TOO_MANY_HOPS,
)
from smtpy.routing.returns import ReturnPath
from smtpy.routing.sealing import sealed
from smtpy.routing.standing import RESULTS_FIELD, read_note

TAG_FIELD = "SMTPy-Warning"
MAX_FOREIGN = 100  # fields in our name that are not ours; an honest message has none, one that came round a few


def plan(arrival: Arrival, answers: Answers, terms: Terms) -> Plan:
    """The one decision about a message. Pure."""
    message = arrival.message
    if arrival.stage is Stage.SPLIT:
        first = trace.first_pass(message, terms.keys)
        arrival = replace(arrival, standing=read_note(first, message) if first else None)
    copies = copies_of(arrival, answers, terms)
    if arrival.stage is Stage.SPLIT:
        return _second_pass(arrival, copies, answers, terms)
    foreign = tuple(not_ours(arrival, terms))
    for refused, reply, why in _against(message, foreign, terms):
        if refused:
            return _refuse(copies, reply, why)
    if copies and all(copy.refusal for copy in copies):
        refusals = [copy.refusal for copy in copies if copy.refusal]
        # Who is owed "later" must not hear "never" because of another recipient.
        reply, why = next((refusal for refusal in refusals if refusal[0].temporary), refusals[0])
        return _refuse(copies, reply, why)
    return _first_pass(arrival, copies, foreign, answers, terms)


def _against(message: Message, foreign: Sequence[Edit], terms: Terms) -> Iterator[tuple[bool, Reply, str]]:
    """What no recipient may be sent, in the order in which it is told."""
    yield len(message.fields) > MAX_FIELDS, TOO_MANY_FIELDS, f"more than {MAX_FIELDS} header fields"
    # Postfix looks through all fields for each that goes.
    yield len(foreign) > MAX_FOREIGN, TOO_MANY_FIELDS, f"more than {MAX_FOREIGN} fields in our name"
    hops = sum(1 for _ in message.values("Received"))
    yield hops > terms.max_hops, TOO_MANY_HOPS, f"more than {terms.max_hops} hops"
    # Which of them a mailbox shows and which one DMARC asks about is anybody's guess.
    yield author_domains(message) > 1, MANY_AUTHORS, "more than one From, or authors of several domains"


def _refuse(copies: tuple[Copy, ...], reply: Reply, why: str) -> Plan:
    outcomes = tuple(copy.outcome("refuse", copy.refusal[1] if copy.refusal else why) for copy in copies)
    return Plan(Verdict.REFUSE, why, outcomes, reply=reply)


def _first_pass(
    arrival: Arrival, copies: tuple[Copy, ...], foreign: tuple[Edit, ...], answers: Answers, terms: Terms
) -> Plan:
    looping = [copy for copy in copies if copy.loops]
    forwards = [copy for copy in copies if isinstance(copy.resolution, Forward) and copy not in looping]
    manners = {copy.recipient: manner_of(copy, arrival, answers, terms) for copy in forwards}
    wanted = set(manners.values())
    relayed = any(isinstance(copy.resolution, Foreign) for copy in copies)
    if relayed:  # a relayed copy keeps its own way back
        wanted.add(Manner(ReturnPath(arrival.message.envelope.reverse_path)))
    edits: list[Edit] = [*foreign, *_results(arrival)]
    edits += [ReplaceRecipient(copy.recipient, ()) for copy in looping]
    dropped = [copy.recipient for copy in copies if isinstance(copy.resolution, Drop)]
    edits += [ReplaceRecipient(recipient, (DROP_ADDRESS,)) for recipient in dropped]  # it may have been on at RCPT TO
    split = len(wanted) > 1
    if relayed and arrival.standing:  # no stranger may relay, so it was ours at RCPT TO
        return _refuse(copies, CHANGED_MEANWHILE, "a domain went away after RCPT TO")
    if (split or not forwards) and any(isinstance(copy.resolution, Refused) for copy in copies):
        # It was on at RCPT TO, and its copy would leave with the sender as it came. The next try is told at RCPT TO.
        return _refuse(copies, CHANGED_MEANWHILE, "a recipient was switched off after RCPT TO")
    decisions = {copy.recipient: "loop" for copy in looping}
    reasons: dict[str, str] = {}
    signed = ""
    if split:
        edits += _split(arrival, forwards, terms, relayed=relayed)
        decisions |= {copy.recipient: "split" for copy in forwards}
    elif forwards:
        manner = manners[forwards[0].recipient]
        edits += _past_dropping(forwards)
        edits += _in_place(arrival, forwards, manner, terms)
        edits, signed = sealed(arrival, edits, next(addresses(forwards)).domain, answers, terms)
        decisions |= {copy.recipient: manner.decision for copy in forwards}
        reasons = {copy.recipient: manner.reason(copy) for copy in forwards}
    outcomes = tuple(copy.outcome(decisions.get(copy.recipient), reasons.get(copy.recipient)) for copy in copies)
    kept = any(each.decision in ("drop", "loop", "hold") for each in outcomes)
    return Plan(Verdict.ACCEPT, summary(outcomes), outcomes, tuple(edits), must_record=kept, signed=signed)


def _second_pass(arrival: Arrival, copies: tuple[Copy, ...], answers: Answers, terms: Terms) -> Plan:
    if len(copies) != 1:
        return _refuse(copies, NOT_A_COPY, "the second pass takes one internal address at a time")
    copy = copies[0]
    match copy.resolution:
        case Forward() if copy.loops:  # a mailbox that leads back here
            end = copy.outcome("loop")
            return Plan(Verdict.DISCARD, end.why, (end,), must_record=True)
        case Forward(mailboxes=mailboxes, address=address):
            manner = manner_of(copy, arrival, answers, terms)
            edits: list[Edit] = [*not_ours(arrival, terms), ReplaceRecipient(copy.recipient, mailboxes)]
            edits += _in_place(arrival, [copy], manner, terms)
            edits, signed = sealed(arrival, edits, address.domain, answers, terms)
            end = copy.outcome(manner.decision, manner.reason(copy))
            held = manner.asked is OnDmarc.HOLD
            return Plan(Verdict.ACCEPT, end.why, (end,), tuple(edits), must_record=held, signed=signed)
        case Refused(reply=reply, why=why) if reply.temporary:
            return _refuse(copies, reply, why)
        case _:
            end = copy.outcome("discard", "the alias went away while the message was on its way")
            return Plan(Verdict.DISCARD, end.why, (end,), must_record=True)


def _results(arrival: Arrival) -> Iterator[Edit]:
    if arrival.standing:
        yield AddField(RESULTS_FIELD, arrival.standing.results)


def _in_place(arrival: Arrival, forwards: list[Copy], manner: Manner, terms: Terms) -> Iterator[Edit]:
    """The edits of a plan that all these recipients share."""
    sender = arrival.message.envelope.reverse_path
    if manner.path.token:
        yield RememberSender(manner.path.token, sender)
    if manner.path.path != sender:
        yield ChangeReversePath(manner.path.path)
    if manner.author:
        yield from author_edits(arrival.message, manner.author)
    if manner.asked in (OnDmarc.TAG, OnDmarc.HOLD) and arrival.standing:
        yield AddField(TAG_FIELD, arrival.standing.warning)
        if manner.asked is OnDmarc.HOLD:
            yield Hold(arrival.standing.warning)
    left = tuple(dict.fromkeys(trace.mark(terms.keys[0], address.key) for address in addresses(forwards)))
    yield AddField(trace.TRACE_FIELD, trace.write(Trace(arrival.id, left), terms.keys[0]))


def _past_dropping(forwards: list[Copy]) -> Iterator[ReplaceRecipient]:
    """Recipients that lookup, a moment behind, may still have expanded to the address that drops."""
    for copy in forwards:
        if isinstance(copy.resolution, Forward) and copy.resolution.may_drop:
            yield ReplaceRecipient(copy.recipient, copy.resolution.mailboxes)


def _split(arrival: Arrival, forwards: list[Copy], terms: Terms, *, relayed: bool) -> Iterator[Edit]:
    """Each alias on its own way to the second pass; the message itself stays as it came."""
    if not relayed:  # the field ends in the second pass, and a relayed copy does not go there
        note = arrival.standing.note if arrival.standing else ""
        yield AddField(trace.SPLIT_FIELD, trace.write(Trace(arrival.id, (), note), terms.keys[0]))
    for copy, address in zip(forwards, addresses(forwards), strict=True):
        yield ReplaceRecipient(copy.recipient, (split_address(address),))

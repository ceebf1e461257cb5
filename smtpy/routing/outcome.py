"""A plan: what the client hears, what became of each recipient and why, and the edits that make it so."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from smtpy.directory.resolve import Drop, Foreign, Forward, Refused, Resolution, Return
from smtpy.mail.address import ANY_LENGTH, BadAddress, parse_path
from smtpy.mail.reply import Reply
from smtpy.routing.edits import Edit
from smtpy.routing.internal import DROP_ADDRESS


class Verdict(StrEnum):
    """What the client hears, and what the queue file's fate is."""

    ACCEPT = "accept"
    REFUSE = "refuse"  # with Plan.reply, 4xx or 5xx
    DISCARD = "discard"  # 250 and gone: only ever with a journal row


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
    """`must_record`: something is taken and not delivered, so the journal row comes before the 250.

    `signed` says what was signed and sealed, and why something was not.
    """

    verdict: Verdict
    why: str
    outcomes: tuple[Outcome, ...]
    edits: tuple[Edit, ...] = ()
    reply: Reply | None = None
    must_record: bool = False
    signed: str = ""


def outcome(recipient: str, resolution: Resolution, decision: str | None = None, why: str | None = None) -> Outcome:
    """What became of a recipient; without `decision` what its resolution alone amounts to."""
    reason = why or resolution.why
    match resolution:
        case Forward(address=address, mailboxes=mailboxes, alias_id=alias_id):
            targets = mailboxes if decision in ("forward", "hold", "split") else ()
            return Outcome(recipient, address.key, decision or "forward", reason, alias_id, targets)
        case Drop(address=address, alias_id=alias_id):
            return Outcome(recipient, address.key, decision or "drop", reason, alias_id, (DROP_ADDRESS,))
        case Return(sender=sender):
            return Outcome(recipient, _key(recipient), decision or "return", reason, None, (sender,))
        case Refused(alias_id=alias_id):
            # Refused now but not when RCPT TO was answered: what was promised then is kept.
            return Outcome(recipient, _key(recipient), decision or "as promised", reason, alias_id)
        case Foreign():
            return Outcome(recipient, _key(recipient), decision or "relay", reason)


def _key(recipient: str) -> str:
    """What the journal finds a recipient by that is no alias."""
    try:
        return parse_path(recipient, max_local=ANY_LENGTH).key
    except BadAddress:
        return recipient.lower()


def summary(outcomes: Iterable[Outcome]) -> str:
    """The reasons of all recipients, each once, in order."""
    return "; ".join(dict.fromkeys(f"{each.decision}: {each.why}" for each in outcomes))

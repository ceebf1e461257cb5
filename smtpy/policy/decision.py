"""May this recipient be taken? `decide(request, directory, house, ...) -> Decision`. Pure.

Everything that the SMTP session can refuse is refused here, for each recipient by itself. DUNNO leaves the rest of
main.cf to decide. Never OK, which would end the recipient restrictions; never DISCARD, which would take the message
from the other recipients too.

Relay control stays Postfix's own: nothing said here lets anybody relay. But smtpd keeps what it once found out about an
address for as long as the process lives, a domain that has become ours since included; so it is told to put off what it
takes for foreign (defer_unauth_destination), and what really is foreign is refused here, with policy_context=relay.
Who may relay Postfix knows: the answer is a list of restrictions that it goes through (access(5)).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from smtpy.directory.questions import Directory
from smtpy.directory.resolve import Drop, Foreign, Forward, House, Refused, Return, resolve
from smtpy.mail.address import ANY_LENGTH, Address, BadAddress, parse_bare
from smtpy.mail.reply import Reply
from smtpy.policy.protocol import Request
from smtpy.routing.replies import TOO_LARGE

BAD_RECIPIENT = Reply(553, "5.1.3", "The recipient address is malformed")
# What is foreign, and what may be ours tomorrow. In each the second has the words, and the last is sure.
FOREIGN = "permit_mynetworks, reject_unauth_destination, reject"
NOT_YET = "permit_mynetworks, defer_unauth_destination, defer"
REPORTS_ONLY = Reply(550, "5.7.1", "This address takes delivery reports only")


@dataclass(frozen=True, slots=True)
class Decision:
    """`reply` None: nothing against it. `relay`: what holds for those who would send there, if it is not ours.

    `address` as it was asked for; `alias_id` when its owner declared it.
    """

    reply: Reply | None
    why: str
    address: Address | None = None
    alias_id: int | None = None
    relay: str | None = None

    @property
    def action(self) -> str:
        """What Postfix is told, in the words of access(5)."""
        return str(self.reply) if self.reply else self.relay or "DUNNO"


def decide(request: Request, directory: Directory, house: House, max_bytes: int, now: datetime) -> Decision:
    """The decision about one recipient; `max_bytes` is what the service takes. Raises Unavailable."""
    if request.state != "RCPT":
        return Decision(None, "not asked about a recipient")
    try:
        address = _recipient(request.recipient, house)
    except BadAddress as bad:
        return Decision(BAD_RECIPIENT, str(bad))
    found = resolve(address, directory, house, now)
    match found:
        case Forward(alias_id=alias_id, max_message_bytes=limit):
            why = _too_large(request.size, min(limit or max_bytes, max_bytes))
            return Decision(TOO_LARGE if why else None, why or found.why, address, alias_id)
        case Return():
            return Decision(REPORTS_ONLY if request.sender else None, found.why, address)
        case Refused(reply=reply, alias_id=alias_id):
            return Decision(reply, found.why, address, alias_id)
        case Foreign():
            return _foreign(request, address, directory)
        case Drop():
            return Decision(None, found.why, address)
        case never:
            assert_never(never)


def _foreign(request: Request, address: Address, directory: Directory) -> Decision:
    """Not ours. What a member has announced may be ours tomorrow: "I don't know" is never "no"."""
    if request.relay and directory.awaits(address.domain):
        return Decision(None, "its DNS has not shown yet that its owner wants its mail here", address, relay=NOT_YET)
    return Decision(None, Foreign().why, address, relay=FOREIGN if request.relay else None)


def _too_large(size: int, limit: int) -> str | None:
    return f"{size} octets, at most {limit} are taken" if size > limit else None


def _recipient(text: str, house: House) -> Address:
    """A bare `postmaster` is this host's (RFC 5321 section 4.1.1.3)."""
    return parse_bare(text if "@" in text else f"{text}@{house.hostname}", max_local=ANY_LENGTH)

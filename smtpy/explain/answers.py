"""What RCPT TO is answered, with the resolution behind it: what lookup and policy would say now."""

from dataclasses import dataclass
from datetime import UTC, datetime

from smtpy.config import Settings
from smtpy.directory.questions import Directory
from smtpy.directory.resolve import Drop, Forward, Refused, Resolution, Return, resolve
from smtpy.policy.decision import BAD_RECIPIENT, NOT_YET, decide
from smtpy.policy.protocol import Request
from smtpy.routing.ask import recipient_address
from smtpy.terms import house_of

PUT_OFF = "454 4.7.1 Relay access denied"  # Postfix's own words for what may be ours tomorrow
RELAY = "Postfix decides: relayed for mynetworks, else 554 5.7.1 Relay access denied"


@dataclass(frozen=True, slots=True)
class Answer:
    """`declared_as`: the address without its extension; `alias_id`: of the alias that its owner declared, if one did.

    `goes_to`: mailboxes, or the sender whom a report reaches. `resolution` is the name of what it resolves to.
    """

    address: str
    resolution: str
    answer: str
    why: str
    declared_as: str | None = None
    goes_to: tuple[str, ...] = ()
    alias_id: int | None = None
    mode: str | None = None

    @property
    def taken(self) -> bool:
        return self.answer[0] == "2"

    def outside(self) -> "Answer":
        """What the world hears of it, and no more."""
        return Answer(self.address, "", self.answer, "")


def answer(settings: Settings, directory: Directory, recipient: str, sender: str, size: int) -> Answer:
    """What RCPT TO is answered. Recipient and sender as strip_path leaves them, size in octets. Raises Unavailable."""
    house, now = house_of(settings), datetime.now(UTC)
    address = recipient_address(recipient, house)
    if address is None:
        return Answer(recipient, "malformed", str(BAD_RECIPIENT), "Postfix or the policy refuses it, as no address")
    found = resolve(address, directory, house, now)
    # Postfix asks in its internal form, without quotes (SMTPD_POLICY_README)
    request = Request("RCPT", sender, f"{address.local}@{address.domain}", size, "", relay=True)
    decided = decide(request, directory, house, settings.message_size_limit, now)
    resolution, said = type(found).__name__.lower(), "250 2.1.5 Ok"
    if decided.reply:
        said = str(decided.reply)
    elif resolution == "foreign":
        said = PUT_OFF if decided.relay == NOT_YET else RELAY
    return Answer(str(address), resolution, said, decided.why, *_details(found))


def _details(found: Resolution) -> tuple[str | None, tuple[str, ...], int | None, str | None]:
    match found:
        case Forward(address=address, mailboxes=mailboxes, alias_id=alias_id, mode=mode):
            return str(address), mailboxes, alias_id, mode.value
        case Return(sender=sender):
            return None, (sender,), None, None
        case Drop(address=address, alias_id=alias_id):
            return str(address), (), alias_id, None
        case Refused(alias_id=alias_id):
            return None, (), alias_id, None
        case _:
            return None, (), None, None

"""Ask the directory all that a plan needs to know, and nothing else. Raises Unavailable."""

from datetime import datetime

from smtpy.directory.entries import SigningKey
from smtpy.directory.questions import Directory, Unavailable
from smtpy.directory.resolve import Foreign, Forward, House, Refused, Resolution, resolve
from smtpy.mail.address import ANY_LENGTH, Address, BadAddress, parse_path
from smtpy.mail.envelope import Envelope
from smtpy.routing.arrival import Answers, Stage
from smtpy.routing.internal import unsplit
from smtpy.routing.replies import NOT_A_COPY


def ask(envelope: Envelope, stage: Stage, directory: Directory, house: House, now: datetime) -> Answers:
    """The answers for one message; in the second pass the recipients are internal addresses."""
    resolutions = tuple(_resolution(recipient, stage, directory, house, now) for recipient in envelope.recipients)
    domains = {each.address.domain for each in resolutions if isinstance(each, Forward)}
    keys = {domain: known for domain in domains if (known := _signing_keys(domain, directory)) is not None}
    return Answers(resolutions, _is_ours(envelope.reverse_path, directory, house), keys)


def _signing_keys(domain: str, directory: Directory) -> tuple[SigningKey, ...] | None:
    """None: nobody knows now, and mail that nobody signs is better than mail that waits."""
    try:
        found = directory.domain(domain)
        return directory.signing_keys(found) if found else ()  # our own hostname is no domain of the directory
    except Unavailable:
        return None


def _resolution(recipient: str, stage: Stage, directory: Directory, house: House, now: datetime) -> Resolution:
    address = unsplit(recipient) if stage is Stage.SPLIT else recipient_address(recipient, house)
    if address is None:
        return Refused(NOT_A_COPY, "not an internal address") if stage is Stage.SPLIT else Foreign("not an address")
    return resolve(address, directory, house, now, accepted=stage is Stage.SPLIT)


def recipient_address(recipient: str, house: House) -> Address | None:
    """The address of a RCPT TO; a bare `postmaster` is this host's (RFC 5321 section 4.1.1.3)."""
    try:
        return parse_path(recipient if "@" in recipient else f"{recipient}@{house.hostname}", max_local=ANY_LENGTH)
    except BadAddress:
        return None


def _is_ours(reverse_path: str, directory: Directory, house: House) -> bool:
    """Whether SPF for the reverse-path is already ours to pass, so that it needs no rewriting."""
    if not reverse_path:
        return False
    try:
        domain = parse_path(reverse_path, max_local=ANY_LENGTH).domain
        return domain == house.hostname or directory.domain(domain) is not None
    except BadAddress:
        return False
    except Unavailable:  # rewriting a path of ours harms nobody; putting off a stranger's mail would
        return False

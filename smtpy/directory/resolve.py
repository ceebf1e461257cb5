"""What an address stands for: the one answer that lookup, policy, milter, `resolve` and `explain` share.

The order reads as the prose of docs/architecture.md: not ours; a return address; declared; declared without its
extension; the roles every domain owes the world (RFC 2142, RFC 5321 section 4.5.1); automatic, catch-all last.
A declared address always wins, in the trash too: what its owner deleted, the catch-all must not bring back.

Pure but for the questions it asks the directory; raises Unavailable when that does not know.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from smtpy.directory.entries import Alias, Domain, Mode, OnDmarc, WhenOff
from smtpy.directory.patterns import matches
from smtpy.directory.questions import Directory
from smtpy.mail.address import MAX_LOCAL, Address, fold, parse, quote
from smtpy.mail.reply import Reply
from smtpy.srs import BadReturnAddress, Srs, day_of, is_return_address, token_of

TRY_AGAIN = Reply(451, "4.3.0", "The directory cannot be reached, try again later")
NO_SUCH_ADDRESS = Reply(550, "5.1.1", "No such address here")
ADDRESS_IS_OFF = Reply(550, "5.2.1", "This address is switched off")
ADDRESS_RESTS = Reply(450, "4.2.1", "This address is switched off for a while, try again later")
ADDRESS_EXPIRED = Reply(550, "5.2.1", "This address has expired")
NO_MAILBOX = Reply(450, "4.2.1", "This address has no mailbox at present, try again later")
NO_SOURCE_ROUTES = Reply(550, "5.1.3", "Source routes and percent or bang paths are not relayed")
LOCAL_TOO_LONG = Reply(553, "5.1.3", "The part before the @ is longer than 64 octets")
BAD_RETURN_ADDRESS = Reply(550, "5.1.1", "This return address is forged or too old")

ROLES = frozenset({"postmaster", "abuse"})
HOST_ROLES = ROLES | {"hostmaster", "mailer-daemon", "root", "webmaster"}  # mail the machine itself writes
ROUTING_CHARACTERS = frozenset("%!@:")


@dataclass(frozen=True, slots=True)
class House:
    """What the service itself declares: its host name (A-labels), its postmaster's address, its return addresses."""

    hostname: str
    postmaster: str
    srs: Srs


@dataclass(frozen=True, slots=True)
class Forward:
    """Goes to `mailboxes`. `address` is the address as declared, without extension; alias_id None: not declared."""

    address: Address
    mailboxes: tuple[str, ...]
    why: str
    alias_id: int | None = None
    mode: Mode = Mode.TRANSPARENT
    max_message_bytes: int | None = None
    may_drop: bool = False  # its owner drops when it is off, so a process that has not heard yet may have dropped it
    on_reject: OnDmarc = OnDmarc.REFUSE  # of mail that fails DMARC: see entries.Domain
    on_quarantine: OnDmarc = OnDmarc.TAG


@dataclass(frozen=True, slots=True)
class Return:
    """A delivery report on its way back to `sender`."""

    sender: str
    why: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Taken and not delivered, by the owner's choice; the journal keeps a row."""

    address: Address
    alias_id: int | None
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken: `reply` says so to the client, `why` to the owner."""

    reply: Reply
    why: str
    alias_id: int | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An address in no domain of ours."""

    why: str = "not a domain of ours"


Resolution = Forward | Return | Drop | Refused | Foreign


def resolve(
    address: Address, directory: Directory, house: House, now: datetime, *, accepted: bool = False
) -> Resolution:
    """What becomes of mail to that address at that time. Raises Unavailable.

    `accepted`: the message has been taken already, so switches, expiry and trash no longer count.
    """
    domain = directory.domain(address.domain)
    if domain is None and address.domain != house.hostname:
        return Foreign()
    if is_return_address(address.local):
        return _return(address, directory, house, now)
    if domain is None:
        return _host_role(address, directory, house)
    if len(address.local.encode()) > MAX_LOCAL:  # a return address may be: those of PostSRSd are
        return Refused(LOCAL_TOO_LONG, "local part is too long")
    if not ROUTING_CHARACTERS.isdisjoint(address.local):
        return Refused(NO_SOURCE_ROUTES, "routing characters in the local part")
    for local, note in _declared_forms(address.local, domain):
        if alias := directory.alias(domain, local):
            stopped = None if accepted else _stopped(alias, now)
            return _declared(alias, note, domain, stopped) or _last_resort(alias, note, domain, directory, house)
    return _role(address, domain, directory, house) or _automatic(address, domain, directory, accepted)


def _declared_forms(local: str, domain: Domain) -> Iterator[tuple[str, str]]:
    """The folded local parts to look up, most exact first, each with what to say when it is found."""
    folded = fold(local)
    yield folded, "exact alias"
    separator = domain.extension_separator
    if separator and separator in folded[1:]:
        yield folded[: folded.index(separator, 1)], "alias with an extension"


def _declared(alias: Alias, note: str, domain: Domain, stopped: Drop | Refused | None) -> Resolution | None:
    """Where a declared alias leads; None: nowhere, and it is not allowed to say so."""
    if stopped:
        return stopped if alias.local not in ROLES else None
    if not alias.mailboxes:
        return None
    may_drop = alias.when_off is WhenOff.DROP
    address = Address(alias.local, alias.domain)
    limit = domain.max_message_bytes
    found = Forward(address, alias.mailboxes, note, alias.id, alias.mode, limit, may_drop)
    return _as_the_domain_wants(found, domain)


def _last_resort(alias: Alias, note: str, domain: Domain, directory: Directory, house: House) -> Resolution:
    """postmaster@ and abuse@ work whatever their owner did to the alias (RFC 5321 section 4.5.1)."""
    role = _role(Address(alias.local, alias.domain), domain, directory, house)
    return role or Refused(NO_MAILBOX, f"{note} without a working mailbox", alias.id)


def _stopped(alias: Alias, now: datetime) -> Drop | Refused | None:
    """Why a declared alias does not forward now; None: it does."""
    if alias.trashed:
        return Refused(NO_SUCH_ADDRESS, "alias is in the trash", alias.id)
    if alias.off:
        return _off(alias.when_off, Address(alias.local, alias.domain), alias.id, f"{alias.off} is switched off")
    if alias.expires_at and alias.expires_at <= now:
        return Refused(ADDRESS_EXPIRED, f"alias expired at {alias.expires_at:%Y-%m-%d %H:%M} UTC", alias.id)
    return None


def _off(when_off: WhenOff, address: Address, alias_id: int | None, why: str) -> Drop | Refused:
    match when_off:
        case WhenOff.DROP:
            return Drop(address, alias_id, why)
        case WhenOff.DEFER:
            return Refused(ADDRESS_RESTS, why, alias_id)
        case WhenOff.REJECT:
            return Refused(ADDRESS_IS_OFF, why, alias_id)


def _role(address: Address, domain: Domain, directory: Directory, house: House) -> Resolution | None:
    """Where a role leads when no alias does: the domain's mailbox for roles, else the postmaster of the service."""
    local = fold(address.local)
    if local not in ROLES:
        return None
    found = Address(local, domain.name)
    if domain.role_mailbox is None:
        return _postmaster(found, f"{local} of the domain, by the service's postmaster", directory, house)
    return _as_the_domain_wants(Forward(found, (domain.role_mailbox,), f"{local} of the domain"), domain)


def _as_the_domain_wants(found: Forward, domain: Domain) -> Forward:
    return replace(found, on_reject=domain.on_reject, on_quarantine=domain.on_quarantine)


def _host_role(address: Address, directory: Directory, house: House) -> Resolution:
    if fold(address.local) not in HOST_ROLES:
        return Refused(NO_SUCH_ADDRESS, "no such role of this host")
    return _postmaster(replace(address, local=fold(address.local)), "role of this host", directory, house)


def _postmaster(found: Address, why: str, directory: Directory, house: House) -> Resolution:
    """To the service's postmaster; to the mailboxes behind, where that is an alias of ours: nobody expands it later."""
    target = parse(house.postmaster)
    domain = directory.domain(target.domain)
    if domain is None:
        return Forward(found, (house.postmaster,), why)
    for local, _ in _declared_forms(target.local, domain):
        if (alias := directory.alias(domain, local)) and alias.mailboxes:
            return Forward(found, alias.mailboxes, why)
    if domain.role_mailbox:
        return Forward(found, (domain.role_mailbox,), why)
    return Refused(NO_MAILBOX, "the service's postmaster is an address of ours that leads nowhere")


def _automatic(address: Address, domain: Domain, directory: Directory, accepted: bool) -> Resolution:
    found = Address(fold(address.local), domain.name)
    for rule in directory.automatic(domain):
        if rule.pattern is not None and not matches(rule.pattern, found.local):
            continue
        name = "catch-all" if rule.pattern is None else f"rule {rule.id} ({rule.pattern})"
        if not (domain.enabled or accepted):
            return _off(domain.when_off, found, None, f"{name} of a domain that is switched off")
        if not rule.mailboxes:
            return Refused(NO_MAILBOX, f"{name} without a working mailbox")
        may_drop = domain.when_off is WhenOff.DROP
        forward = Forward(found, rule.mailboxes, name, None, rule.mode, domain.max_message_bytes, may_drop)
        return _as_the_domain_wants(forward, domain)
    return Refused(NO_SUCH_ADDRESS, "no alias, no rule and no catch-all")


def _return(address: Address, directory: Directory, house: House, now: datetime) -> Resolution:
    if token := token_of(address.local):
        sender = directory.sender(token)
        if sender is None:
            return Refused(BAD_RETURN_ADDRESS, "return address is unknown or too old")
        return Return(sender, "stored return address")
    try:
        sender = house.srs.reverse(address.local, day_of(now))
    except BadReturnAddress as bad:
        return Refused(BAD_RETURN_ADDRESS, str(bad))
    local, _, host = sender.rpartition("@")
    return Return(f"{quote(local)}@{host}", "return address")

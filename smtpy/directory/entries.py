"""The directory's answers: frozen rows, no behaviour beyond reading themselves.

Times are aware UTC datetimes. Ids are the integers of the database; `uuid` is the name shown outside.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Mode(StrEnum):
    """How an alias forwards: transparent leaves From alone; private replaces it by a reverse address."""

    TRANSPARENT = "transparent"
    PRIVATE = "private"


class WhenOff(StrEnum):
    """What the owner wants told to senders while an alias is switched off."""

    REJECT = "reject"  # 550
    DEFER = "defer"  # 450
    DROP = "drop"  # 250, nothing delivered, a journal row


class SwitchedOff(StrEnum):
    """Which switch keeps an alias from forwarding."""

    ALIAS = "alias"
    DOMAIN = "domain"
    OWNER = "owner"


class OnDmarc(StrEnum):
    """What the owner of a domain wants done with mail that its author's domain disowns (RFC 9989 section 5.3.6)."""

    REFUSE = "refuse"  # 550 in the session
    HOLD = "hold"  # taken, kept in Postfix's hold queue until somebody decides
    TAG = "tag"  # delivered with a field that says so
    DELIVER = "deliver"  # as if nothing were wrong


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of ours. `name` in A-labels; `role_mailbox` takes postmaster@ and abuse@ when no alias does."""

    id: int
    uuid: str
    name: str
    enabled: bool  # the domain's own switch and its owner's
    when_off: WhenOff
    role_mailbox: str | None  # address text
    max_message_bytes: int | None  # octets; None: the service's own limit
    extension_separator: str | None  # "+" as a rule; None: extensions are part of the name
    on_reject: OnDmarc = OnDmarc.REFUSE  # DMARC failed, and the author's domain asks for rejection
    on_quarantine: OnDmarc = OnDmarc.TAG  # the same, where it asks for quarantine


@dataclass(frozen=True, slots=True)
class Alias:
    """A declared address, switched on or off, with the mailboxes behind it (verified and on, possibly none)."""

    id: int
    uuid: str
    local: str  # folded
    domain: str
    mode: Mode
    mailboxes: tuple[str, ...]  # addresses in external form
    off: SwitchedOff | None
    when_off: WhenOff
    expires_at: datetime | None
    trashed: bool


@dataclass(frozen=True, slots=True)
class Automatic:
    """A rule that makes addresses exist without being declared; tried in the owner's order, catch-all last."""

    id: int
    uuid: str
    pattern: str | None  # RE2 syntax, matched against the whole folded local part; None: catch-all
    mode: Mode
    mailboxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs for a domain now. `private` is sealed (smtpy.vault); what is inside is PKCS#8 DER."""

    uuid: str
    domain: str
    selector: str
    algorithm: Literal["rsa-sha256", "ed25519-sha256"]
    private: bytes

"""The tables of the directory: who owns what, and where its mail goes.

Every row that people see has an integer id and a UUID. `key` columns hold what is compared (smtpy.mail.address), their
neighbours what is shown. `deleted_at` is the trash: such a row still takes its name, so that a deleted address is
never handed to somebody else. Switches (`enabled`) and trash are told apart because only the first is a choice of what
senders hear. The journal's tables stand in smtpy.store.records.
"""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.directory.entries import Mode, OnDmarc, WhenOff
from smtpy.directory.patterns import MAX_PATTERN
from smtpy.store.columns import AddressText, Base, DomainName, Id, LocalPart, LongText, Name, choice

MAX_NOTE = 1000  # characters
MAX_NAME = 200  # characters of a person's name
MAX_SELECTOR = 63  # octets: one label
MAX_TAG = 40  # characters
MAX_HASH = 255  # characters of a password's hash with its parameters
MAX_LANGUAGE = 16


class Role(StrEnum):
    """What a user may do: everything, or what is theirs."""

    ADMIN = "admin"
    USER = "user"


class Algorithm(StrEnum):
    """How a key signs (RFC 6376 section 3.3, RFC 8463); more in `smtpy.signing.key`."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


def now() -> datetime:
    """What `created_at` is unless told otherwise."""
    return datetime.now(UTC)


class _Timed:
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


class _Switched(_Timed):
    enabled: Mapped[bool] = mapped_column(default=True)


class Theme(StrEnum):
    """How pages look; `auto` is as the browser says."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class User(_Switched, Base):
    """A person who owns domains, mailboxes and aliases.

    How they sign in: `password` is an Argon2 hash, None while none was chosen; `totp` the sealed seed of a second
    factor and `totp_step` the last time step used, None without one; the rest stands in smtpy.store.accounts.
    `welcome` is how far they are with their first hour.
    """

    __tablename__ = "users"
    id: Mapped[Id]
    uuid: Mapped[Name]
    email: Mapped[AddressText]
    key: Mapped[AddressText] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME), default="")
    role: Mapped[Role] = mapped_column(choice(Role, "role"), default=Role.USER)
    password: Mapped[str | None] = mapped_column(String(MAX_HASH))
    totp: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_step: Mapped[int | None]
    verified_at: Mapped[datetime | None]
    signed_in_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(String(MAX_LANGUAGE), default="")
    theme: Mapped[Theme] = mapped_column(choice(Theme, "theme"), default=Theme.AUTO)
    welcome: Mapped[str] = mapped_column(String(16), default="")
    deleted_at: Mapped[datetime | None]


class Domain(_Switched, Base):
    """A domain whose mail comes here. `name` in A-labels; `when_off` and `default_mode` are what new aliases get.

    `proven_at`: when its DNS, or an operator's word, showed that its owner wants it here; until then it is off.
    """

    __tablename__ = "domains"
    id: Mapped[Id]
    uuid: Mapped[Name]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"), index=True)
    name: Mapped[DomainName] = mapped_column(unique=True)
    when_off: Mapped[WhenOff] = mapped_column(choice(WhenOff, "when_off"), default=WhenOff.REJECT)
    default_mode: Mapped[Mode] = mapped_column(choice(Mode, "default_mode"), default=Mode.TRANSPARENT)
    role_mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id", ondelete="SET NULL"), index=True)
    max_message_bytes: Mapped[int | None]
    extension_separator: Mapped[str | None] = mapped_column(String(1).evaluates_none(), default="+")
    on_reject: Mapped[OnDmarc] = mapped_column(choice(OnDmarc, "on_reject"), default=OnDmarc.REFUSE)
    on_quarantine: Mapped[OnDmarc] = mapped_column(choice(OnDmarc, "on_quarantine"), default=OnDmarc.TAG)
    proven_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class SigningKey(Base):
    """A DKIM key of a domain: it waits to be seen in DNS, then it is used, then retired; published all the while.

    `private` is sealed (smtpy.vault); `public` holds the octets of p=. `seen_at` is when it was found in DNS while it
    waited.
    """

    __tablename__ = "signing_keys"
    __table_args__ = (UniqueConstraint("domain_id", "selector"),)
    id: Mapped[Id]
    uuid: Mapped[Name]
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="RESTRICT"))
    selector: Mapped[str] = mapped_column(String(MAX_SELECTOR))
    algorithm: Mapped[Algorithm] = mapped_column(choice(Algorithm, "algorithm"))
    private: Mapped[bytes] = mapped_column(LargeBinary)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime | None]
    used_from: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class Mailbox(_Switched, Base):
    """A place outside where mail is read. `domain` is that of `key`: a domain of ours must have no mailboxes on it.

    Nothing is forwarded to one before `verified_at`. `preferred`: new aliases lead there, unless somebody chooses.
    """

    __tablename__ = "mailboxes"
    __table_args__ = (UniqueConstraint("owner_id", "key"),)
    id: Mapped[Id]
    uuid: Mapped[Name]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    address: Mapped[AddressText]
    key: Mapped[AddressText]
    domain: Mapped[DomainName] = mapped_column(index=True)
    preferred: Mapped[bool] = mapped_column(default=False)
    verified_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Alias(_Switched, Base):
    """A declared address. `local` is folded; `last_at` is when mail last came to it.

    An index for each order of smtpy.admin.alias_lists: a page of an owner's is read, not all of them sorted; and one to
    count those of a domain that are not in the trash.
    """

    __tablename__ = "aliases"
    __table_args__ = (
        UniqueConstraint("domain_id", "local"),
        Index(None, "owner_id", "pinned", "id"),
        Index(None, "owner_id", "last_at", "id"),
        Index(None, "owner_id", "local", "id"),
        Index(None, "owner_id", "deleted_at", "id"),
        Index(None, "domain_id", "deleted_at"),
    )
    id: Mapped[Id]
    uuid: Mapped[Name]
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="RESTRICT"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    local: Mapped[LocalPart]
    when_off: Mapped[WhenOff] = mapped_column(choice(WhenOff, "when_off"), default=WhenOff.REJECT)
    mode: Mapped[Mode] = mapped_column(choice(Mode, "mode"), default=Mode.TRANSPARENT)
    expires_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(String(MAX_NOTE), default="")
    pinned: Mapped[bool] = mapped_column(default=False)
    last_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Tag(Base):
    """A word by which an owner finds aliases again."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)
    id: Mapped[Id]
    uuid: Mapped[Name]
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(MAX_TAG))


class AliasTag(Base):
    """That an alias bears a tag."""

    __tablename__ = "alias_tags"
    alias_id: Mapped[int] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True)


class AliasMailbox(Base):
    """One of the mailboxes behind an alias; a mailbox in use cannot be purged."""

    __tablename__ = "alias_mailboxes"
    alias_id: Mapped[int] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(
        ForeignKey("mailboxes.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)


class Automatic(_Switched, Base):
    """A rule that makes addresses exist undeclared; tried by `position`. Without `pattern`: catch-all, tried last."""

    __tablename__ = "automatics"
    __table_args__ = (Index(None, "domain_id", "position"),)
    id: Mapped[Id]
    uuid: Mapped[Name]
    domain_id: Mapped[int] = mapped_column(ForeignKey("domains.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=0)
    pattern: Mapped[str | None] = mapped_column(String(MAX_PATTERN))
    mode: Mapped[Mode] = mapped_column(choice(Mode, "mode"), default=Mode.TRANSPARENT)


class AutomaticMailbox(Base):
    """One of the mailboxes behind an automatic alias."""

    __tablename__ = "automatic_mailboxes"
    automatic_id: Mapped[int] = mapped_column(ForeignKey("automatics.id", ondelete="CASCADE"), primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(
        ForeignKey("mailboxes.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    position: Mapped[int] = mapped_column(default=0)


class Epoch(Base):
    """One row, whose value rises with every change of the directory: what caches watch."""

    __tablename__ = "epoch"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    id: Mapped[Id]
    value: Mapped[int] = mapped_column(default=0)


class Audit(Base):
    """Who changed what: a row for every administrative act, written in its transaction."""

    __tablename__ = "audit"
    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[LongText] = mapped_column(index=True)
    client: Mapped[str | None] = mapped_column(String(64))
    act: Mapped[LongText]
    subject: Mapped[LongText] = mapped_column(index=True)
    before: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))

"""The tables by which people sign in: sessions, second factors, one-time links, keys of programs.

Secrets that are only compared stand here as SHA-256 (`digest`, hexadecimal): whoever reads the table cannot use them.
Those that must be read again (a TOTP seed) are sealed by smtpy.vault. Nothing here is asked on the mail path, so it has
no part in the epoch.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.store.columns import AddressText, Base, Id, LongText, Name, choice
from smtpy.store.schema import MAX_NAME, Role, now

MAX_DIGEST = 64  # hexadecimal characters of SHA-256
MAX_CLIENT = 64  # characters of a truncated IP address
MAX_CODE_NAME = 100  # characters of what people call a passkey or an API key


class Purpose(StrEnum):
    """What a one-time link is good for; one link, one purpose."""

    ADMIN = "admin"  # the first account of an installation
    INVITE = "invite"
    VERIFY = "verify"  # the address of an account
    RESET = "reset"  # a forgotten password
    MAILBOX = "mailbox"  # that a mailbox is its owner's


class WebSession(Base):
    """A browser that came, signed in (`user_id`) or not yet. `data` is what pages keep, such as a challenge."""

    __tablename__ = "web_sessions"
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), primary_key=True)
    uuid: Mapped[Name]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    authenticated_at: Mapped[datetime | None]
    client: Mapped[str] = mapped_column(String(MAX_CLIENT), default="")
    agent: Mapped[str] = mapped_column(Text, default="")
    data: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class Passkey(Base):
    """A WebAuthn credential of a user."""

    __tablename__ = "passkeys"
    id: Mapped[Id]
    uuid: Mapped[Name]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    credential: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(MAX_CODE_NAME))
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of ten codes that stand in for a lost second factor, once each."""

    __tablename__ = "recovery_codes"
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), unique=True)
    used_at: Mapped[datetime | None]


class OneTimeLink(Base):
    """A link that was sent or shown to somebody; good once, until `expires_at`. `created_by`: who invited."""

    __tablename__ = "one_time_links"
    id: Mapped[Id]
    uuid: Mapped[Name]
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), unique=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose, "purpose"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    mailbox_id: Mapped[int | None] = mapped_column(ForeignKey("mailboxes.id", ondelete="CASCADE"), index=True)
    email: Mapped[AddressText] = mapped_column(default="")
    role: Mapped[Role] = mapped_column(choice(Role, "role"), default=Role.USER)
    created_by: Mapped[LongText] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class ApiKey(Base):
    """What a program signs in with. `tail`: its last characters, by which people tell theirs apart."""

    __tablename__ = "api_keys"
    id: Mapped[Id]
    uuid: Mapped[Name]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    digest: Mapped[str] = mapped_column(String(MAX_DIGEST), unique=True)
    tail: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(MAX_CODE_NAME))
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Announcement(Base):
    """What an administrator tells everybody who is signed in, as plain text."""

    __tablename__ = "announcements"
    id: Mapped[Id]
    uuid: Mapped[Name]
    text: Mapped[LongText]
    level: Mapped[str] = mapped_column(String(16))
    shown_from: Mapped[datetime]
    shown_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)


class Dismissal(Base):
    """That a user has read an announcement."""

    __tablename__ = "dismissals"
    announcement_id: Mapped[int] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class Choice(Base):
    """What administrators choose while the service runs, by name."""

    __tablename__ = "choices"
    name: Mapped[str] = mapped_column(String(MAX_NAME), primary_key=True)
    value: Mapped[object] = mapped_column(JSON)


class Attempt(Base):
    """Failed tries to sign in to an account, counted for its owner to see and for slowing down."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "user_id", "at"),)
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=now)
    client: Mapped[str] = mapped_column(String(MAX_CLIENT), default="")
    what: Mapped[str] = mapped_column(String(16))

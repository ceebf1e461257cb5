"""The tables that the mail path writes: the journal, and senders kept under a return token.

A journal row outlives the alias it tells of. Texts that strangers chose are Text; the writers cut them. On PostgreSQL
the journal is in parts (smtpy.store.parts).
"""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.mail.address import MAX_DOMAIN
from smtpy.store.columns import ON_SQLITE, Base, BigId, Id, LongText, of_some

MAX_TOKEN = 32  # characters


class JournalRow(Base):
    """What became of one message in one pass; `parent` is the uuid of the pass before."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("uuid", info=ON_SQLITE),
        Index(None, "message_id", "id"),
        Index(None, "queue_id", "id"),
        Index(None, "reverse_path", "id"),
        of_some("parent"),
    )
    id: Mapped[Id]
    uuid: Mapped[str] = mapped_column(Uuid(as_uuid=False))
    at: Mapped[datetime] = mapped_column(index=True)
    stage: Mapped[str] = mapped_column(String(16))
    queue_id: Mapped[str | None] = mapped_column(Text)
    parent: Mapped[str | None] = mapped_column(Uuid(as_uuid=False))
    client: Mapped[LongText]
    reverse_path: Mapped[LongText]
    message_id: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(16))
    why: Mapped[LongText]
    micros: Mapped[int]
    authentication: Mapped[str | None] = mapped_column(Text)
    spf: Mapped[str | None] = mapped_column(String(16))
    dkim: Mapped[str | None] = mapped_column(String(16))
    dmarc: Mapped[str | None] = mapped_column(String(16))
    arc: Mapped[str | None] = mapped_column(String(16))
    signed: Mapped[str | None] = mapped_column(Text)


class JournalRecipient(Base):
    """What was decided for one recipient; `key` is the address it was found as, `domain` that of the key.

    `owner_id`: whose alias it was, or whose domain where nobody had declared it; it stays theirs whoever comes after
    them, and no foreign key, since rows outlive what they tell of.
    """

    __tablename__ = "journal_recipients"
    __table_args__ = (
        ForeignKeyConstraint(["journal_id"], ["journal.id"], ondelete="CASCADE", info=ON_SQLITE),
        Index(None, "key", "journal_id"),
        of_some("alias_id", "journal_id"),
        Index(None, "domain", "journal_id"),
        of_some("owner_id", "journal_id"),
    )
    journal_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    recipient: Mapped[LongText]
    key: Mapped[LongText]
    domain: Mapped[str | None] = mapped_column(String(MAX_DOMAIN))
    alias_id: Mapped[int | None] = mapped_column(ForeignKey("aliases.id", ondelete="SET NULL"))
    owner_id: Mapped[int | None]
    decision: Mapped[str] = mapped_column(String(16))
    targets: Mapped[list[str]] = mapped_column(JSON)
    why: Mapped[LongText]


class ReturnToken(Base):
    """A reverse-path that fits no return address, under the token that stands for it (smtpy.srs)."""

    __tablename__ = "return_tokens"
    token: Mapped[str] = mapped_column(String(MAX_TOKEN), primary_key=True)
    sender: Mapped[LongText]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime] = mapped_column(index=True)

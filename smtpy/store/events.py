"""The tables of the log follower: what Postfix did with messages, and how far each host's log has been read.

Rows of one batch and the position behind them are written in one transaction. A row's `digest` is made of the line and
its place in the file, so a line read twice (by two workers of a host, or after the position was lost) is one row.
Texts that strangers chose are Text; `smtpy.store.happenings` cuts them.
"""

from datetime import datetime

from sqlalchemy import Float, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.store.columns import ON_SQLITE, Base, Id, LongText, of_some

MAX_ID = 32  # characters of a queue id
MAX_HOST = 255


class MailEvent(Base):
    """What a line of Postfix's log told of a message: `smtpy.maillog.events`, one table for all kinds.

    `other_id` is another queue id that it joins this one to: of the copy, of the report, or the one before. `key` is
    what the recipient is compared by.
    """

    __tablename__ = "mail_events"
    __table_args__ = (
        UniqueConstraint("digest", info=ON_SQLITE),
        Index(None, "queue_id", "id"),
        of_some("other_id"),
        Index(None, "key", "id"),
    )
    id: Mapped[Id]
    digest: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(index=True)
    host: Mapped[str] = mapped_column(String(MAX_HOST))
    kind: Mapped[str] = mapped_column(String(16))
    queue_id: Mapped[str] = mapped_column(String(MAX_ID))
    other_id: Mapped[str | None] = mapped_column(String(MAX_ID))
    sender: Mapped[str | None] = mapped_column(Text)
    recipient: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(Text)
    original: Mapped[str | None] = mapped_column(Text)
    relay: Mapped[str | None] = mapped_column(Text)
    dsn: Mapped[str | None] = mapped_column(String(16))
    words: Mapped[str | None] = mapped_column(Text)
    delay: Mapped[float | None] = mapped_column(Float)
    size: Mapped[int | None]


class LogPosition(Base):
    """How far a log has been read: the file it was, where the next line begins, and the octets before that."""

    __tablename__ = "log_positions"
    host: Mapped[str] = mapped_column(String(MAX_HOST), primary_key=True)
    path: Mapped[LongText] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(String(64))
    offset: Mapped[int]
    before: Mapped[bytes] = mapped_column(LargeBinary)
    read_at: Mapped[datetime]

"""What the journal amounts to: how much, by alias and day; and who writes to an alias.

The worker counts on from where it stopped (`JournalPosition`), so that a page never counts a million rows.
"""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.mail.address import MAX_ADDRESS
from smtpy.store.columns import Base


class AliasDay(Base):
    """Messages of one alias on one day (UTC), by what was decided."""

    __tablename__ = "alias_days"
    __table_args__ = (Index(None, "owner_id", "day"),)
    alias_id: Mapped[int] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    forwarded: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    bounced: Mapped[int] = mapped_column(default=0)


class Correspondent(Base):
    """Somebody who writes to an alias, by reverse-path."""

    __tablename__ = "correspondents"
    __table_args__ = (Index(None, "alias_id", "last_at"),)
    alias_id: Mapped[int] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    address: Mapped[str] = mapped_column(String(MAX_ADDRESS), primary_key=True)
    forwarded: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class JournalPosition(Base):
    """How far a reader of the journal has come, by its name."""

    __tablename__ = "journal_positions"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    journal_id: Mapped[int]

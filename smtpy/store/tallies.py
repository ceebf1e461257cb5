"""What the journal amounts to: how much, by alias and day and by owner and day; and who writes to an alias.

The worker counts on from where it stopped (`JournalPosition`), so that a page never counts a million rows: nor those of
a hundred thousand aliases on each of thirty days, which is why an owner's days are kept beside those of the aliases.
"""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.mail.address import MAX_ADDRESS
from smtpy.store.columns import Base


class _Decided:
    """Messages, by what was decided."""

    forwarded: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    bounced: Mapped[int] = mapped_column(default=0)


class AliasDay(_Decided, Base):
    """What came to one alias on one day (UTC)."""

    __tablename__ = "alias_days"
    alias_id: Mapped[int] = mapped_column(ForeignKey("aliases.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)


class OwnerDay(_Decided, Base):
    """What came to all aliases of one owner on one day (UTC), those that were purged since included."""

    __tablename__ = "owner_days"
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)


class Correspondent(Base):
    """Somebody who writes to an alias, by reverse-path, of which what changes is folded (smtpy.mail.verp)."""

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

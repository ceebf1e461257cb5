"""The tables that the worker writes: what checks of DNS found, and which worker does the work.

Nothing of this is read on the mail path: a failing check warns, and stops no mail that worked.
"""

from datetime import datetime

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from smtpy.store.columns import Base, DomainName, LongText

MAX_KIND = 16  # characters
MAX_DUTY = 32  # characters


class DomainCheck(Base):
    """What was last found of one record of a domain: one of ours, or one on which mailboxes are.

    `failures` counts the checks since it was last as it should be, at `ok_at`.
    """

    __tablename__ = "domain_checks"
    subject: Mapped[DomainName] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(MAX_KIND), primary_key=True)
    name: Mapped[LongText] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    required: Mapped[bool]
    expected: Mapped[LongText]
    found: Mapped[list[str]] = mapped_column(JSON)
    todo: Mapped[LongText]
    failures: Mapped[int] = mapped_column(default=0)
    checked_at: Mapped[datetime]
    ok_at: Mapped[datetime | None]


class Lease(Base):
    """Who does a duty now, and until when nobody else may."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(String(MAX_DUTY), primary_key=True)
    holder: Mapped[LongText]
    until: Mapped[datetime]

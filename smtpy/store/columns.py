"""The column types and the naming rule that every table shares, the same on SQLite and PostgreSQL.

Constraints are named by rule, so that a migration can drop what another one made.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import uuid4

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

from smtpy.mail.address import MAX_ADDRESS, MAX_DOMAIN, MAX_LOCAL

NAMES = {
    "pk": "pk_%(table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, UTC in the database and out of it. Refuses a naive one: nobody can say when that was."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        # SQLite keeps no zone; what was written was UTC
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(enum: type[StrEnum], name: str) -> Enum:
    """A column of one of the values of an enumeration, held by a CHECK; `name` names that."""
    values = [str(member) for member in enum]
    return Enum(enum, name=name, native_enum=False, create_constraint=True, length=16, values_callable=lambda _: values)


def of_some(column: str, *more: str) -> Index:
    """An index of the rows that have such a value, where most have none and nobody looks for those by it."""
    some = text(f"{column} IS NOT NULL")
    return Index(None, column, *more, sqlite_where=some, postgresql_where=some)


# What PostgreSQL cannot promise of a table in parts: `info` of such a constraint (smtpy.store.parts).
ON_SQLITE = {"only_on": "sqlite"}

# SQLite counts up by itself only in a column that is exactly INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")

Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Name = Annotated[str, mapped_column(Uuid(as_uuid=False), unique=True, default=lambda: str(uuid4()))]
AddressText = Annotated[str, mapped_column(String(MAX_ADDRESS))]
DomainName = Annotated[str, mapped_column(String(MAX_DOMAIN))]
# Folding may lengthen a local part in octets, never beyond 64 characters.
LocalPart = Annotated[str, mapped_column(String(MAX_LOCAL))]
LongText = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    """The models' common base; `Base.metadata` is what migrations are compared with."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcDateTime, int: BigInteger}  # noqa: RUF012  # SQLAlchemy's own way

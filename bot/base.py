"""The base of all rows, and types of columns that SQLAlchemy does not have.

A row is a dataclass, and the domain object. It has no relationships, so reading one never loads another.
Outside of the functions of `bot.db` it is detached, and nothing assigns to it.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

from bot.reasons import Reason

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC with microseconds.

    SQLite stores it as text of fixed width, so the texts sort in order of time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def Choice(enum: type[StrEnum]) -> Enum:  # noqa: N802 - a type of columns, like the others
    """Return the type of a member of a StrEnum, stored as its text, which has at most 16 characters.

    Raises `ValueError` for an enum with a longer one: PostgreSQL would refuse it when it is first stored.
    """
    return Enum(enum, native_enum=False, length=16, values_callable=list)


class ReasonText(TypeDecorator[Reason]):
    """A reason, stored as text; a sentence that an earlier version stored is read as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Reason | None, dialect: Dialect) -> str | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Reason | None:
        return None if value is None else Reason.decode(value)


class IntSet(TypeDecorator[frozenset[int]]):
    """A set of ids, stored as a JSON list in order."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, dialect: Dialect) -> list[int] | None:
        return None if value is None else sorted(value)

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> frozenset[int] | None:
        return None if value is None else frozenset(int(one) for one in value)


class Base(MappedAsDataclass, DeclarativeBase):
    """The base of rows. A column that holds a secret, a prompt or an address has `repr=False`."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy reads it
        int: BigInteger(),
        str: Text(),
        datetime: UtcDateTime(),
        dict[str, str]: JSON(),
        dict[str, Any]: JSON(),
        frozenset[int]: IntSet(),
    }


def enum_constraint(column: str, enum: type[StrEnum]) -> CheckConstraint:
    """Return the constraint that the column holds a value of the enum."""
    values = ", ".join(f"'{member.value}'" for member in enum)
    return CheckConstraint(f"{column} IN ({values})", name=column)


# For a primary key that the database counts up: SQLite does so only if its type is exactly INTEGER.
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def partial_index(name: str, *columns: str, rows: str, unique: bool = False) -> Index:
    """Return an index of only those rows for which the condition holds.

    The condition for PostgreSQL is in the migrations alone: to name it here loads PostgreSQL's dialect, which
    a bot on SQLite has no use for. A test compares the two.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(rows))

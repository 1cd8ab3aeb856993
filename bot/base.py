"""The base of all rows, types of columns that SQLAlchemy lacks, and what functions of a session share.

A row is a dataclass, and the domain object. It has no relationships, so reading one never loads another.
Outside of the functions of `bot.db` it is detached, and nothing assigns to it.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    DateTime,
    Dialect,
    Enum,
    Index,
    Insert,
    Integer,
    MetaData,
    Select,
    Text,
    TypeDecorator,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, MappedAsDataclass, Session

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


_R = TypeVarTuple("_R")
_Row = TypeVar("_Row")
UNREADABLE = (ValueError, TypeError, LookupError)  # of drivers and column types, for invalid values


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
        return None if value is None else value.replace(tzinfo=UTC)  # PostgreSQL's driver gives UTC, too


def Choice(enum: type[StrEnum], check: str | None = None) -> Enum:  # noqa: N802 - a type, like the others
    """Return the type of a member of a StrEnum, stored as its text, which has at most 16 characters.

    `check`: the column, if the database checks its values. Raises `ValueError` for an enum with a longer one:
    PostgreSQL would refuse it when it is first stored.
    """
    return Enum(
        enum,
        name=check,
        native_enum=False,
        create_constraint=check is not None,
        length=16,
        values_callable=list,
        validate_strings=True,
    )


class ReasonText(TypeDecorator[Reason]):
    """A reason, stored as text; a sentence that an earlier version stored is read as it is."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Reason | None, dialect: Dialect) -> str | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Reason | None:
        return None if value is None else Reason.decode(value)


class Base(MappedAsDataclass, DeclarativeBase):
    """The base of rows. A column that holds a secret, a prompt or an address has `repr=False`."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy reads it
        int: BigInteger(),
        str: Text(),
        datetime: UtcDateTime(),
        dict[str, str]: JSON(),
        dict[str, Any]: JSON(),
        list[int]: JSON(),
    }


# For a primary key that the database counts up: SQLite does so only if its type is exactly INTEGER.
NUMBER = BigInteger().with_variant(Integer, "sqlite")


def partial_index(name: str, *columns: str, rows: str, unique: bool = False) -> Index:
    """Return an index of only those rows for which the condition holds.

    The condition for PostgreSQL is in the migrations alone: to name it here loads PostgreSQL's dialect, which
    a bot on SQLite has no use for. A test compares the two.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(rows))


# https://discord.com/developers/docs/events/gateway#sharding
SHARD_BITS = 22
DIRECT_MESSAGES = 0  # the shard of direct messages; its holder does what is the whole bot's, too


def shard_of(guild_id: int, count: int) -> int:
    """Return the shard that a server belongs to if there are `count` shards."""
    return (guild_id >> SHARD_BITS) % count


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards that a process holds, of `count`. The default are all of one."""

    count: int = 1
    held: frozenset[int] = frozenset({DIRECT_MESSAGES})

    @property
    def all(self) -> bool:
        return len(self.held) >= self.count

    @property
    def whole_bot(self) -> bool:
        """Return whether this process does what belongs to no server, such as registering commands."""
        return DIRECT_MESSAGES in self.held

    def has(self, guild_id: int) -> bool:
        """Return whether the server belongs to one of the held shards."""
        return shard_of(guild_id, self.count) in self.held

    def __str__(self) -> str:
        return ",".join(str(one) for one in sorted(self.held)) or "-"


def wake(session: Session, *what: Hashable) -> None:
    """Name what has something to do once this is committed, such as ("lane", key_id)."""
    session.info["wakes"].update(dict.fromkeys(what))


def put(
    session: Session, row: type[Base], key: dict[str, Any], *, replace: bool = True, **values: Any
) -> bool:
    """Insert a row, or set `values` in the one that has this primary or unique key.

    Without `replace` and values, that one stays as it is. Return whether there is anything new. Another
    process may do the same at the same moment. A row that was read before is detached, and stays as it was.
    """
    session.flush()
    for known in [one for one in session.identity_map.values() if isinstance(one, row)]:
        if all(getattr(known, name) == value for name, value in key.items()):
            session.expunge(known)
    statement = _put(row, session.get_bind().dialect.name, tuple(key), tuple(values) if replace else ())
    return session.connection().execute(statement, {**key, **values}).rowcount == 1


@cache  # to build it takes longer than SQLite takes to do it
def _put(row: type[Base], dialect: str, key: tuple[str, ...], new: tuple[str, ...]) -> Insert:
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    rows = insert(row)
    if not new:
        return rows.on_conflict_do_nothing(index_elements=key)
    return rows.on_conflict_do_update(
        index_elements=key, set_={one: getattr(rows.excluded, one) for one in new}
    )


def readable(
    session: Session,
    query: Select[_Row],
    key: InstrumentedAttribute[Any],
    skip: Callable[[Any, Exception], None],
) -> list[_Row]:
    """Return the rows of the query but those that can't be read: `skip` is called with their keys."""
    try:
        return list(session.scalars(query))
    except UNREADABLE:
        bad: list[Any] = []
        for one in session.scalars(query.with_only_columns(key, maintain_column_froms=True)).all():
            try:
                session.scalars(select(key.class_).where(key == one)).one()
            except UNREADABLE as error:
                bad.append(one)
                skip(one, error)
        if not bad:
            raise
        return readable(session, query.where(key.not_in(bad)), key, skip)


def ours(session: Session, query: Select[*_R], guild_id: ColumnElement[int]) -> Select[*_R]:
    """Return the query of only those rows whose server this process serves."""
    shards: Shards = session.info["shards"]
    if shards.all:
        return query
    return query.where((guild_id // (1 << SHARD_BITS) % shards.count).in_(sorted(shards.held)))

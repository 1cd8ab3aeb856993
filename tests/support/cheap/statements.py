"""Compile each SQL statement once for a whole process: SQLAlchemy does for each engine anew."""

from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

_compiled = LRUCache[Any, Any](5000)


def share_statements() -> None:
    """Let engines have what others of their dialect have compiled: all are made with the same options."""

    def keep(_: object, __: object) -> None: ...

    setattr(Engine, "_compiled_cache", property(lambda _: _compiled, keep))  # noqa: B010
    for kind in (PGDialect_asyncpg, SQLiteDialect_aiosqlite, SQLiteDialect_pysqlite):
        setattr(kind, "__eq__", _are_alike)  # noqa: B010
        setattr(kind, "__hash__", _hash_of_kind)  # noqa: B010


def _are_alike(one: object, other: object) -> bool:
    return type(one) is type(other)


def _hash_of_kind(one: object) -> int:
    return hash(type(one))

"""Compile each SQL statement once for a whole pytest process, as one run of the bot does.

Otherwise each test's engines compile all theirs anew, which takes longer than to run them.
"""

from typing import Any, ClassVar, Self

import pytest
from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

STATEMENTS = 5000  # the bot and its tests have fewer


class _Shared:
    """A dialect of which all engines have the same instance, and its compiled statements."""

    _instances: ClassVar[dict[object, Any]] = {}
    _compiled: ClassVar[LRUCache[Any, Any]] = LRUCache(STATEMENTS)

    def __new__(cls, **options: Any) -> Self:
        # An isolation level is kept in the dialect.
        if options.get("isolation_level") is not None:
            return super().__new__(cls)
        return cls._instances.setdefault(cls, super().__new__(cls))

    def __init__(self, **options: Any) -> None:
        if "positional" not in self.__dict__:  # set by the dialect's own, which has run then
            super().__init__(**options)

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine._compiled_cache = cls._compiled  # pyright: ignore[reportPrivateUsage] - kept nowhere else


class SharedSQLite(_Shared, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


class SharedPostgreSQL(_Shared, PGDialect_asyncpg):
    supports_statement_cache = True


def share_compiled_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's engines share what they compile with those of other tests."""
    monkeypatch.setitem(registry.impls, "sqlite.aiosqlite", lambda: SharedSQLite)
    monkeypatch.setitem(registry.impls, "postgresql.asyncpg", lambda: SharedPostgreSQL)

"""Create SQLAlchemy's engines, with the options of each driver; SQLite's is in `sqlite_driver`."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from bot.storage.database.async_engine import AsyncEngine
from bot.storage.database.errors import usable_database
from bot.storage.database.sqlite_driver import one_call_driver

LOCK_TIMEOUT_SECONDS = 5.0  # seconds that a statement waits for another process's lock on the SQLite file
READERS = 4
LEASE_TIMEOUT = 4.0  # seconds for a statement about leases, or to connect; they are renewed every few seconds

_READ_PRAGMAS = (f"PRAGMA busy_timeout={LOCK_TIMEOUT_SECONDS * 1000:.0f}", "PRAGMA query_only=ON")
_WRITE_PRAGMAS = (
    f"PRAGMA busy_timeout={LOCK_TIMEOUT_SECONDS * 1000:.0f}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",  # overwrite erased data, and don't only mark it as free
    "PRAGMA foreign_keys=ON",
)
# Foreign keys are off while tables are rebuilt, or dropping the old one would count as deleting its rows.
_MIGRATION_PRAGMAS = (*_WRITE_PRAGMAS[:-1], "PRAGMA foreign_keys=OFF")


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def write_engine(url: str) -> AsyncEngine:
    """Return an engine with one connection, as one transaction writes at a time on both databases."""
    if is_sqlite(url):
        return _sqlite(url, _WRITE_PRAGMAS, pool_size=1, max_overflow=0)
    return _postgresql(url, pool_size=1, max_overflow=0, pool_pre_ping=True)


def read_engine(url: str) -> AsyncEngine:
    """Return an engine whose transactions are read-only and see a snapshot of the database."""
    if is_sqlite(url):
        return _sqlite(url, _READ_PRAGMAS, pool_size=READERS, max_overflow=0)
    engine = _postgresql(url, pool_size=READERS, max_overflow=0, pool_pre_ping=True)
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return AsyncEngine(engine.sync_engine.execution_options(**options))


@asynccontextmanager
async def used_once(engine: AsyncEngine, url: str) -> AsyncGenerator[AsyncEngine]:
    """Use an engine of the database at `url` for the block. Raises `SettingsError` if that can't be used."""
    try:
        with usable_database(url):
            yield engine
    finally:
        await engine.dispose()


def migration_engine(url: str) -> AsyncEngine:
    if is_sqlite(url):
        return _sqlite(url, _MIGRATION_PRAGMAS, poolclass=NullPool)
    return _postgresql(url, poolclass=NullPool)


def lease_engine(url: str) -> AsyncEngine:
    """Return an engine with one connection and short timeouts, for what says who serves which servers."""
    return _postgresql(
        url,
        timeout=LEASE_TIMEOUT,
        command_timeout=LEASE_TIMEOUT,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
    )


def _postgresql(url: str, timeout: float = 10, command_timeout: float = 60, **options: Any) -> AsyncEngine:
    arguments: dict[str, Any] = {"timeout": timeout, "command_timeout": command_timeout}
    # Behind PgBouncer, connections of several clients become one of the server's.
    arguments["prepared_statement_name_func"] = lambda: f"studii_{uuid4().hex}"
    return AsyncEngine(create_engine(url, hide_parameters=True, connect_args=arguments, **options))


def _sqlite(url: str, pragmas: tuple[str, ...], **options: Any) -> AsyncEngine:
    # At DEBUG this logger would write every statement with its values: prompts, and keys as they are stored.
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    # With isolation_level=None the driver begins no transaction, and the storage says how it begins.
    # SQLAlchemy's manual, SQLite, "Enabling Non-Legacy SQLite Transactional Modes".
    engine = create_engine(
        url, module=one_call_driver(), hide_parameters=True, connect_args={"isolation_level": None}, **options
    )
    event.listen(engine, "connect", _running(pragmas))
    return AsyncEngine(engine)


def _running(pragmas: tuple[str, ...]) -> Callable[[Any, Any], None]:
    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    return on_connect

"""One database transaction, whose statements complete even if the task is cancelled."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy import Column, ColumnElement, Executable, Select, Table, UpdateBase, delete
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from bot.aio.shield import shielded
from bot.domain.shards import SHARD_BITS, Shards
from bot.storage.database.async_engine import AsyncConnection, AsyncEngine
from bot.storage.database.changes import Changes
from bot.storage.database.sqlite_driver import OneCallConnection
from bot.storage.database.unreadable import UNREADABLE, Build, Key, UnreadableRows, among, chunks, unbounded

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_log = logging.getLogger(__name__)

_T = TypeVar("_T")
_Columns = TypeVarTuple("_Columns")
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]]

MAX_REMEMBERED_QUERIES = 64  # more than twice those that there are, as shards change


class Session:
    """The connection that repositories use within one transaction."""

    def __init__(
        self,
        connection: AsyncConnection,
        driver: OneCallConnection | None,
        unreadable: UnreadableRows,
        changed: Callable[[object], None] | None,
        shards: Shards,
    ) -> None:
        """Call `changed` with each table of which a statement has changed rows.

        `driver` is SQLite's own connection. `shards` are those whose servers this process serves.
        """
        self._connection = connection
        self._driver = driver
        self._changed = changed
        self.unreadable = unreadable
        self.changes = Changes()
        self._shards = shards

    @property
    def on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    @property
    def beside_others(self) -> bool:
        """Return whether other processes serve servers on the same database."""
        return not self._shards.all

    @property
    def in_transaction(self) -> bool:
        """Return whether SQLite has a transaction, or will with the next statement. It ends one by itself
        after some errors."""
        return self._driver is not None and self._driver.in_transaction

    def ours(self, query: Select[*_Columns], guild_id: ColumnElement[int]) -> Select[*_Columns]:
        """Return the query of only those rows whose server this process serves.

        A query that is made once gives one that is made once, too.
        """
        return query if self._shards.all else _of_shards(query, guild_id, self._shards)

    def in_turn(self) -> "Session":
        """Return a session of the same transaction, for one of the writers that share it."""
        return Session(self._connection, self._driver, self.unreadable, self._changed, self._shards)

    async def execute(
        self, statement: Executable, values: Values | None = None, *, named: bool = False
    ) -> CursorResult[Any]:
        """Execute the statement with these values, or for each of several rows of them.

        A value is a parameter's of that name; in an INSERT and an UPDATE, also a column's. A statement that
        is executed again and again is made once, at import: putting one together, and telling that it is
        the same as an earlier one, takes SQLAlchemy longer than to execute it.

        `named`: the caller adds to `changes` what it changes, if that matters.
        """
        if not named:
            self.changes.note(statement)
        done = await self._complete(self._connection.execute(statement, values))
        if self._changed is not None and isinstance(statement, UpdateBase) and done.rowcount != 0:
            self._changed(statement.table)
        return done

    async def execute_later(self, statement: UpdateBase, values: Values, *, named: bool = False) -> None:
        """Execute a statement whose answer nobody needs, before the next one or the commit.

        On SQLite it makes no call of its own. If it fails, all is undone, also what other writers have
        changed in the same transaction: it must be one that only a damaged database refuses.
        """
        if self._driver is None:
            await self.execute(statement, values, named=named)
            return
        if not named:
            self.changes.note(statement)
        self._driver.later = True
        try:
            self._connection.execute_later(statement, values)
        finally:
            self._driver.later = False
        if self._changed is not None:
            self._changed(statement.table)

    async def rows(
        self,
        query: Select[Any],
        build: Build[_T],
        key: Sequence[Column[Any]],
        values: Mapping[str, Any] | None = None,
    ) -> list[_T]:
        """Return what `build` makes of each row. Rows that can't be read are left out: others take their
        place where the query has a limit. `key` is the primary key of the table that they are of."""
        asked = query
        while True:
            try:
                return [build(row) for row in (await self.execute(asked, values)).mappings()]
            except UNREADABLE as error:
                keys_alone = asked.with_only_columns(*key, maintain_column_froms=True)
                keys = [tuple(row) for row in await self.execute(keys_alone, values)]
                bad = [
                    one
                    for part in chunks(keys)
                    for one in await self._unreadable(query, build, key, part, values)
                ]
                if not bad:
                    raise
                for one in bad:
                    self.unreadable.add(key[0].table.name, one, error)
                for part in chunks(bad):
                    asked = asked.where(~among(key, part))

    async def _unreadable(
        self,
        query: Select[Any],
        build: Build[_T],
        key: Sequence[Column[Any]],
        keys: Sequence[Key],
        values: Mapping[str, Any] | None,
    ) -> list[Key]:
        """Return those of the keys whose rows can't be read, found by halves."""
        try:
            for row in (await self.execute(unbounded(query).where(among(key, keys)), values)).mappings():
                build(row)
        except UNREADABLE:
            if len(keys) == 1:
                return list(keys)
        else:
            return []
        half = len(keys) // 2
        first = await self._unreadable(query, build, key, keys[:half], values)
        return first + await self._unreadable(query, build, key, keys[half:], values)

    async def version(self) -> int:
        """Return a number that changes when another connection has changed the SQLite database."""
        return (await self.run("PRAGMA data_version")).scalar_one()

    async def run(self, sql: str) -> CursorResult[Any]:
        """Run a statement in the database's own dialect, without parameters."""
        return await self._complete(self._connection.exec_driver_sql(sql))

    def begin(self, how: str, wait_on: Callable[[], object] | None = None) -> None:
        """Begin a transaction in SQLite, together with the first statement.

        If another process holds the file then, that waits as long as `wait_on` returns.
        """
        if self._driver is not None:
            self._driver.first, self._driver.wait_on = (how,), wait_on

    async def commit(self) -> None:
        await self._complete(self._connection.commit())

    def mark(self, name: str) -> None:
        """Set a savepoint in SQLite, together with the next statement."""
        if self._driver is not None:
            self._driver.first += (_savepoint(name),)

    async def undo_to(self, name: str) -> None:
        """Undo what came after the mark."""
        driver, mark = self._driver, _savepoint(name)
        if driver is not None and mark in driver.first:
            driver.first = driver.first[: driver.first.index(mark)]  # there was no call after it
        else:
            if driver is not None:
                driver.first = ()  # which came after it
            await self.run(f"ROLLBACK TO {name}")

    async def undo(self) -> None:
        """Roll back, also what SQLite has left open after a commit that failed, which SQLAlchemy does not."""
        try:
            await self._complete(self._connection.rollback())
            if self.in_transaction:
                await self.run("ROLLBACK")
        except DBAPIError:
            await self._complete(self._connection.invalidate())  # SQLite rolls back when it is closed
            self._driver = None

    async def _complete(self, work: Awaitable[_T]) -> _T:
        """Wait until `work` has ended, however often the task is cancelled meanwhile."""
        return await _completed(self._driver, work)

    def insert(self, table: Table) -> "sqlite.Insert | postgresql.Insert":
        """Return an INSERT that can say what to do where there is such a row."""
        return _insert(table, on_sqlite=self.on_sqlite)

    async def put(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Insert the row, or set `values` in the one that has this primary key."""
        statement = _upsert(table, tuple(key), tuple(values), on_sqlite=self.on_sqlite)
        await self.execute(statement, {**key, **values})

    async def put_all(self, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put several rows, all with values for the same columns, in one call. `key` is the primary key."""
        changed = tuple(name for name in rows[0] if name != key)
        await self.execute(_upsert(table, (key,), changed, on_sqlite=self.on_sqlite), rows)

    async def put_new(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
        """Insert the row unless one has this primary key. Return whether it was inserted."""
        statement = _upsert(table, tuple(key), (), on_sqlite=self.on_sqlite)
        return (await self.execute(statement, {**key, **values})).rowcount == 1

    async def remove(self, table: Table, which: Mapping[str, Any]) -> bool:
        """Delete the rows that have all these values. Return whether there were any."""
        these = [table.c[name] == value for name, value in which.items()]
        return (await self.execute(delete(table).where(*these))).rowcount > 0


@asynccontextmanager
async def session(
    engine: AsyncEngine,
    unreadable: UnreadableRows | None = None,
    changed: Callable[[object], None] | None = None,
    shards: Shards | None = None,
) -> AsyncGenerator[Session, None]:
    """Open a session on a pooled connection, by itself of all servers. Uncommitted changes are rolled back at
    the end."""
    connection = engine.connection()
    driver: OneCallConnection | None = None
    try:
        if isinstance(engine.pool, QueuePool) and engine.pool.checkedin() and engine.dialect.name == "sqlite":
            await connection.start()  # takes an idle connection, and waits for nothing
        else:
            await shielded(connection.start())
        if isinstance(made := connection.driver, OneCallConnection):
            driver = made
            driver.steady, driver.first, driver.wait_on = True, (), None
        rows = UnreadableRows() if unreadable is None else unreadable
        yield Session(connection, driver, rows, changed, shards or Shards())
    finally:
        if connection.sync_connection is not None:
            await _completed(driver, connection.close())


async def _completed(driver: OneCallConnection | None, work: Awaitable[_T]) -> _T:
    """Wait until `work` on the connection has ended, however often the task is cancelled meanwhile.

    The cancellation is raised then. `driver` is SQLite's connection, whose calls complete by themselves.
    """
    if driver is None:
        return await shielded(work)  # in a task of its own, which costs more than what it does on SQLite
    try:
        result = await work
    except Exception as error:
        if driver.cancelled is not None:
            _log.error("An operation that had to finish before stopping failed", exc_info=error)
            driver.raise_cancelled()
        raise
    driver.raise_cancelled()
    return result


@lru_cache(maxsize=MAX_REMEMBERED_QUERIES)
def _of_shards(query: Select[Any], guild_id: ColumnElement[int], shards: Shards) -> Any:
    """Return the query of only those rows whose server belongs to one of the shards."""
    shard = guild_id // (1 << SHARD_BITS) % shards.count
    return query.where(shard.in_(sorted(shards.held)))


def _insert(table: Table, *, on_sqlite: bool) -> "sqlite.Insert | postgresql.Insert":
    if on_sqlite:
        return sqlite.insert(table)
    # Imported here: a bot on SQLite has no use for it.
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


@cache
def _upsert(table: Table, key: tuple[str, ...], changed: tuple[str, ...], *, on_sqlite: bool) -> Executable:
    """Return an INSERT that changes these columns, or nothing, where a row has this primary key."""
    insert = _insert(table, on_sqlite=on_sqlite)
    if not changed:
        return insert.on_conflict_do_nothing(index_elements=list(key))
    return insert.on_conflict_do_update(
        index_elements=list(key), set_={name: insert.excluded[name] for name in changed}
    )


def _savepoint(name: str) -> str:
    return f"SAVEPOINT {name}"

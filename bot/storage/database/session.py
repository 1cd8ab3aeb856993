"""One database transaction, whose statements complete even if the task is cancelled."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Column, Executable, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bot.aio.shield import shielded
from bot.storage.database.unreadable import UNREADABLE, Build, Key, UnreadableRows, among, chunks, unbounded

T = TypeVar("T")


class Session:
    """The connection that repositories use within one transaction."""

    def __init__(self, connection: AsyncConnection, unreadable: UnreadableRows | None = None) -> None:
        self._connection = connection
        self.unreadable = UnreadableRows() if unreadable is None else unreadable

    @property
    def on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    @property
    def notes(self) -> dict[Any, Any]:
        """Values that belong to the connection and outlive this transaction."""
        return self._connection.info

    async def execute(self, statement: Executable) -> CursorResult[Any]:
        return await shielded(self._connection.execute(statement))

    async def rows(self, query: Select[Any], build: Build[T], key: Sequence[Column[Any]]) -> list[T]:
        """Return what `build` makes of each row. Rows that can't be read are set aside: others take their
        place where the query has a limit. `key` is the primary key of the table that they are of."""
        asked = query
        while True:
            try:
                return [build(row) for row in (await self.execute(asked)).mappings()]
            except UNREADABLE as error:
                keys_alone = asked.with_only_columns(*key, maintain_column_froms=True)
                keys = [tuple(row) for row in await self.execute(keys_alone)]
                bad = [
                    one for part in chunks(keys) for one in await self._unreadable(query, build, key, part)
                ]
                if not bad:
                    raise
                for one in bad:
                    self.unreadable.add(key[0].table.name, one, error)
                for part in chunks(bad):
                    asked = asked.where(~among(key, part))

    async def _unreadable(
        self, query: Select[Any], build: Build[T], key: Sequence[Column[Any]], keys: Sequence[Key]
    ) -> list[Key]:
        """Return those of the keys whose rows can't be read, found by halves."""
        try:
            for row in (await self.execute(unbounded(query).where(among(key, keys)))).mappings():
                build(row)
        except UNREADABLE:
            if len(keys) == 1:
                return list(keys)
        else:
            return []
        half = len(keys) // 2
        first = await self._unreadable(query, build, key, keys[:half])
        return first + await self._unreadable(query, build, key, keys[half:])

    async def run(self, sql: str) -> None:
        """Run a statement in the database's own dialect, without parameters."""
        await shielded(self._connection.exec_driver_sql(sql))

    async def commit(self) -> None:
        await shielded(self._connection.commit())

    async def put(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Insert the row, or set `values` in the one that has this primary key."""
        insert = (sqlite.insert if self.on_sqlite else postgresql.insert)(table).values({**key, **values})
        await self.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    async def put_new(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
        """Insert the row unless one has this primary key. Return whether it was inserted."""
        insert = (sqlite.insert if self.on_sqlite else postgresql.insert)(table).values({**key, **values})
        done = await self.execute(insert.on_conflict_do_nothing(index_elements=list(key)))
        return done.rowcount == 1


@asynccontextmanager
async def session(
    engine: AsyncEngine, unreadable: UnreadableRows | None = None
) -> AsyncGenerator[Session, None]:
    """Open a session on a pooled connection. Uncommitted changes are rolled back at the end."""
    connection = engine.connect()
    try:
        await shielded(connection.start())
        yield Session(connection, unreadable)
    finally:
        if connection.sync_connection is not None:
            await shielded(connection.close())

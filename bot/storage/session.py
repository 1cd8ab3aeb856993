"""One database transaction, which no cancellation can tear."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")


async def finish(awaitable: Awaitable[T]) -> T:
    """Wait for it to end, whoever cancels us meanwhile; the cancellation is raised afterwards.

    The drivers work in threads and on sockets: a step that is abandoned half-way still takes place, and
    leaves a connection of which nobody knows the state.
    """
    task = asyncio.ensure_future(awaitable)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # seen; the cancellation goes before it
        raise cancelled
    return task.result()


class Session:
    """What the repositories speak to within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def on_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    @property
    def notes(self) -> dict[Any, Any]:
        """What is to be known of the connection for as long as it stands, beyond this transaction."""
        return self._connection.info

    async def execute(self, statement: Executable) -> CursorResult[Any]:
        return await finish(self._connection.execute(statement))

    async def run(self, sql: str) -> None:
        """A statement in the database's own words, without values."""
        await finish(self._connection.exec_driver_sql(sql))

    async def commit(self) -> None:
        await finish(self._connection.commit())

    async def put(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> None:
        """Insert the row, or set `values` in the one that has this primary key."""
        insert = (sqlite.insert if self.on_sqlite else postgresql.insert)(table).values({**key, **values})
        await self.execute(insert.on_conflict_do_update(index_elements=list(key), set_=values))

    async def put_new(self, table: Table, key: dict[str, Any], values: dict[str, Any]) -> bool:
        """Insert the row unless there is one that has this primary key; whether it was inserted."""
        insert = (sqlite.insert if self.on_sqlite else postgresql.insert)(table).values({**key, **values})
        done = await self.execute(insert.on_conflict_do_nothing(index_elements=list(key)))
        return done.rowcount == 1


@asynccontextmanager
async def session(engine: AsyncEngine) -> AsyncGenerator[Session, None]:
    """A connection of the pool; what is not committed at the end is rolled back."""
    connection = engine.connect()
    try:
        await finish(connection.start())
        yield Session(connection)
    finally:
        if connection.sync_connection is not None:
            await finish(connection.close())

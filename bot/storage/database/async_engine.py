"""Do what the storage needs of SQLAlchemy's AsyncEngine and AsyncConnection.

`sqlalchemy.ext.asyncio` imports the whole ORM, which nothing here uses: 7 MiB. As there, each call runs
SQLAlchemy in a greenlet, which waits where the driver is to be awaited.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Engine, Executable, Pool
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.util import greenlet_spawn

from bot.aio.shield import shielded

_T = TypeVar("_T")
_P = ParamSpec("_P")


class AsyncConnection:
    """A connection, which `start` takes from the pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sync_connection: Connection | None = None

    @property
    def dialect(self) -> Dialect:
        return self._engine.dialect

    @property
    def driver(self) -> DBAPIConnection | None:
        """Return the driver's own connection, once it is started."""
        return self._started.connection.dbapi_connection

    @property
    def _started(self) -> Connection:
        if self.sync_connection is None:
            raise RuntimeError("The connection is not started.")
        return self.sync_connection

    async def start(self) -> None:
        self.sync_connection = await greenlet_spawn(self._engine.connect)

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        return await greenlet_spawn(self._started.execute, statement, parameters)

    def execute_later(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> None:
        """Hand a statement to the driver, which executes it later and is not awaited."""
        self._started.execute(statement, parameters).close()

    async def exec_driver_sql(self, statement: str) -> CursorResult[Any]:
        return await greenlet_spawn(self._started.exec_driver_sql, statement)

    async def parts(self, query: Executable, rows: int) -> AsyncGenerator[list[dict[str, Any]]]:
        """Return what the query finds, and never have more than `rows` of them in memory."""
        found = await greenlet_spawn(
            self._started.execute, query, execution_options={"stream_results": True, "yield_per": rows}
        )
        try:
            while part := await greenlet_spawn(found.mappings().fetchmany, rows):
                yield [dict(row) for row in part]
        finally:
            await greenlet_spawn(found.close)

    async def run_sync(
        self, work: Callable[Concatenate[Connection, _P], _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Return what `work` returns, which uses SQLAlchemy's own connection."""
        return await greenlet_spawn(work, self._started, *args, **kwargs)

    async def commit(self) -> None:
        await greenlet_spawn(self._started.commit)

    async def rollback(self) -> None:
        await greenlet_spawn(self._started.rollback)

    async def invalidate(self) -> None:
        """Close the driver's connection, and give none back to the pool."""
        await greenlet_spawn(self._started.invalidate)

    async def close(self) -> None:
        """Roll back, and give the connection back to the pool."""
        await greenlet_spawn(self._started.close)


class AsyncEngine:
    """The pool of connections to one database."""

    def __init__(self, engine: Engine) -> None:
        """Wrap an engine of an asynchronous driver."""
        self.sync_engine = engine

    @property
    def pool(self) -> Pool:
        return self.sync_engine.pool

    @property
    def dialect(self) -> Dialect:
        return self.sync_engine.dialect

    def connection(self) -> AsyncConnection:
        """Return a connection that is to be started and closed."""
        return AsyncConnection(self.sync_engine)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection]:
        """Open a connection. What is not committed is rolled back at the end."""
        connection = self.connection()
        await connection.start()
        try:
            yield connection
        finally:
            await shielded(connection.close())

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[AsyncConnection]:
        """Open a connection, and commit at the end unless the block raises."""
        async with self.connect() as connection:
            yield connection
            await connection.commit()

    async def dispose(self) -> None:
        """Close the pool's connections."""
        await greenlet_spawn(self.sync_engine.dispose)

"""The processes that share a PostgreSQL, the shards that each holds, and turns at Discord's gateway."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.aio.shield import shielded
from bot.db import NAME_PREFIX, Fence, begin, lease_engine

_REGISTER = text(
    "INSERT INTO processes (name, version, started_at, until) VALUES (:name, :version, clock_timestamp(),"
    " clock_timestamp() + make_interval(secs => :seconds)) RETURNING epoch"
)
_RENEW = text(
    "UPDATE processes SET until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE epoch = :epoch RETURNING epoch"
)
_LEAVE = text("DELETE FROM processes WHERE epoch = :epoch RETURNING epoch")
_DROP_DEAD = text("DELETE FROM processes WHERE until < clock_timestamp() AND epoch <> :epoch")
_END_TRANSACTIONS_OF_DEAD = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " JOIN processes ON application_name = CAST(:prefix AS text) || epoch"
    " WHERE datname = current_database() AND until < clock_timestamp() AND epoch <> :epoch"
).bindparams(prefix=NAME_PREFIX)
# Processes take shards one after the other.
_TAKE_TURN = text("SELECT pg_advisory_xact_lock(21332, 4)")
_TAKE = text(
    "UPDATE shards SET epoch = :epoch, since = clock_timestamp() WHERE shard IN"
    " (SELECT shard FROM shards WHERE epoch IS NULL ORDER BY shard LIMIT :most)"
)
_HELD = text("SELECT shard FROM shards WHERE epoch = :epoch")
_COUNTS = text(
    "SELECT count(*) AS shards, count(processes.epoch) FILTER (WHERE until >= clock_timestamp()) AS held"
    " FROM shards LEFT JOIN processes ON processes.epoch = shards.epoch"
)
_CLEAR = text("DELETE FROM shards")
_MAKE = text("INSERT INTO shards (shard) SELECT generate_series(0, :count - 1)")
_PROCESSES = text(
    "SELECT processes.epoch, name, version, started_at, until >= clock_timestamp() AS alive,"
    " array_remove(array_agg(shard ORDER BY shard), NULL) AS shards, min(since) AS since"
    " FROM processes LEFT JOIN shards ON shards.epoch = processes.epoch"
    " GROUP BY processes.epoch ORDER BY processes.epoch"
)
_FREE = text(
    "SELECT shard FROM shards LEFT JOIN processes ON processes.epoch = shards.epoch"
    " WHERE processes.epoch IS NULL OR until < clock_timestamp() ORDER BY shard"
)
_TURN = text(
    "INSERT INTO identify_turns AS turns (bucket, next_at)"
    " VALUES (:bucket, clock_timestamp() + make_interval(secs => :seconds)) ON CONFLICT (bucket) DO UPDATE"
    " SET next_at = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE turns.next_at <= clock_timestamp() RETURNING bucket"
)
_UNTIL_TURN = text(
    "SELECT extract(epoch FROM next_at - clock_timestamp())::float8 AS wait FROM identify_turns"
    " WHERE bucket = :bucket"
)


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """The number of shards (0: none were stored yet), and how many a living process holds."""

    shards: int
    held: int


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """A process, and its shards since when. Without a shard it stands by. `alive`: its lease lasts."""

    epoch: int
    name: str
    version: str
    started_at: datetime
    alive: bool
    shards: Sequence[int]
    since: datetime | None


class ProcessTable:
    """The rows, over a connection of their own with short timeouts. PostgreSQL alone has them."""

    def __init__(self, url: str) -> None:
        self._engine = lease_engine(url)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncGenerator["ProcessTable"]:
        """Open them, and close the connection at the end. All methods raise one of `UNUSABLE`."""
        table = cls(url)
        try:
            yield table
        finally:
            await shielded(table._engine.dispose())

    async def register(self, name: str, version: str, seconds: float) -> int:
        """Add a process with a lease of `seconds`. Return its number."""
        (row,) = await self._run(_REGISTER, name=name, version=version, seconds=seconds)
        return int(row["epoch"])

    async def renew(self, epoch: int, seconds: float) -> bool:
        """Let the lease last for `seconds` from now. Return False if the process is gone."""
        return bool(await self._run(_RENEW, epoch=epoch, seconds=seconds))

    async def leave(self, epoch: int) -> None:
        """Remove the process: its shards are free."""
        await self._run(_LEAVE, epoch=epoch)

    async def counts(self) -> ShardCounts:
        """Return how many shards there are."""
        (row,) = await self._run(_COUNTS)
        return ShardCounts(**row)

    async def take(
        self, epoch: int, most: int | None, number: Callable[[ShardCounts], int]
    ) -> tuple[int, frozenset[int]]:
        """Take free shards, at most `most` or all if that is None, also those of processes whose lease is
        over.

        Their open transactions are ended. While no process holds a shard, there are as many shards as
        `number` says from the counts. Return their number, and all that the process holds now.
        """
        async with self._begun() as current:
            await current.execute(_TAKE_TURN)
            await current.execute(_END_TRANSACTIONS_OF_DEAD.bindparams(epoch=epoch))
            await current.execute(_DROP_DEAD.bindparams(epoch=epoch))
            counts = ShardCounts(**(await current.execute(_COUNTS)).mappings().one())
            count = counts.shards
            if not counts.held and (count := number(counts)) != counts.shards:
                await current.execute(_CLEAR)
                await current.execute(_MAKE.bindparams(count=count))
            if most is None or most > 0:
                await current.execute(_TAKE.bindparams(epoch=epoch, most=most))
            held = frozenset((await current.execute(_HELD.bindparams(epoch=epoch))).scalars())
            await current.commit()
        return count, held

    async def processes(self) -> list[ProcessInfo]:
        """Return all processes, in the order of their numbers."""
        return [ProcessInfo(**row) for row in await self._run(_PROCESSES)]

    async def free(self) -> list[int]:
        """Return the shards that no living process holds."""
        return [row["shard"] for row in await self._run(_FREE)]

    async def identify_turn(self, bucket: int, seconds: float) -> float | None:
        """Take the turn of a bucket, if the one before was `seconds` ago. Else return when to try again."""
        if await self._run(_TURN, bucket=bucket, seconds=seconds):
            return None
        (row,) = await self._run(_UNTIL_TURN, bucket=bucket)
        return max(0.0, float(row["wait"]))

    async def _run(self, statement: TextClause, **values: Any) -> Sequence[RowMapping]:
        async with self._begun() as current:
            rows = (await current.execute(statement.bindparams(**values))).mappings().all()
            await current.commit()
            return rows

    @asynccontextmanager
    async def _begun(self) -> AsyncGenerator[AsyncConnection]:
        async with self._engine.connect() as current:
            await current.run_sync(begin, Fence())
            yield current

"""Deferred interactions of processes that share a PostgreSQL."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select

from bot.aio.batching import Batcher
from bot.aio.shield import shielded
from bot.db import Fence, begin, lease_engine, of_shards
from bot.db_failures import UNUSABLE
from bot.storage.schema import deferrals

WRITTEN_AT_ONCE = 500  # in one transaction


@dataclass(frozen=True, slots=True)
class _Change:
    """A deferral is kept, or dropped if `sealed` is None."""

    id: int
    guild_id: int = 0
    sealed: bytes | None = None


class DeferralTable:
    """The table in which another process finds the deferrals of one that died.

    It has a connection of its own, as interactions are deferred while transactions on the others take long.
    All methods raise one of `UNUSABLE`, or `NotAlone` if another process has taken over.
    """

    def __init__(self, url: str, fence: Fence) -> None:
        self._engine = lease_engine(url)
        self._fence = fence
        self._changes = Batcher("storing deferrals", self._change, max_group=WRITTEN_AT_ONCE)

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, fence: Fence) -> AsyncGenerator["DeferralTable"]:
        """Open the table, and close its connection at the end. `fence` is the process's own.

        It connects now, as a deferral can't wait for that.
        """
        table = cls(url, fence)
        try:
            with suppress(*UNUSABLE):  # it is tried again when it is needed
                async with table._engine.connect():
                    pass
            yield table
        finally:
            await shielded(table._engine.dispose())

    async def keep(self, interaction_id: int, guild_id: int, sealed: bytes) -> None:
        """Keep a deferral of the server, or replace it."""
        await self._changes.ask(_Change(interaction_id, guild_id, sealed))

    async def drop(self, interaction_id: int) -> None:
        """Delete the deferral, whichever process has kept it."""
        await self._changes.ask(_Change(interaction_id))

    async def left(self) -> list[tuple[int, bytes]]:
        """Return the deferrals that earlier processes have left in this one's servers, oldest first."""
        async with self._engine.connect() as current:
            ours = of_shards(self._fence.shards, _LEFT, deferrals.c.guild_id)
            rows = await current.execute(ours, {"own": self._fence.epoch})
            return [(row.id, row.sealed) for row in rows]

    async def _change(self, take: Callable[[], Sequence[_Change]]) -> list[None]:
        async with self._engine.connect() as current:
            await current.run_sync(begin, self._fence)
            changes = take()
            latest = {change.id: change for change in changes}
            await current.execute(_DROP, {"ids": list(latest)})
            kept = [
                {"id": one.id, "guild_id": one.guild_id, "epoch": self._fence.epoch, "sealed": one.sealed}
                for one in latest.values()
                if one.sealed is not None
            ]
            if kept:
                await current.execute(_KEEP, kept)
            await current.commit()
        return [None] * len(changes)


# Statements, made once (see `Session.execute`).
_LEFT = (
    select(deferrals.c.id, deferrals.c.sealed)
    .where(deferrals.c.epoch != bindparam("own"))
    .order_by(deferrals.c.id)
)
_DROP = delete(deferrals).where(deferrals.c.id.in_(bindparam("ids", expanding=True)))
_KEEP = insert(deferrals)

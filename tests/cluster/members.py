"""Processes that share a database, within one process: each has its own connection and lease."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.clock import boottime
from bot.cluster import LeaseTimes, Membership, WantedShards, leave, membership
from bot.db import Database

SHORT = LeaseTimes(lasts=3.0, renewed_every=0.3, margin=0.1, standby_pause=0.05)


@asynccontextmanager
async def process_on(
    url: str,
    name: str = "a process",
    *,
    shards: int = 1,
    count: int | None = None,
    per_process: int | None = None,
    times: LeaseTimes = SHORT,
    counted: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = boottime,
) -> AsyncGenerator[Membership]:
    """Be a process there. Discord recommends `shards`; `count` and `per_process` are the settings."""

    async def recommended() -> int:
        return shards

    wanted = WantedShards(recommended, count, per_process)
    async with membership(url, name, wanted, times=times, count=counted, clock=clock) as member:
        yield member


async def replaced(url: str, member: Membership) -> None:
    """Do what another process does when the member's lease is over."""
    async with Database.open(url) as leases:
        await leases.write(leave, member.epoch or 0)

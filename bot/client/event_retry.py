"""Handle events that Discord sends once: what an outage stopped is found by a comparison after it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec

import discord
from discord.ext import commands

from bot.aio.tasks import OutageRetry
from bot.errors import Outage

_P = ParamSpec("_P")


class ComparingCog(commands.Cog):
    """Base of cogs that compare what Discord has with what is known: when the connection is ready, and after
    an outage."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._until_back = OutageRetry()
        self._comparing, self._is_due = asyncio.Lock(), False

    async def compare(self) -> None:
        """Find and handle the changes of which no event was handled. To be overridden."""
        raise NotImplementedError

    async def handle(self, work: Callable[_P, Awaitable[object]], *args: _P.args, **more: _P.kwargs) -> None:
        """Do an event's work. If an outage stops it, the comparison after it makes up for that."""
        try:
            await work(*args, **more)
        except Outage:
            await self.compare_soon()

    async def compare_soon(self) -> None:
        """Compare, once no outage stops it any more. Several calls meanwhile become one."""
        self._is_due = True
        async with self._comparing:
            if self._is_due:
                await self._until_back.run(self._compare_once)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.compare_soon()

    @commands.Cog.listener()
    async def on_shard_ready(self, _shard_id: int) -> None:
        if self._client.is_ready():  # one that was taken over while others were served
            await self.compare_soon()

    async def _compare_once(self) -> None:
        self._is_due = False
        await self.compare()

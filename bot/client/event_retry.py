"""Handle events that Discord sends once: what an outage stops is repeated after it."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from weakref import WeakValueDictionary

import discord
from discord.ext import commands

from bot.aio.tasks import OutageRetry


class EventRetry:
    """Handles events that Discord doesn't repeat, those of one subject in order.

    At most `bound` events wait for the end of an outage. If one is dropped, `compare` is called after the
    outage: it finds the changes that were in the dropped ones. To `OutageRetry`, which repeats, it adds the
    order, the bound and the comparison.
    """

    def __init__(self, bound: int, compare: Callable[[], Awaitable[None]]) -> None:
        self._bound = bound
        self._compare = compare
        self._until_back = OutageRetry()
        self._subjects = WeakValueDictionary[Hashable, asyncio.Lock]()
        self._comparing = asyncio.Lock()
        self._unfinished = 0
        self._is_due = False

    async def handle(self, subject: Hashable, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work after all earlier work of the subject, and repeat it if an outage stops it."""
        if self._unfinished >= self._bound:
            await self.compare()
            return
        self._unfinished += 1
        try:
            async with self._subjects.setdefault(subject, asyncio.Lock()):
                await self._until_back.run(work)
        finally:
            self._unfinished -= 1

    async def compare(self) -> None:
        """Call `compare`, and repeat it if an outage stops it. Several calls meanwhile become one."""
        self._is_due = True
        if self._comparing.locked():
            return  # it begins once more
        async with self._comparing:
            while self._is_due:
                await self._until_back.run(self._compare_once)

    def close(self) -> None:
        """Drop what waits for the end of an outage."""
        self._until_back.close()

    async def _compare_once(self) -> None:
        self._is_due = False
        await self._compare()


class ComparingCog(commands.Cog):
    """Base of cogs that compare what Discord has with what is known, when the connection is ready."""

    def __init__(self, client: discord.Client, events: EventRetry) -> None:
        self._client = client
        self._events = events

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self._events.compare()

    @commands.Cog.listener()
    async def on_shard_ready(self, _shard_id: int) -> None:
        if self._client.is_ready():  # one that was taken over while others were served
            await self._events.compare()

    async def cog_unload(self) -> None:
        self._events.close()

"""Stars under results, for the channel for the best."""

from functools import partial

import discord
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.client.event_retry import ComparingCog, EventRetry
from bot.reactions.best_results import BestResultWatch
from bot.reactions.events import Cleared

# Events that wait for the end of an outage.
MAX_WAITING_STARS = 2000


class BestResultReactions(ComparingCog):
    """Hands Discord's events to the watch."""

    def __init__(self, bot: StudiiBot, watch: BestResultWatch) -> None:
        self._bot = bot
        self._watch = watch
        super().__init__(bot, EventRetry(MAX_WAITING_STARS, watch.catch_up))

    async def cog_load(self) -> None:
        await self._watch.load()

    async def cog_unload(self) -> None:
        await super().cog_unload()
        await self._watch.close()

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting:
            self._watch.starred(event)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting:
            self._watch.unstarred(event)

    @commands.Cog.listener("on_raw_reaction_clear")
    @commands.Cog.listener("on_raw_reaction_clear_emoji")
    async def on_cleared(self, event: Cleared) -> None:
        await self._events.handle(event.message_id, partial(self._watch.cleared, event))

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        if event.data.get("edited_timestamp"):  # not for a link that Discord looked up
            # A picture of a set was removed: what is shown of the set may no longer be.
            gone = partial(self._watch.deleted, event.guild_id, [event.message_id])
            await self._events.handle(event.message_id, gone)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        gone = partial(self._watch.deleted, event.guild_id, [event.message_id])
        await self._events.handle(event.message_id, gone)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        gone = partial(self._watch.deleted, event.guild_id, event.message_ids)
        await self._events.handle(event.channel_id, gone)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(BestResultReactions(bot, BestResultWatch(bot, bot.services, bot.clock)))

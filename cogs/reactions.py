"""Hand what happens to messages, reactions and channels to what runs tools, answers, and counts stars."""

from functools import partial

import discord
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.client.event_retry import ComparingCog, EventRetry
from bot.reactions import PhotoWatch
from bot.reactions.best_results import BestResultWatch
from bot.reactions.events import Cleared
from bot.reactions.mentions import MentionWatch

# Events that wait for the end of an outage. If there are more, all rules are read again after it.
MAX_WAITING_CHANGES = 5000


class PhotoEvents(commands.Cog):
    """Hands Discord's events to the watches of photos and of mentions."""

    def __init__(self, bot: StudiiBot, watch: PhotoWatch, mentions: MentionWatch) -> None:
        self._bot = bot
        self._watch = watch
        self._mentions = mentions
        self._events = EventRetry(MAX_WAITING_CHANGES, bot.services.photo_rules.load)

    async def cog_load(self) -> None:
        await self._bot.services.photo_rules.load()
        await self._watch.load()

    async def cog_unload(self) -> None:
        self._events.close()
        await self._watch.close()
        await self._mentions.close()

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting and self._bot.intents.message_content:
            await self._watch.tapped(event)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting:
            self._watch.taken_back(event)

    @commands.Cog.listener("on_raw_reaction_clear")
    @commands.Cog.listener("on_raw_reaction_clear_emoji")
    async def on_cleared(self, event: Cleared) -> None:
        if self._bot.accepting:
            self._watch.cleared(event)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        if self._bot.accepting:
            self._watch.deleted(event.guild_id, event.message_id)

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        if self._bot.accepting:
            for message_id in event.message_ids:
                self._watch.deleted(event.guild_id, message_id)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        # Not for a link that Discord looked up.
        if self._bot.accepting and event.data.get("edited_timestamp"):
            self._watch.edited(event.message)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._events.handle(guild.id, partial(self._bot.services.photo_rules.reread, guild.id))

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._forget_place(channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self._forget_place(event.guild_id, event.thread_id)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if self._bot.accepting:
            self._mentions.posted(message)
            await self._watch.posted(message)

    async def _forget_place(self, guild_id: int, channel_id: int) -> None:
        forget = partial(self._bot.services.photo_rules.forget_place, guild_id, channel_id)
        await self._events.handle(guild_id, forget)


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
    services = bot.services
    watch = PhotoWatch(bot, services, bot.catalog, bot.readers, bot.arrivals)
    mentions = MentionWatch(bot, services, bot.catalog, bot.clock, bot.readers)
    await bot.add_cog(PhotoEvents(bot, watch, mentions))
    await bot.add_cog(BestResultReactions(bot, BestResultWatch(bot, services, bot.clock)))

"""Hand what happens to messages, reactions and channels to what runs tools, answers, and counts stars."""

from collections.abc import Collection

import discord
from discord.ext import commands

from bot.client.bot import ComparingCog, StudiiBot
from bot.reactions.best_results import BestResultWatch
from bot.reactions.events import Cleared
from bot.reactions.mentions import MentionWatch
from bot.reactions.photos import PhotoWatch


class PhotoEvents(ComparingCog):
    """Hands Discord's events to the watches of photos, of mentions and of stars."""

    def __init__(self, bot: StudiiBot) -> None:
        super().__init__(bot)
        self._bot, self._rules = bot, bot.services.photo_rules
        self._photos = PhotoWatch(bot, bot.services, bot.catalog, bot.readers, bot.arrivals)
        self._mentions = MentionWatch(bot, bot.services, bot.catalog, bot.clock, bot.readers)
        self._stars = BestResultWatch(bot, bot.services, bot.clock)

    async def cog_load(self) -> None:
        await self._rules.load()

    async def cog_unload(self) -> None:
        await self._photos.close()
        await self._mentions.close()
        await self._stars.close()

    async def compare(self) -> None:
        """Read the rules again, and look at the stars that came and went meanwhile."""
        await self._rules.load()
        await self._stars.catch_up()

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting:
            self._stars.starred(event)
            if self._bot.intents.message_content:
                await self._photos.tapped(event)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        if self._bot.accepting:
            self._stars.unstarred(event)
            self._photos.taken_back(event)

    @commands.Cog.listener("on_raw_reaction_clear")
    @commands.Cog.listener("on_raw_reaction_clear_emoji")
    async def on_cleared(self, event: Cleared) -> None:
        if self._bot.accepting:
            self._photos.cleared(event)
        await self.handle(self._stars.cleared, event)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        await self._deleted(event.guild_id, [event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        await self._deleted(event.guild_id, event.message_ids)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        if not event.data.get("edited_timestamp"):
            return  # it got a link that Discord looked up
        if self._bot.accepting and self._bot.intents.message_content:  # without it, events lack attachments
            self._photos.edited(event.message)
        # A picture of a set was removed: what is shown of the set may no longer be.
        await self.handle(self._stars.deleted, event.guild_id, [event.message_id])

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.handle(self._rules.reread, guild.id)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self.handle(self._rules.forget_place, channel.guild.id, channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        await self.handle(self._rules.forget_place, event.guild_id, event.thread_id)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if self._bot.accepting:
            self._mentions.posted(message)
            await self._photos.posted(message)

    async def _deleted(self, guild_id: int | None, message_ids: Collection[int]) -> None:
        if self._bot.accepting:
            for message_id in message_ids:
                self._photos.deleted(guild_id, message_id)
        await self.handle(self._stars.deleted, guild_id, message_ids)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(PhotoEvents(bot))

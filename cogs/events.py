"""Hand what happens to messages, reactions, channels and servers to what has to do something then."""

import logging
from collections.abc import Collection
from functools import partial

import discord
from discord.ext import commands

from bot.client.bot import ComparingCog, StudiiBot
from bot.client.login import was_removed
from bot.jobs import thumbnails
from bot.reactions.best_results import BestResultWatch
from bot.reactions.events import Cleared
from bot.reactions.mentions import MentionWatch
from bot.reactions.photos import PhotoWatch
from bot.servers import privacy, settings
from bot.servers.key_entry import lost
from bot.ui.help import SHOWN_FIRST
from bot.ui.settings.setup import greet, greeting, key_lost

_log = logging.getLogger(__name__)


class PhotoEvents(ComparingCog):
    """Hands Discord's events to the watches of photos, of mentions and of stars."""

    def __init__(self, bot: StudiiBot) -> None:
        super().__init__(bot)
        self._bot, self._rules = bot, bot.resources.photo_rules
        self._photos = PhotoWatch(bot, bot.resources, bot.catalog, bot.readers, bot.arrivals)
        self._mentions = MentionWatch(bot, bot.resources, bot.catalog, bot.clock, bot.readers)
        self._stars = BestResultWatch(bot, bot.resources, bot.clock)

    async def cog_load(self) -> None:
        await self._rules.load()

    async def cog_unload(self) -> None:
        photos = self._photos
        for one in (photos.waiting, photos.offers, self._mentions.waiting, self._stars.waiting):
            await one.close()

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
        await self.handle(self._drop_thumbnails, message_ids)

    async def _drop_thumbnails(self, message_ids: Collection[int]) -> None:
        db = self._bot.resources.db
        if found := await db.read(thumbnails.shown_in, message_ids):  # few deleted messages are results
            await db.write(thumbnails.drop, found)


class ServerEvents(ComparingCog):
    """The events when a server adds or removes the bot."""

    def __init__(self, bot: StudiiBot) -> None:
        self._bot = bot
        self._resources = bot.resources
        super().__init__(bot)
        self._new: set[int] = set()
        self._without_key: set[int] = set()

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.handle(self._welcome, guild)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self.handle(self._tell, guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.handle(self._goodbye, guild.id)

    async def _welcome(self, guild: discord.Guild) -> None:
        if self._bot.get_guild(guild.id) is None:
            return  # it has removed the bot again during an outage
        if await self._resources.db.write(settings.came, guild.id, self._bot.clock.now()):
            await greet(self._bot, self._bot.readers, guild, partial(greeting, guild.id), SHOWN_FIRST)

    async def _goodbye(self, guild_id: int) -> None:
        if self._bot.get_guild(guild_id) is None:  # else it was invited again during an outage
            await self._resources.db.write(privacy.left, guild_id, self._bot.clock.now())

    async def _tell(self, guild: discord.Guild) -> None:
        """Send what waits for the server, once it is available."""
        if guild.unavailable:
            return
        if guild.id in self._new:
            await self._welcome(guild)
            self._new.discard(guild.id)
        if guild.id in self._without_key:
            self._without_key.discard(guild.id)
            await greet(self._bot, self._bot.readers, guild, partial(key_lost, guild))

    async def compare(self) -> None:
        """Find the servers that added or removed the bot while no one heard of it."""
        present = [guild.id for guild in self._bot.guilds]
        own = self._bot.application_id or 0
        found = await self._resources.db.write(settings.compare, own, present)
        if found is None:
            _log.warning("The token belongs to another bot now, so missing servers don't count as left.")
        joined, absent = found or ((), ())
        # Discord sends no event for these: they added the bot while it was offline.
        self._new.update(joined)
        self._without_key.update(await self._resources.db.write(lost, self._resources.vault))
        for guild in self._bot.guilds:
            await self._tell(guild)
        gone = [guild_id for guild_id in absent if await was_removed(self._bot, guild_id)]
        await self._resources.db.write(privacy.part, gone, self._bot.clock.now())


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(ServerEvents(bot))
    await bot.add_cog(PhotoEvents(bot))

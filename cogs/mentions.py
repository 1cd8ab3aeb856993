"""Mentions of the bot, with a photo, with words or with neither."""

import discord
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.reactions.mentions import MentionWatch


class Mentions(commands.Cog):
    """Hands new messages to the watch."""

    def __init__(self, bot: StudiiBot, watch: MentionWatch) -> None:
        self._bot = bot
        self._watch = watch

    async def cog_unload(self) -> None:
        await self._watch.close()

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        if self._bot.accepting:
            self._watch.posted(message)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Mentions(bot, MentionWatch(bot, bot.services, bot.catalog, bot.clock, bot.readers)))

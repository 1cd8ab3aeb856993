"""Taps and photo channels."""

from bot.client.bot import StudiiBot
from bot.reactions import PhotoWatch
from cogs.reactions.events import PhotoEvents


async def setup(bot: StudiiBot) -> None:
    services = bot.services
    watch = PhotoWatch(bot, services, bot.catalog, bot.readers, bot.arrivals, bot.clock)
    bot.watch_photos(watch.used)
    await bot.add_cog(PhotoEvents(bot, watch))

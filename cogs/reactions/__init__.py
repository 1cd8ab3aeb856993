"""Taps and photo channels, and how admins turn them on."""

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.reactions import PhotoWatch
from cogs.reactions.commands import PhotoCommands, ReactionCommands
from cogs.reactions.events import PhotoEvents
from cogs.studii.group import add_to_studii


async def setup(bot: StudiiBot) -> None:
    services = bot.services
    watch = PhotoWatch(bot, services, bot.catalog, bot.readers, bot.arrivals, bot.clock)
    bot.watch_photos(watch.used)
    await bot.add_cog(PhotoEvents(bot, watch))
    add_to_studii(
        bot,
        ReactionCommands("reactions", N_("Tools that run when you tap an emoji"), services, bot.catalog),
        PhotoCommands("photos", N_("Channels that offer or run tools on photos"), services, bot.catalog),
    )

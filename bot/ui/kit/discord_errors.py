"""The one list of what a call to Discord can raise when Discord, or the way to it, is the reason."""

import discord

from bot.aio.connections import NO_CONNECTION

DISCORD_ERRORS = (discord.DiscordException, *NO_CONNECTION)
NO_ACCESS = (discord.Forbidden, discord.NotFound)  # it is gone, or not for the bot

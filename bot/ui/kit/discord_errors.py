"""The one list of what a call to Discord can raise when Discord, or the way to it, is the reason."""

import aiohttp
import discord

NO_CONNECTION = (aiohttp.ClientError, TimeoutError, OSError)
DISCORD_ERRORS = (discord.DiscordException, *NO_CONNECTION)

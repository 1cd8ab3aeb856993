"""Whether a server's own emoji, which admins mapped to tools, are there still."""

import asyncio
from collections.abc import Iterable

import aiohttp
import discord

from bot.domain.photo_rules import Emoji

LOOKUP_TIMEOUT = 1.5  # seconds; Discord expects the first answer within 3
MOST_SHOWN = 5


async def missing_words(guild: discord.Guild | None, emoji: Iterable[Emoji]) -> str:
    """A line that names those that the server has not, or no longer; empty if all is well or can't be told.

    Costs a request if there are any but everybody's. The gateway would tell of them with one more intent.
    """
    custom = [one for one in emoji if one.id]
    if guild is None or not custom:
        return ""
    try:
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            there = {one.id for one in await guild.fetch_emojis()}
    except (discord.DiscordException, aiohttp.ClientError, TimeoutError, OSError):
        return ""
    missing = [f"`:{one.name}:`" for one in custom if one.id not in there]
    if not missing:
        return ""
    more = f" and {len(missing) - MOST_SHOWN} more" if len(missing) > MOST_SHOWN else ""
    named = f"{', '.join(missing[:MOST_SHOWN])}{more}"
    return (
        f"⚠️ Not among this server's own emoji: {named}. If deleted, nobody can tap it any more; if another "
        "server's, I can't put it under photos unless I am there too, and may **Use External Emoji** here."
    )

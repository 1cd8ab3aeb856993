"""Finding a posting of ours that Discord may have taken without telling us."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import discord

LOOK_BACK = 50  # messages


async def find_posting(
    channel: discord.abc.Messageable,
    author_id: int,
    nonce: str,
    card: int | None = None,
    *,
    since: discord.abc.Snowflake | datetime | None = None,
) -> int | None:
    """The message among the channel's latest, and the first ones after `since`, but for the card, whose
    buttons name that posting.

    Raises discord.HTTPException.
    """
    looks = [channel.history(limit=LOOK_BACK)]
    if since is not None:
        looks.append(channel.history(limit=LOOK_BACK, after=since, oldest_first=True))
    for look in looks:
        async for message in look:
            if message.author.id == author_id and message.id != card and _names(message.components, nonce):
                return message.id
    return None


async def find_card(channel: discord.abc.Messageable, author_id: int, mark: int) -> int | None:
    """The message among the channel's latest whose outermost component has that number.

    Raises discord.HTTPException.
    """
    async for message in channel.history(limit=LOOK_BACK):
        if message.author.id == author_id and _marked(message.components, mark):
            return message.id
    return None


def _marked(components: Iterable[Any], mark: int) -> bool:
    return any(getattr(component, "id", None) == mark for component in components)


def _names(components: Iterable[Any], nonce: str) -> bool:
    for component in components:
        if str(getattr(component, "custom_id", None) or "").endswith(f":{nonce}"):
            return True
        if _names(getattr(component, "children", ()), nonce):
            return True
    return False

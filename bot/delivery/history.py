"""Finding messages of ours that Discord may have taken without telling us."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.jobs.best_results import BestResult
from bot.jobs.confirm import Confirmation
from bot.posts import mark_of_nonce
from bot.ui.jobs.confirmation import ConfirmButton
from bot.ui.kit.host import custom_ids

# Discord remembers a nonce for a few minutes; after that we look for an earlier posting ourselves.
NONCE_SECONDS = 120.0
UNTIL_LOGGED_IN_SECONDS, LOGIN_CHECK_SECONDS = 60.0, 0.1
LOOK_BACK = 100  # messages: as many as Discord gives at once
# Message ids hold Discord's time, `created_at` is ours.
CLOCKS_DIFFER = timedelta(minutes=2)


async def find_message(
    channel: discord.abc.Messageable,
    client: discord.Client,
    wanted: Callable[[Sequence[Any]], bool],
    since: discord.abc.Snowflake | datetime | None = None,
) -> int | None:
    """Return the id of the bot's message whose components are `wanted`, or None if there is none.

    It is sought among the channel's latest messages, and the first ones after `since`.
    Raises discord.HTTPException, and TimeoutError if the bot doesn't log in.
    """
    # The first messages after a start are due before the login, which discord.py tells of in no other way.
    async with asyncio.timeout(UNTIL_LOGGED_IN_SECONDS):
        while client.user is None:  # noqa: ASYNC110
            await asyncio.sleep(LOGIN_CHECK_SECONDS)
    own_id = client.user.id
    pages = [channel.history(limit=LOOK_BACK)]
    if since is not None:
        pages.append(channel.history(limit=LOOK_BACK, after=since, oldest_first=True))
    for page in pages:
        async for message in page:
            if message.author.id == own_id and wanted(message.components):
                return message.id
    return None


async def find_question(
    channel: discord.abc.Messageable, client: discord.Client, question: Confirmation
) -> int | None:
    """Return the id of the message that asks the question under a photo, or None if there is none.

    Raises discord.HTTPException.
    """
    button = ConfirmButton(question.id).custom_id
    since = question.created_at - CLOCKS_DIFFER
    return await find_message(channel, client, lambda found: button in custom_ids(found), since)


async def find_best(channel: discord.abc.Messageable, client: discord.Client, best: BestResult) -> int | None:
    """Return the id of the message that shows the starred result, or None if there is none.

    Raises discord.HTTPException.
    """
    mark, since = mark_of_nonce(best.nonce), (best.begun_at or best.since) - CLOCKS_DIFFER
    return await find_message(channel, client, lambda found: is_marked(found, mark), since)


def is_marked(components: Iterable[Any], mark: int) -> bool:
    """Return whether one of a message's outer components has that number."""
    return any(getattr(component, "id", None) == mark for component in components)

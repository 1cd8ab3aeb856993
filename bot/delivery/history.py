"""Finding messages of ours that Discord may have taken without telling us."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.domain import Job, Notice
from bot.domain.best import BestResult
from bot.domain.confirmations import Confirmation
from bot.ui.admin.notices import mark_of
from bot.ui.best.panels import best_mark
from bot.ui.jobs.buttons import DeleteButton
from bot.ui.jobs.card import CancelButton
from bot.ui.jobs.confirming import ConfirmButton
from bot.ui.kit.buttons import custom_id_of
from bot.ui.kit.layout import card_mark, posting_mark

# Discord remembers a nonce for a few minutes; after that we look for an earlier posting ourselves.
NONCE_SECONDS = 120.0
LOOK_BACK = 100  # messages: as many as Discord gives at once
# Message ids hold Discord's time, `created_at` is ours.
CLOCKS_DIFFER = timedelta(minutes=2)


async def find_posting(
    channel: discord.abc.Messageable,
    author_id: int,
    job: Job,
    *,
    since: discord.abc.Snowflake | datetime | None = None,
) -> int | None:
    """Return the id of the message that says the job's last word, or None if there is none.

    It is sought among the channel's latest messages, and the first ones after `since`.
    Raises discord.HTTPException.
    """
    # An ordinary message (a video's link) has no numbers of ours, but the button that only postings have.
    button = custom_id_of(DeleteButton.action, job.id, job.posting)
    mark = posting_mark(job)
    return await _find(channel, author_id, lambda found: _marked(found, mark) or _has(found, button), since)


async def find_card(channel: discord.abc.Messageable, author_id: int, job: Job) -> int | None:
    """Return the id of the job's card, or None if there is none where `find_posting` looks.

    Raises discord.HTTPException.
    """
    # Cards of earlier versions of the bot bear no mark.
    button = custom_id_of(CancelButton.action, job.id, job.posting)
    mark, since = card_mark(job), job.created_at - CLOCKS_DIFFER
    return await _find(channel, author_id, lambda found: _marked(found, mark) or _has(found, button), since)


async def find_question(
    channel: discord.abc.Messageable, author_id: int, question: Confirmation
) -> int | None:
    """Return the id of the message that asks the question under a photo, or None if there is none.

    Raises discord.HTTPException.
    """
    button = ConfirmButton(question.id).custom_id
    since = question.created_at - CLOCKS_DIFFER
    return await _find(channel, author_id, lambda found: _has(found, button), since)


async def find_best(channel: discord.abc.Messageable, author_id: int, best: BestResult) -> int | None:
    """Return the id of the message that shows the starred result, or None if there is none.

    Raises discord.HTTPException.
    """
    mark, since = best_mark(best), (best.begun_at or best.since) - CLOCKS_DIFFER
    return await _find(channel, author_id, lambda found: _marked(found, mark), since)


async def find_notice(channel: discord.abc.Messageable, author_id: int, notice: Notice) -> int | None:
    """Return the id of the message with the notice, or None if there is none, or we may not look.

    Raises discord.HTTPException.
    """
    mark = mark_of(notice)
    try:
        return await _find(channel, author_id, lambda found: _marked(found, mark), None)
    except discord.Forbidden:
        return None  # the nonce is all there is then


async def _find(
    channel: discord.abc.Messageable,
    author_id: int,
    wanted: Callable[[Iterable[Any]], bool],
    since: discord.abc.Snowflake | datetime | None,
) -> int | None:
    looks = [channel.history(limit=LOOK_BACK)]
    if since is not None:
        looks.append(channel.history(limit=LOOK_BACK, after=since, oldest_first=True))
    for look in looks:
        async for message in look:
            if message.author.id == author_id and wanted(message.components):
                return message.id
    return None


def _marked(components: Iterable[Any], mark: int) -> bool:
    return any(getattr(component, "id", None) == mark for component in components)


def _has(components: Iterable[Any], custom_id: str) -> bool:
    return any(
        getattr(component, "custom_id", None) == custom_id
        or _has(getattr(component, "children", ()), custom_id)
        for component in components
    )

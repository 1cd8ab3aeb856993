"""Make the messages that show starred results, and the questions whether they may be shown."""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import discord

from bot.delivery.context import DeliveryContext
from bot.delivery.errors import RETRY_SECONDS, ensure_final
from bot.delivery.posts import Content, Recipient, Refuse, Renderer
from bot.engine.workers.best_results import Starred
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.jobs.best_results import BEST_ASK
from bot.posts import Later, Never, Post
from bot.reasons import ReasonCode
from bot.ui.best_results.panels import ask_maker, best_panel
from bot.ui.jobs.wording import link_of
from bot.ui.kit.discord_errors import NO_ACCESS
from bot.ui.reading.permissions import is_age_restricted, stays_there
from bot.ui.reading.photo_lookup import shows_before

_log = logging.getLogger(__name__)

MAX_FILES = 10  # of a message

Read = Callable[[str, int], Awaitable[bytes]]
"""Read a file from Discord, up to a number of bytes. Raises `PhotoUnavailable`, or `PhotoDelayed`."""


class BestMessages(Renderer):
    """Makes the messages, one at a time: their files are held in memory meanwhile."""

    def __init__(self, context: DeliveryContext, read: Read) -> None:
        self._context, self._read = context, read
        self.turn = asyncio.Lock()

    async def message(self, post: Post, starred: Starred, there: Recipient, room: int) -> Content:
        """Return the result with its files as they were posted, or the question whether it may be shown."""
        job, rules = starred
        names, guild = self._context.names, self._context.client.get_guild(post.guild_id)
        channel_id, message_id = int(post.details["channel"] or 0), int(post.details["message"] or 0)
        link = link_of(post.guild_id, channel_id, message_id)
        if post.kind == BEST_ASK:
            server = "" if guild is None else guild.name
            return Content(ask_maker(job, link, server, rules.best_channel_id or 0, names))
        if guild is not None and not self._may_be_there(guild, channel_id, starred, there.channel.id):
            _log.info("Server %d: a result stays in its channel, which is not for everyone", post.guild_id)
            raise Refuse(Never())
        channel = self._context.client.get_partial_messageable(channel_id, guild_id=post.guild_id)
        try:
            message = await channel.get_partial_message(message_id).fetch()
        except NO_ACCESS as error:
            ensure_final(error)
            raise Refuse(Never()) from error
        media = [one for one in _media(message.components) if not shows_before(one.media.url)][:MAX_FILES]
        files = await self._files(media, room) if room > 0 else []
        return Content(best_panel(job, link, names, rules, list(zip(files, media, strict=False))), files)

    def _may_be_there(
        self, guild: discord.Guild, channel_id: int, starred: Starred, best_channel_id: int
    ) -> bool:
        """Return whether all who see the channel for the best may see what was posted in the other one."""
        there = guild.get_channel_or_thread(best_channel_id)
        # A thread that was archived is in no cache; results in threads are asked for in their channel.
        here = guild.get_channel_or_thread(channel_id) or guild.get_channel_or_thread(starred.job.channel_id)
        age_restricted = stays_there(self._context.client, starred.job) or bool(is_age_restricted(here))
        if age_restricted and not is_age_restricted(there):
            return False
        return _hidden(guild, there) or not _hidden(guild, here)

    async def _files(self, media: list[discord.MediaGalleryItem], room: int) -> list[discord.File]:
        """Read the files, as they were posted, as long as there is room for them in a message."""
        files: list[discord.File] = []
        for one in media:
            try:
                data = await self._read(one.media.url, room)
            except PhotoDelayed as error:
                raise Refuse(Later(RETRY_SECONDS, unsent=True)) from error
            except PhotoUnavailable as error:
                if error.told.code is ReasonCode.PHOTO_LARGER_THAN_TAKEN:
                    break
                raise Refuse(Never("its file is gone")) from error
            room -= len(data)
            name = one.media.url.partition("?")[0].rpartition("/")[2].removeprefix("SPOILER_")
            files.append(discord.File(io.BytesIO(data), name))
        return files


def _media(components: Iterable[Any]) -> Iterator[discord.MediaGalleryItem]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield from component.items
        yield from _media(getattr(component, "children", ()))


def _hidden(guild: discord.Guild, channel: Any) -> bool:
    """Return whether not everyone sees the channel, or the thread's channel."""
    if isinstance(channel, discord.Thread):
        if channel.is_private():
            return True
        channel = channel.parent  # None if it is unknown
    return channel is None or not channel.permissions_for(guild.default_role).view_channel

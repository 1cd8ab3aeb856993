"""Showing starred results in the channel for the best, and taking them back."""

import io
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import discord

from bot.delivery.calls import answer_within, error_within, unless_too_large
from bot.delivery.context import DeliveryContext
from bot.delivery.destination import known_channel
from bot.delivery.errors import outcome_there, outcome_to_tell, seconds_until_again, seconds_until_retry
from bot.delivery.history import NONCE_SECONDS, find_best
from bot.errors import PhotoDelayed, PhotoUnavailable
from bot.features.posting import PostingRules
from bot.jobs.best_results import BestResult
from bot.jobs.delivery import Announcement, ChannelGone, Posted, TryLater, Undeliverable
from bot.jobs.models import Job
from bot.languages import speaking
from bot.ui.best_results.panels import ask_maker, best_panel
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.kit.uploads import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES
from bot.ui.reading.permissions import is_age_restricted, missing_to_post, stays_there
from bot.ui.reading.photo_lookup import shows_before

SHOW_SECONDS = 100.0
MAX_FILES = 10  # of a message

Read = Callable[[str, int], Awaitable[bytes]]
"""Read a file from Discord, up to a number of bytes. Raises `PhotoUnavailable`, or `PhotoDelayed`."""


class BestPoster:
    """Shows starred results, each once however often it is tried."""

    def __init__(self, context: DeliveryContext, read: Read) -> None:
        self._context = context
        self._read = read

    async def show(self, best: BestResult, job: Job, rules: PostingRules) -> Announcement | ChannelGone:
        """Show the result in the channel for the best, with its file as it was posted."""
        try:
            with speaking(await self._context.readers.in_server(best.guild_id)):
                return await answer_within(SHOW_SECONDS, self._show(best, job, rules), outcome_there)
        except PhotoDelayed:
            return TryLater(seconds_until_retry(TimeoutError()))
        except PhotoUnavailable:
            return Undeliverable("its file is gone")

    async def hide(self, best: BestResult, rules: PostingRules) -> float | None:
        """Remove what shows the result, also if it is not stored where that is.

        Return in how many seconds to try again, if it can't be done now.
        """
        if best.begun_at is None:
            return None
        error = await error_within(SHOW_SECONDS, self._hide(best, rules.best_channel_id))
        return seconds_until_again(error, "Server %d: a best result could not be removed", best.guild_id)

    async def ask(self, best: BestResult, job: Job, rules: PostingRules) -> Announcement:
        """Ask the maker by DM whether their results may be shown."""
        guild = self._context.client.get_guild(best.guild_id)
        if guild is None:
            return TryLater(seconds_until_retry(TimeoutError()))
        with speaking(await self._context.readers.of_person(best.user_id, best.guild_id)):
            view = ask_maker(job, best, guild.name, rules.best_channel_id or 0, self._context.names)
        return await answer_within(SHOW_SECONDS, self._ask(best.user_id, view), outcome_to_tell)

    async def _ask(self, user_id: int, view: Panel) -> Posted:
        dm = await self._context.client.create_dm(discord.Object(user_id))
        return Posted((await dm.send(view=view, nonce=f"best-{user_id}")).id)

    async def _show(self, best: BestResult, job: Job, rules: PostingRules) -> Announcement | ChannelGone:
        channel_id = rules.best_channel_id or 0
        refusal = self._refusal(best, job, channel_id)
        if refusal is not None:
            return refusal
        channel = self._context.client.get_partial_messageable(channel_id, guild_id=best.guild_id)
        if self._may_be_there(best) and (found := await find_best(channel, self._context.client, best)):
            return Posted(found, channel_id)
        try:
            message = await self._original(best).fetch()
        except discord.NotFound:
            return Undeliverable("the result was deleted")
        media = [one for one in _media(message.components) if not shows_before(one.media.url)][:MAX_FILES]
        files = await self._files(media, best.guild_id)
        try:
            view = best_panel(job, best, self._context.names, rules, list(zip(files, media, strict=False)))
            sent = await unless_too_large(
                channel.send(view=view, files=files, nonce=best.nonce, allowed_mentions=NO_MENTIONS)
            )
            if sent is None:
                view = best_panel(job, best, self._context.names, rules, [])
                sent = await channel.send(view=view, nonce=best.nonce, allowed_mentions=NO_MENTIONS)
        finally:
            for file in files:
                file.close()
        return Posted(sent.id, channel_id)

    def _refusal(self, best: BestResult, job: Job, channel_id: int) -> Undeliverable | ChannelGone | None:
        """Return why the result may not, or can't, be shown there."""
        guild = self._context.client.get_guild(best.guild_id)
        there = guild.get_channel_or_thread(channel_id) if guild is not None else None
        # A thread that was archived is in no cache; results in threads are asked for in their channel.
        here = guild and (
            guild.get_channel_or_thread(best.channel_id) or guild.get_channel_or_thread(job.channel_id)
        )
        known = known_channel(self._context.client, best.guild_id, channel_id)
        if known is not None and (missing := missing_to_post(known[1].permissions_for(known[0]), known[1])):
            return ChannelGone(f"the bot lacks {', '.join(missing)}")
        age_restricted = stays_there(self._context.client, job) or bool(is_age_restricted(here))
        if age_restricted and not is_age_restricted(there):
            return Undeliverable("results from age-restricted channels stay there")
        if guild is not None and _hidden(guild, here) and not _hidden(guild, there):
            return Undeliverable("its channel is not for everyone")
        return None

    async def _files(self, media: list[discord.MediaGalleryItem], guild_id: int) -> list[discord.File]:
        """Read the files, as they were posted, as long as there is room for them in a message."""
        guild = self._context.client.get_guild(guild_id)
        room = (guild.filesize_limit if guild is not None else DEFAULT_LIMIT) - MESSAGE_MARGIN_BYTES
        files: list[discord.File] = []
        for one in media:
            data = await self._read(one.media.url, room + MESSAGE_MARGIN_BYTES)
            room -= len(data)
            if room < 0 and files:
                break
            name = one.media.url.partition("?")[0].rpartition("/")[2].removeprefix("SPOILER_")
            files.append(discord.File(io.BytesIO(data), name))
        return files

    async def _hide(self, best: BestResult, best_channel_id: int | None) -> None:
        channel_id = best.posted_channel_id or best_channel_id
        if channel_id is None:
            return
        there = self._context.client.get_partial_messageable(channel_id, guild_id=best.guild_id)
        found = best.posted_message_id or await find_best(there, self._context.client, best)
        if found is not None:
            await there.get_partial_message(found).delete()

    def _original(self, best: BestResult) -> discord.PartialMessage:
        channel = self._context.client.get_partial_messageable(best.channel_id, guild_id=best.guild_id)
        return channel.get_partial_message(best.message_id)

    def _may_be_there(self, best: BestResult) -> bool:
        """Return whether it may have been posted so long ago that Discord has forgotten the nonce."""
        begun = best.begun_at
        return begun is not None and (self._context.clock.now() - begun).total_seconds() > NONCE_SECONDS


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

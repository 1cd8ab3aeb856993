"""Posting what a server's admins are told."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import discord

from bot.clock import Clock
from bot.delivery.errors import Outcome, outcome_of, seconds_until_retry
from bot.domain import Announcement, ChannelGone, Job, Notice, Posted, TryLater, Undeliverable
from bot.ui.admin.log import missing_there
from bot.ui.admin.notices import mark_of, notice_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.reading.permissions import parent_unknown, stays_there

log = logging.getLogger(__name__)

SEND_SECONDS = 30.0
NONCE_SECONDS = 120.0  # for a few minutes Discord itself knows a message by its nonce
LOOK_BACK = 100  # messages
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
_PLACE_GONE = frozenset({10003, 10004, 50001, 50013, 50083})  # 50083: an archived thread


class NoticePoster:
    """Posts notices in log channels, or sends them to owners."""

    def __init__(self, client: discord.Client, names: ToolNames, clock: Clock) -> None:
        self._client = client
        self._names = names
        self._clock = clock

    async def post(
        self, notice: Notice, channel_id: int | None, job: Job | None
    ) -> Announcement | ChannelGone:
        """Post it there (None: to the owner), once however often it is tried."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                if channel_id is None:
                    return await self._to_owner(notice, job)
                return await self._to_channel(notice, channel_id, job)
        except DISCORD_ERRORS as error:
            return _failed(error, in_channel=channel_id is not None)

    async def _to_channel(
        self, notice: Notice, channel_id: int, job: Job | None
    ) -> Announcement | ChannelGone:
        missing = self.missing(notice.guild_id, channel_id)
        if missing:
            return ChannelGone(f"the bot lacks {', '.join(missing)}")
        channel = self._client.get_partial_messageable(channel_id, guild_id=notice.guild_id)
        return await self._send(channel, notice, job)

    async def _to_owner(self, notice: Notice, job: Job | None) -> Announcement:
        guild = self._client.get_guild(notice.guild_id)
        if guild is None:
            # Before the gateway is ready no server is known; one that the bot has left never will be.
            return TryLater(5.0)
        if guild.owner_id is None:
            return Undeliverable("the server's owner is unknown")
        channel = await self._client.create_dm(discord.Object(guild.owner_id))
        return await self._send(channel, notice, job, server=guild.name)

    async def _send(
        self, channel: discord.abc.Messageable, notice: Notice, job: Job | None, server: str | None = None
    ) -> Posted:
        if (self._clock.now() - notice.created_at).total_seconds() > NONCE_SECONDS:
            found = await self._posted_before(channel, mark_of(notice))
            if found is not None:
                return Posted(found)
        hidden = job is not None and stays_there(self._client, job)
        message = await channel.send(
            view=notice_panel(notice, self._names, job, server, hidden=hidden),
            nonce=notice.nonce,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        return Posted(message.id)

    async def _posted_before(self, channel: discord.abc.Messageable, mark: int) -> int | None:
        own_id = self._client.user.id if self._client.user else 0
        try:
            async for message in channel.history(limit=LOOK_BACK):
                if message.author.id == own_id and _has(message.components, mark):
                    return message.id
        except discord.Forbidden:
            return None  # we may not look; the nonce is all there is then
        return None

    def missing(self, guild_id: int, channel_id: int) -> list[str]:
        """Return the permissions that the bot lacks there for posting.

        None of them if that is unknown: then Discord refuses the message itself.
        """
        guild = self._client.get_guild(guild_id)
        channel = guild.get_channel_or_thread(channel_id) if guild else None
        if guild is None or channel is None:
            return []
        if parent_unknown(channel):
            return []
        return missing_there(guild, channel)


def _has(components: Iterable[Any], mark: int) -> bool:
    return any(getattr(component, "id", None) == mark for component in components)


def _failed(error: Exception, *, in_channel: bool) -> Announcement | ChannelGone:
    if isinstance(error, discord.HTTPException) and error.code in _PLACE_GONE and in_channel:
        return ChannelGone(str(error))
    match outcome_of(error):
        case Outcome.LATER:
            return TryLater(seconds_until_retry(error))
        case Outcome.WAS_DELETED:
            return Posted(None)
        case Outcome.NEVER | Outcome.TOO_LARGE:
            return Undeliverable(str(error))

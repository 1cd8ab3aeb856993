"""Stars under results: when a result has enough of them, it is shown in the channel for the best."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot import posts
from bot.clock import Clock
from bot.jobs import best_results
from bot.jobs.models import Job
from bot.reactions.events import Backlog, Cleared, emoji_of
from bot.resources import Resources
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS
from bot.ui.reading.permissions import channel_in, fetched_member, moderates_in

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Starred:
    """Stars under a message of the bot's were given or removed. `moderator`: one of those who gave them."""

    guild_id: int
    channel_id: int
    message_id: int
    moderator: int | None = None
    given: bool | None = None  # or removed; None: it is not known what has changed


class BestResultWatch:
    """Looks at results under which stars were given, and at shown ones that lost some.

    What else happens under messages costs no request: stars count under the bot's own messages alone, where a
    server shows its best results, and removals under results that are known to have stars.
    The stars themselves are not stored. Discord is asked how many there are, so that those that were given
    while the bot was away count with the next one.
    """

    def __init__(self, client: discord.Client, resources: Resources, clock: Clock) -> None:
        self._client, self._resources, self._clock = client, resources, clock
        self.waiting: Backlog[_Starred] = Backlog(
            "starred results",
            self._look_at,
            bound=400,  # twice what `catch_up` looks at
            bound_in_all=2000,
            at_once=4,
            abreast=2,
            after=lambda one, earlier: one.message_id == earlier.message_id,
        )

    async def catch_up(self) -> None:
        """Look at what may have changed while the bot was away: the latest shown results, and the latest
        results of a day."""
        now = self._clock.now()
        shown = await self._resources.db.write(best_results.known, 100, now)
        for best in shown:
            self._put(_Starred(best.guild_id, int(best.details["channel"]), int(best.key)))
        for place in await self._resources.db.read(best_results.recent, now - timedelta(days=1), 100):
            self._put(_Starred(*place))

    def starred(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own, member = self._client.user, event.member
        if event.guild_id is None or member is None or member.bot or not _is_star(event.emoji):
            return
        if own is None or event.message_author_id != own.id:
            return
        channel = channel_in(member.guild, event.channel_id)
        moderator = member.id if moderates_in(member, channel) else None
        self._put(_Starred(event.guild_id, event.channel_id, event.message_id, moderator, given=True))

    def unstarred(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction."""
        if event.guild_id is not None and _is_star(event.emoji):
            self._put(_Starred(event.guild_id, event.channel_id, event.message_id, given=False))

    async def cleared(self, event: Cleared) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        one = isinstance(event, discord.RawReactionClearEmojiEvent)
        if event.guild_id is not None and (not one or _is_star(event.emoji)):
            await self.deleted(event.guild_id, [event.message_id])

    async def deleted(self, guild_id: int | None, message_ids: Collection[int]) -> None:
        """Handle deleted messages."""
        keys = [str(one) for one in message_ids]
        if guild_id is not None and await self._resources.db.read(
            posts.known, guild_id, best_results.BEST, *keys
        ):
            await self._resources.db.write(best_results.unwant, guild_id, message_ids, self._clock.now())

    def _put(self, starred: _Starred) -> None:
        if self._client.get_guild(starred.guild_id) is not None:
            # All its stars are counted at once.
            self.waiting.put(starred.guild_id, starred, instead_of=starred.__eq__)

    async def _look_at(self, starred: _Starred) -> None:
        for _ in range(3):
            if await self._decide(starred):
                return
            await asyncio.sleep(2.0)

    async def _decide(self, starred: _Starred) -> bool:
        """Have the result shown, or taken back. Return False if that can't be told yet."""
        db = self._resources.db
        rules, best, job = await db.read(best_results.known_of, starred.guild_id, starred.message_id)
        known = best is not None and best.wanted
        if rules.best_channel_id is None or starred.given is known:
            return True  # it is shown, or waits for its maker's answer; or it never was
        if job is None:
            # A result's message is there a moment before it is stored.
            age = self._clock.now() - discord.utils.snowflake_time(starred.message_id)
            return age > timedelta(seconds=60)
        enough = starred.moderator not in {None, job.user_id}
        try:
            enough = enough or await self._has_enough(starred, job, rules.best_stars)
        except NO_ACCESS:
            pass
        except DISCORD_ERRORS as error:
            _log.info("The stars of a result could not be counted: %r", error)
            return False
        now = self._clock.now()
        if enough:
            await db.write(best_results.want, job.id, starred.channel_id, starred.message_id, now)
        elif known:
            await db.write(best_results.unwant, starred.guild_id, [starred.message_id], now)
        return True

    async def _has_enough(self, starred: _Starred, job: Job, needed: int) -> bool:
        channel = self._client.get_partial_messageable(starred.channel_id, guild_id=starred.guild_id)
        message = await channel.fetch_message(starred.message_id)
        stars = next((one for one in message.reactions if _is_star(one.emoji)), None)
        if stars is None:
            return False
        fans: list[int] = []
        async for user in stars.users():
            # One's own star doesn't count.
            if not user.bot and user.id != job.user_id:
                fans.append(user.id)
            if len(fans) >= needed:
                return True
        # Those who give stars while the bot is there are known from their own events.
        return not starred.given and await self._any_moderates(starred, fans)

    async def _any_moderates(self, starred: _Starred, user_ids: Collection[int]) -> bool:
        guild = self._client.get_guild(starred.guild_id)
        for user_id in user_ids:
            member = None if guild is None else await fetched_member(guild, user_id)
            if member is not None and moderates_in(member, channel_in(guild, starred.channel_id)):
                return True
        return False


def _is_star(emoji: discord.PartialEmoji | discord.Emoji | str) -> bool:
    return emoji_of(emoji).key == best_results.STAR

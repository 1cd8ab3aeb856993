"""Stars under results: when a result has enough of them, it is shown in the channel for the best."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot.aio.tasks import BoundedDict
from bot.clock import Clock
from bot.features import posting
from bot.jobs import best_results
from bot.jobs.best_results import STAR
from bot.jobs.models import Job
from bot.posts import Post
from bot.reactions.events import Backlog, Cleared, emoji_of
from bot.services import Services
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS, tolerated
from bot.ui.reading.permissions import channel_in, fetched_member, moderates_in

_log = logging.getLogger(__name__)

MAX_STARS_OF_A_SERVER, MAX_REMEMBERED_STARS, STARS_AT_ONCE = 200, 2000, 4
MAX_REMEMBERED_STARRED = 20_000  # messages
# A result's message is there a moment before it is stored.
JUST_POSTED = timedelta(seconds=60)
# Of what may have changed while the bot was away.
MAX_CAUGHT_UP, MAX_CHANNELS, MAX_MESSAGES = 100, 25, 50
CAUGHT_UP = timedelta(days=1)  # how old results are that are looked at after a start
TRIES, PAUSE_SECONDS = 3, 2.0


@dataclass(frozen=True, slots=True)
class _Starred:
    """Stars under a message of the bot's were given or removed. `moderator`: one of those who gave them."""

    guild_id: int
    channel_id: int
    message_id: int
    moderator: int | None = None


class BestResultWatch:
    """Looks at results under which stars were given, and at shown ones that lost some.

    What else happens under messages costs no query and no request: stars count under the bot's own messages
    alone, where a server shows its best results, and removals under results that are known to have stars.
    The stars themselves are not stored. Discord is asked how many there are, so that those that were given
    while the bot was away count with the next one.
    """

    def __init__(self, client: discord.Client, services: Services, clock: Clock) -> None:
        self._client, self._services, self._clock = client, services, clock
        # Those that are shown or wait for their makers' answer.
        self._starred = BoundedDict[int, None](MAX_REMEMBERED_STARRED)
        self._waiting: Backlog[_Starred] = Backlog(
            "starred results",
            self._look_at,
            bound=MAX_STARS_OF_A_SERVER,
            bound_in_all=MAX_REMEMBERED_STARS,
            at_once=STARS_AT_ONCE,
            abreast=2,
            key=lambda starred: starred.message_id,
        )

    async def load(self) -> list[Post]:
        """Load which results have stars, and return those, the newest first."""
        now = self._clock.now()
        known = await self._services.db.write(best_results.known, MAX_REMEMBERED_STARRED, now)
        for post in reversed(known):
            self._starred[int(post.key)] = None
        return [post for post in known if post.wanted]

    async def catch_up(self) -> None:
        """Look at what may have changed while the bot was away: the latest shown results, and the latest
        results in channels where some were posted within a day."""
        since, shown = self._clock.now() - CAUGHT_UP, await self.load()
        channels = await self._services.db.read(best_results.channels, since, MAX_CHANNELS)
        for best in shown[:MAX_CAUGHT_UP]:
            self._put(_Starred(best.guild_id, int(best.details["channel"]), int(best.key)))
        for guild_id, channel_id in channels:
            await self._look_through(guild_id, channel_id)

    async def close(self) -> None:
        """Drop waiting work."""
        await self._waiting.close()

    def starred(self, event: discord.RawReactionActionEvent) -> None:
        """Handle an added reaction."""
        own, member = self._client.user, event.member
        if event.guild_id is None or member is None or member.bot or not _is_star(event.emoji):
            return
        if own is None or event.message_author_id != own.id:
            return
        if event.message_id in self._starred:
            return  # it is shown, or waits for its maker's answer
        channel = channel_in(member.guild, event.channel_id)
        moderator = member.id if moderates_in(member, channel) else None
        self._put(_Starred(event.guild_id, event.channel_id, event.message_id, moderator))

    def unstarred(self, event: discord.RawReactionActionEvent) -> None:
        """Handle a removed reaction."""
        if event.guild_id is None or not _is_star(event.emoji):
            return
        if event.message_id in self._starred:
            self._put(_Starred(event.guild_id, event.channel_id, event.message_id))

    async def cleared(self, event: Cleared) -> None:
        """Handle the removal of all reactions, or all of one emoji."""
        one = isinstance(event, discord.RawReactionClearEmojiEvent)
        if event.guild_id is not None and (not one or _is_star(event.emoji)):
            await self.deleted(event.guild_id, [event.message_id])

    async def deleted(self, guild_id: int | None, message_ids: Collection[int]) -> None:
        """Handle deleted messages."""
        gone = [one for one in message_ids if one in self._starred]
        if guild_id is not None and gone:
            await self._unwant(guild_id, gone)

    def _put(self, starred: _Starred) -> None:
        if self._client.get_guild(starred.guild_id) is not None:
            # All its stars are counted at once.
            self._waiting.withdraw(starred.guild_id, lambda waiting: waiting == starred)
            self._waiting.put(starred.guild_id, starred)

    async def _look_through(self, guild_id: int, channel_id: int) -> None:
        """Look at the results with stars among the channel's latest messages."""
        channel, own = self._client.get_partial_messageable(channel_id, guild_id=guild_id), self._client.user
        with tolerated("Stars from before the start could not be read"):
            async for message in channel.history(limit=MAX_MESSAGES):
                by_us = own is not None and message.author.id == own.id
                if by_us and any(_is_star(one.emoji) for one in message.reactions):
                    self._put(_Starred(guild_id, channel_id, message.id))

    async def _look_at(self, starred: _Starred) -> None:
        for _ in range(TRIES):
            if await self._decide(starred):
                return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _decide(self, starred: _Starred) -> bool:
        """Have the result shown, or taken back. Return False if that can't be told yet."""
        db = self._services.db
        rules = await db.read(posting.of, starred.guild_id)
        if rules.best_channel_id is None:
            return True
        job = await db.read(best_results.result_of, starred.guild_id, starred.message_id)
        if job is None:
            return self._clock.now() - discord.utils.snowflake_time(starred.message_id) > JUST_POSTED
        enough = starred.moderator not in {None, job.user_id}
        try:
            enough = enough or await self._has_enough(starred, job, rules.best_stars)
        except NO_ACCESS:
            pass
        except DISCORD_ERRORS as error:
            _log.info("The stars of a result could not be counted: %r", error)
            return False
        if not enough and starred.message_id in self._starred:
            await self._unwant(starred.guild_id, [starred.message_id])
        there = job.id, starred.channel_id, starred.message_id
        if enough and await db.write(best_results.want, *there, self._clock.now()):
            self._starred[starred.message_id] = None
        return True

    async def _unwant(self, guild_id: int, message_ids: Collection[int]) -> None:
        await self._services.db.write(best_results.unwant, guild_id, message_ids, self._clock.now())
        for message_id in message_ids:
            self._starred.pop(message_id, None)

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
        # One that is shown may have been starred by a moderator; the others' own event says so.
        return starred.message_id in self._starred and await self._any_moderates(starred, fans)

    async def _any_moderates(self, starred: _Starred, user_ids: Collection[int]) -> bool:
        guild = self._client.get_guild(starred.guild_id)
        for user_id in user_ids:
            member = None if guild is None else await fetched_member(guild, user_id)
            if member is not None and moderates_in(member, channel_in(guild, starred.channel_id)):
                return True
        return False


def _is_star(emoji: discord.PartialEmoji | discord.Emoji | str) -> bool:
    return emoji_of(emoji).key == STAR

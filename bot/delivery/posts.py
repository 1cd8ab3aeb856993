"""Send, edit, delete and find posts, and decide from Discord's answer what becomes of them."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast

import discord

from bot.delivery.messages import (
    MESSAGES,
    RETRY_SECONDS,
    Content,
    DeliveryContext,
    Recipient,
    ensure_final,
    may_pass,
    notice,
    too_large,
)
from bot.jobs.results import HOURGLASS, HOURGLASS_SIGN, EndOfJobs
from bot.languages import Language, speaking
from bot.posts import (
    BEST,
    LEFT,
    MONTH,
    RESULT,
    SENT_SINCE,
    Gone,
    Later,
    Never,
    NotHere,
    Outcome,
    Post,
    Refuse,
    Stands,
)
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS
from bot.ui.kit.forms import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES
from bot.ui.kit.layout import custom_ids
from bot.ui.reading.permissions import READ_MESSAGE_HISTORY, channel_in, missing_to_post

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
ALREADY_THERE = 160004  # a thread
# The channel, or the server, is closed to the bot or gone; 50083 is an archived thread.
_PLACE_CLOSED = frozenset({50001, 50013, 50083})
_PLACE_GONE = frozenset({10003, 10004})
UNKNOWN_SERVER_SECONDS = 5.0
PATIENCE = 300.0  # seconds for a message to be made and sent
LOOK_BACK = 100  # messages: as many as Discord gives at once
LOOK_THROUGH = 1000  # where one may well be: what a busy channel writes while a message can't be sent
# Message ids hold Discord's time, `created_at` is ours.
CLOCKS_DIFFER = timedelta(minutes=2)
EXPIRED = NotHere("")  # the interaction's token, as is usual: nothing for the log


def told(
    request: Callable[Concatenate["DiscordDelivery", Post, _P], Awaitable[Outcome]],
) -> Callable[Concatenate["DiscordDelivery", Post, _P], Awaitable[Outcome]]:
    """Return the errors of the platform that the request meets as what came of it."""

    @wraps(request)
    async def asked(self: "DiscordDelivery", post: Post, *args: _P.args, **more: _P.kwargs) -> Outcome:
        try:
            async with asyncio.timeout(PATIENCE):
                return await request(self, post, *args, **more)
        except Refuse as refusal:
            return refusal.outcome
        except DISCORD_ERRORS as error:
            _log.info("Post %d (%s): %r", post.id, post.kind, error, extra={"job": post.job_id})
            return outcome_of_post(error, by_dm=not post.is_in_channel, moves=post.kind == RESULT)

    return asked


class DiscordDelivery:
    """The messages of posts. Each method returns what came of it, and raises no error of the platform."""

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context
        self._best = asyncio.Lock()  # one at a time: their files are held in memory meanwhile

    @told
    async def send(self, post: Post, shown: Any) -> Outcome:
        """Send the message; twice with the same nonce, it is there once."""
        if post.kind == HOURGLASS:  # which notifies no one, and can be repeated
            photo = (await self._target(post)).channel.get_partial_message(int(post.key))
            known = self._known(post.guild_id, photo.channel.id)
            if known is not None and not known[1].add_reactions:
                return Never()
            await photo.add_reaction(HOURGLASS_SIGN)
            return Stands(photo.id)
        there = await (self._open(post, shown) if post.place[0] in "ti" else self._target(post))
        guild = None if post.place[0] in "uo" else self._context.client.get_guild(post.guild_id)
        limit = DEFAULT_LIMIT if guild is None else guild.filesize_limit
        while True:
            async with self._made(post, shown, there, limit) as made:
                replies, tried = self._may_reply(post, file=bool(made.files)), sum(map(_size, made.files))
                shows: dict[str, Any] = {"view": made.view, "allowed_mentions": made.mentions}
                try:
                    if post.place[0] == "i":
                        replace = self._context.answers.replace
                        said = await replace(shown.job, attachments=made.files or (), **shows)
                    else:
                        said = await there.channel.send(
                            content=made.text or None,
                            files=made.files or None,
                            nonce=post.nonce,
                            reference=made.reply_to if replies else None,
                            silent=made.silent,
                            **shows,
                        )
                    return EXPIRED if said is None else Stands(said.id)
                except discord.HTTPException as error:
                    if not made.files or not too_large(error):
                        raise
            # The server takes less than we thought: the usual limit, then half of what was refused, or none.
            limit = DEFAULT_LIMIT if limit > DEFAULT_LIMIT else min(limit, tried) // 2
            limit = limit if limit >= 128 * 1024 else 0

    @told
    async def edit(self, post: Post, shown: Any) -> Outcome:
        """Let a notice show what is so now, without files, and a month. Other messages stay as they are."""
        if MESSAGES.get(post.kind) is not notice and post.kind != MONTH:
            return Stands(post.message_id or 0)
        there, message_id = await self._target(post), post.message_id or 0
        async with self._made(post, shown, there, DEFAULT_LIMIT if post.kind == MONTH else 0) as made:
            message = there.channel.get_partial_message(message_id)
            await message.edit(view=made.view, attachments=made.files, allowed_mentions=made.mentions)
        return Stands(message_id)

    @told
    async def delete(self, post: Post) -> Outcome:
        """Delete the message."""
        if post.place[0] == "i":
            return Gone()  # another message is in its place, or it vanishes by itself
        there = await self._target(post)
        message = there.channel.get_partial_message(post.message_id or 0)
        if post.kind == HOURGLASS:
            await message.remove_reaction(HOURGLASS_SIGN, cast(discord.ClientUser, self._context.client.user))
        else:
            await message.delete()
        return Gone()

    @told
    async def find(self, post: Post, begun: datetime | None) -> Outcome:
        """Look for the message where it may have been sent without our knowing."""
        if post.place[0] == "i":
            return Gone()  # put there once more, it is seen once
        there = await self._target(post)
        since, most = begun, LOOK_THROUGH
        if since is None:
            earlier = int(post.details.get(SENT_SINCE) or post.created_at.timestamp())
            since, most = datetime.fromtimestamp(earlier, UTC), LOOK_BACK
        # An ordinary message has no number of ours.
        buttons = {f"studii:{one}:{post.key}" for one in ("more", "delete")}
        marks = {post.mark, 1_000_000_000 + post.id % 1_000_000_000}  # the second: as earlier versions had it
        try:
            if post.kind == HOURGLASS:
                photo = await there.channel.fetch_message(int(post.key))
                ours = any(one.me and one.emoji == HOURGLASS_SIGN for one in photo.reactions)
                return Stands(photo.id) if ours else Gone()
            latest = there.channel.history(limit=LOOK_BACK)
            first = there.channel.history(limit=most, after=since - CLOCKS_DIFFER, oldest_first=True)
            for page in (latest, first):
                async for message in page:
                    ids = {getattr(one, "id", None) for one in message.components}
                    mine = not marks.isdisjoint(ids) or not buttons.isdisjoint(custom_ids(message.components))
                    if mine and message.author == self._context.client.user:
                        return Stands(message.id)
        except NO_ACCESS as error:
            ensure_final(error)  # else we may not look, or it is gone; the nonce is all there is then
        return Gone()

    @asynccontextmanager
    async def _made(self, post: Post, shown: Any, there: Recipient, limit: int) -> AsyncGenerator[Content]:
        """Make the message in its readers' language, and close its files at the end."""
        readers = self._context.readers
        if there.person is None:
            language = await readers.in_server(post.guild_id)
        else:
            language = await readers.of_person(there.person, post.guild_id)
        async with self._best if post.kind in {BEST, MONTH} else nullcontext():
            with speaking(language):
                room = limit - MESSAGE_MARGIN_BYTES
                made = await MESSAGES[post.kind](self._context, post, shown, there, room)
            made.view.children[0].id = post.mark
            try:
                yield made
            finally:
                for file in made.files:
                    file.close()

    def _may_reply(self, post: Post, *, file: bool) -> bool:
        """Return whether the history can be read. Raises `Refuse` if nothing can be posted there."""
        known = self._known(post.guild_id, int(post.place[1:])) if post.is_in_channel else None
        missing = [] if known is None else missing_to_post(known[1], known[0], file=file)
        # Without reading the history, the nonce alone keeps it from being sent twice.
        if lacking := [one for one in missing if one != READ_MESSAGE_HISTORY]:
            with speaking(Language.ENGLISH):  # for the log
                raise Refuse(NotHere(f"the bot lacks {', '.join(map(str, lacking))}"))
        return not missing

    def _known(
        self, guild_id: int, channel_id: int
    ) -> tuple[discord.abc.GuildChannel | discord.Thread, discord.Permissions] | None:
        """Return the channel, and what the bot may do there.

        None if that is unknown: then Discord refuses the message itself.
        """
        guild = self._context.client.get_guild(guild_id)
        channel = channel_in(guild, channel_id)
        return None if guild is None or channel is None else (channel, channel.permissions_for(guild.me))

    async def _target(self, post: Post) -> Recipient:
        client, number = self._context.client, int(post.place[1:])
        if client.user is None:  # the first posts after a start are due before the login
            raise Refuse(Later(UNKNOWN_SERVER_SECONDS, unsent=True))
        if post.is_in_channel:
            return Recipient(client.get_partial_messageable(number, guild_id=post.guild_id))
        guild = client.get_guild(post.guild_id)
        if guild is None:  # before the gateway is ready no server is known
            raise Refuse(LEFT if client.is_ready() else Later(UNKNOWN_SERVER_SECONDS, unsent=True))
        person = guild.owner_id if post.place[0] == "o" else number
        if person is None:
            raise Refuse(Never("the server's owner is unknown"))
        return Recipient(await client.create_dm(discord.Object(person)), person)

    async def _open(self, post: Post, shown: EndOfJobs) -> Recipient:
        """Return the thread for a result, which is made, or the answer that only its person sees."""
        job, client, above = shown.job, self._context.client, int(post.place[1:])
        if post.place[0] == "i":
            # The answer of a set says more than one end; a result that is shown again has an answer of its
            # own.
            if shown.complete and (job.set_id is None or job.posting > 0 or job.posted_with_set):
                return Recipient(None, job.user_id)
            raise Refuse(EXPIRED)
        # By ids alone: before the gateway is ready, no channel is in the cache. The thread has the id of the
        # message that it is under, so it is found after a restart.
        channel = client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)
        try:
            name = self._context.catalog.title(job.tool)[:100]  # as much as Discord takes
            await channel.get_partial_message(above).create_thread(name=name)
        except discord.HTTPException as error:
            if error.code != ALREADY_THERE:
                ensure_final(error)
                raise Refuse(NotHere(f"there can't be a thread: {error}")) from error
        except ValueError:  # the server is not known yet, as before the gateway is ready
            raise TimeoutError from None
        return Recipient(client.get_partial_messageable(above, guild_id=job.guild_id))


def _size(file: discord.File) -> int:
    size = file.fp.seek(0, os.SEEK_END)
    file.fp.seek(0)
    return size


def outcome_of_post(error: Exception, *, by_dm: bool, moves: bool) -> Outcome:
    """Return what became of a post whose sending, edit or removal raised the error.

    `moves`: another place is tried for any reason.
    """
    if isinstance(error, discord.RateLimited):
        return Later(max(RETRY_SECONDS, error.retry_after), unsent=True)
    if not isinstance(error, discord.HTTPException):
        return Later(RETRY_SECONDS)
    if may_pass(error):
        pause = 60.0 if error.status == 401 else RETRY_SECONDS
        return Later(pause, unsent=error.status in {401, 429})
    if error.status == 404 and error.code == UNKNOWN_MESSAGE:
        return Gone()  # posted before, and deleted since
    closed, gone = error.code in _PLACE_CLOSED, error.code in _PLACE_GONE
    elsewhere = (by_dm and error.status == 403) or (moves and not too_large(error))
    return NotHere(str(error), closed=closed) if closed or gone or elsewhere else Never(str(error))

"""Send, edit, delete and find posts, and decide from Discord's answer what becomes of them."""

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Protocol

import discord

from bot.catalog import Catalog
from bot.clock import Clock
from bot.features.posting import PostingRules
from bot.jobs.models import Job
from bot.jobs.results import HOURGLASS, HOURGLASS_SIGN
from bot.languages import ReaderLanguages, speaking
from bot.media.photo import Drawing
from bot.posts import LEFT, RESULT, SENT_SINCE, Gone, Later, Never, NotHere, Outcome, Post, Refuse, Stands
from bot.ui.kit.answers import DISCORD_ERRORS, NO_ACCESS, NO_MENTIONS
from bot.ui.kit.host import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES, custom_ids
from bot.ui.kit.layout import Panel
from bot.ui.reading.permissions import READ_MESSAGE_HISTORY, channel_in, missing_to_post


class ReplacedAnswers(Protocol):
    """Interactions' answers, in whose place a result can be shown."""

    def replaced(self, job: Job) -> AbstractAsyncContextManager[discord.Webhook | None]:
        """Yield what edits the answer that shows the job's progress, or None if Discord allows no edit."""
        ...


Rules = Callable[[int], Awaitable[PostingRules]]  # of a server


@dataclass(frozen=True, slots=True)
class DeliveryContext:
    """The client, the stores and the settings that the parts of the delivery work with."""

    client: discord.Client
    catalog: Catalog
    clock: Clock
    answers: ReplacedAnswers
    rules: Rules
    readers: ReaderLanguages
    drawing: Drawing


def known_channel(
    client: discord.Client, guild_id: int, channel_id: int
) -> tuple[discord.Member, discord.abc.GuildChannel | discord.Thread] | None:
    """Return the bot as a member, and the channel.

    None if it is unknown what the bot may do there: then Discord refuses the message itself.
    """
    guild = client.get_guild(guild_id)
    channel = channel_in(guild, channel_id)
    me = guild.get_member(client.user.id) if guild is not None and client.user is not None else None
    return None if me is None or channel is None else (me, channel)


def channel_of(client: discord.Client, job: Job) -> discord.PartialMessageable:
    """Return the job's channel.

    By its id alone: an archived thread, or any channel before the gateway is ready, is in no cache.
    """
    return client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)


def reply_to(guild_id: int, channel_id: int, message_id: int | None) -> discord.MessageReference | None:
    """Return what makes a message a reply to that one; deleted, it is replied to by nothing."""
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id, channel_id=channel_id, guild_id=guild_id, fail_if_not_exists=False
    )


# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
REQUEST_TOO_LARGE = 40005
# Said with a 403: trouble of Discord's own; and 0, as its refusals have a code and the page of what stands in
# front of it has none.
_NO_REFUSALS = frozenset({40333, 0})
# The channel, or the server, is gone or closed to the bot; 50083 is an archived thread.
_PLACE_GONE = frozenset({10003, 10004, 50001, 50013, 50083})
RETRY_SECONDS = 15.0
UNAUTHORISED_SECONDS = 60.0
UNKNOWN_SERVER_SECONDS = 5.0
LOOK_BACK = 100  # messages: as many as Discord gives at once
# Message ids hold Discord's time, `created_at` is ours.
CLOCKS_DIFFER = timedelta(minutes=2)
MIN_FILES_BYTES = 128 * 1024  # bytes; when that is too large, too, a message is sent without files


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message, whom it notifies, and what it replies to. A panel has no text beside it."""

    view: Panel | discord.ui.View
    files: Sequence[discord.File] = ()
    mentions: discord.AllowedMentions = NO_MENTIONS
    text: str = ""
    reply_to: discord.MessageReference | None = None
    silent: bool = False


class Renderer(ABC):
    """Makes the messages of some kinds of posts. One is made and sent within `turn`."""

    turn: AbstractAsyncContextManager[Any] = nullcontext()

    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    @abstractmethod
    async def message(self, post: Post, shown: Any, there: "Recipient", room: int, /) -> Content:
        """Return the message for that place, with at most `room` bytes of files; without room with none.

        Raises `Refuse` if it may not stand there.
        """

    async def open(self, post: Post, shown: Any, /) -> "Recipient":
        """Return a place that is not there by itself. Raises `Refuse`."""
        raise Refuse(NotHere(f"{post.kind} can't be shown in {post.place}, for {shown}"))

    def is_outdated(self, _message: discord.Message, /) -> bool:
        """Return whether the message that stands is to be edited. A press may have changed it already."""
        return False


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel of the server, or what that person alone reads."""

    channel: Any
    person: int | None = None


class DiscordPosts:
    """The messages of posts. Each method returns what came of it, and raises no error of the platform."""

    def __init__(self, context: DeliveryContext, renderers: Mapping[str, Renderer]) -> None:
        self._context, self._renderers = context, renderers

    async def send(self, post: Post, shown: Any) -> Outcome:
        """Send the message; twice with the same nonce, it is there once."""
        return await self._told(post, self._send(post, shown))

    async def edit(self, post: Post, shown: Any) -> Outcome:
        """Let the message show what is so now, without files."""
        return await self._told(post, self._edit(post, shown))

    async def delete(self, post: Post) -> Outcome:
        """Delete the message."""
        return await self._told(post, self._delete(post))

    async def find(self, post: Post) -> Outcome:
        """Look for the message where it may have been sent without our knowing."""
        return await self._told(post, self._find(post))

    async def _told(self, post: Post, request: Awaitable[Outcome]) -> Outcome:
        try:
            return await request
        except Refuse as refusal:
            return refusal.outcome
        except DISCORD_ERRORS as error:
            by_dm, moves = not post.is_in_channel, post.kind == RESULT
            return outcome_of_post(error, by_dm=by_dm, moves=moves)

    async def _send(self, post: Post, shown: Any) -> Outcome:
        if post.kind == HOURGLASS:
            return await self._react(post, await self._target(post))
        opens = post.place[0] in "ti"
        there = await (self._renderers[post.kind].open(post, shown) if opens else self._target(post))
        limit = DEFAULT_LIMIT if post.place[0] in "uo" else self.size_limit(post.guild_id)
        while True:
            async with self._made(post, shown, there, limit) as made:
                parts: dict[str, Any] = {"files": made.files} if made.files else {}
                parts |= {"content": made.text} if made.text else {}
                parts |= {"reference": made.reply_to} if made.reply_to is not None else {}
                parts |= {"silent": True} if made.silent else {}
                tried = sum(map(_size, made.files))
                sending = there.channel.send(
                    view=made.view, nonce=post.nonce, allowed_mentions=made.mentions, **parts
                )
                try:
                    return Stands((await sending).id)
                except discord.HTTPException as error:
                    if not made.files or not too_large(error):
                        raise
            # The server takes less than we thought: the usual limit, then half of what was refused.
            limit = DEFAULT_LIMIT if limit > DEFAULT_LIMIT else min(limit, tried) // 2
            limit = limit if limit >= MIN_FILES_BYTES else 0

    def size_limit(self, guild_id: int) -> int:
        """Return how many bytes of files a message in that server may have."""
        guild = self._context.client.get_guild(guild_id)
        return DEFAULT_LIMIT if guild is None else guild.filesize_limit

    async def _edit(self, post: Post, shown: Any) -> Outcome:
        there, message_id = await self._target(post), post.message_id or 0
        if self._renderers[post.kind].is_outdated(await there.channel.fetch_message(message_id)):
            async with self._made(post, shown, there, 0) as made:
                message = there.channel.get_partial_message(message_id)
                await message.edit(view=made.view, attachments=[], allowed_mentions=made.mentions)
        return Stands(message_id)

    async def _delete(self, post: Post) -> Outcome:
        if post.place[0] == "i":
            return Gone()  # another message is in its place, or it vanishes by itself
        there = await self._target(post)
        message = there.channel.get_partial_message(post.message_id or 0)
        if post.kind == HOURGLASS:
            await message.remove_reaction(HOURGLASS_SIGN, self._me())
        else:
            await message.delete()
        return Gone()

    async def _react(self, post: Post, there: Recipient) -> Outcome:
        """Put the sign on the message, which notifies nobody and can be repeated."""
        known = known_channel(self._context.client, post.guild_id, there.channel.id)
        if known is not None and not known[1].permissions_for(known[0]).add_reactions:
            return Never()
        message = there.channel.get_partial_message(int(post.key))
        await message.add_reaction(HOURGLASS_SIGN)
        return Stands(message.id)

    def _me(self) -> discord.ClientUser:
        if (user := self._context.client.user) is None:
            raise Refuse(Later(UNKNOWN_SERVER_SECONDS, unsent=True))
        return user

    async def _find(self, post: Post) -> Outcome:
        if post.place[0] == "i" or post.kind == HOURGLASS:
            return Gone()  # put there once more, it is seen once
        there = await self._target(post)
        since = post.begun_at or post.created_at
        if (earlier := post.details.get(SENT_SINCE)) is not None:
            since = min(since, datetime.fromtimestamp(int(earlier), UTC))
        # An ordinary message has no number of ours.
        buttons = {f"studii:{one}:{post.key}" for one in ("more", "delete")}
        own = self._me()  # the first messages after a start are due before the login
        try:
            latest = there.channel.history(limit=LOOK_BACK)
            first = there.channel.history(limit=LOOK_BACK, after=since - CLOCKS_DIFFER, oldest_first=True)
            for page in (latest, first):
                async for message in page:
                    ids = {getattr(one, "id", None) for one in message.components}
                    mine = post.mark in ids or not buttons.isdisjoint(custom_ids(message.components))
                    if mine and message.author.id == own.id:
                        return Stands(message.id)
        except NO_ACCESS as error:
            ensure_final(error)  # else we may not look, or it is gone; the nonce is all there is then
        return Gone()

    @asynccontextmanager
    async def _made(self, post: Post, shown: Any, there: Recipient, limit: int) -> AsyncGenerator[Content]:
        """Make the message in its readers' language, and close its files at the end."""
        readers, renderer = self._context.readers, self._renderers[post.kind]
        if there.person is None:
            language = await readers.in_server(post.guild_id)
        else:
            language = await readers.of_person(there.person, post.guild_id)
        async with renderer.turn:
            with speaking(language):
                made = await renderer.message(post, shown, there, limit - MESSAGE_MARGIN_BYTES)
            made.view.children[0].id = post.mark
            try:
                yield made if self._may_reply(post, file=bool(made.files)) else replace(made, reply_to=None)
            finally:
                for file in made.files:
                    file.close()

    def _may_reply(self, post: Post, *, file: bool) -> bool:
        """Return whether the history can be read. Raises `Refuse` if nothing can be posted there."""
        known = None
        if post.is_in_channel:
            known = known_channel(self._context.client, post.guild_id, int(post.place[1:]))
        missing = (
            [] if known is None else missing_to_post(known[1].permissions_for(known[0]), known[1], file=file)
        )
        # Without reading the history, the nonce alone keeps it from being sent twice.
        if lacking := [one for one in missing if one != READ_MESSAGE_HISTORY]:
            raise Refuse(NotHere(f"the bot lacks {', '.join(one.one for one in lacking)}"))
        return not missing

    async def _target(self, post: Post) -> Recipient:
        client, number = self._context.client, int(post.place[1:])
        if post.is_in_channel:
            return Recipient(client.get_partial_messageable(number, guild_id=post.guild_id))
        guild = client.get_guild(post.guild_id)
        if guild is None:  # before the gateway is ready no server is known
            raise Refuse(LEFT if client.is_ready() else Later(UNKNOWN_SERVER_SECONDS, unsent=True))
        person = guild.owner_id if post.place[0] == "o" else number
        if person is None:
            raise Refuse(Never("the server's owner is unknown"))
        return Recipient(await client.create_dm(discord.Object(person)), person)


def _size(file: discord.File) -> int:
    size = file.fp.seek(0, os.SEEK_END)
    file.fp.seek(0)
    return size


def may_pass(error: discord.HTTPException) -> bool:
    """Return whether the error is a reason to make the call again later."""
    if too_large(error):
        return False
    if error.status == 403:
        return error.code in _NO_REFUSALS
    return error.status in {401, 408, 429} or error.status >= 500


def too_large(error: discord.HTTPException) -> bool:
    """Return whether Discord doesn't take so much in one message."""
    return error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE


def ensure_final(error: discord.HTTPException) -> None:
    """Raise the error again if it may pass, so that the whole is tried again later."""
    if may_pass(error):
        raise error


def outcome_of_post(error: Exception, *, by_dm: bool, moves: bool) -> Outcome:
    """Return what became of a post whose sending, edit or removal raised the error.

    `moves`: another place is tried whatever the reason is.
    """
    if isinstance(error, discord.RateLimited):
        return Later(max(RETRY_SECONDS, error.retry_after), unsent=True)
    if not isinstance(error, discord.HTTPException):
        return Later(RETRY_SECONDS)
    if may_pass(error):
        pause = UNAUTHORISED_SECONDS if error.status == 401 else RETRY_SECONDS
        return Later(pause, unsent=error.status in {401, 429})
    if error.status == 404 and error.code == UNKNOWN_MESSAGE:
        return Gone()  # posted before, and deleted since
    closed = error.code in _PLACE_GONE or (by_dm and error.status == 403) or (moves and not too_large(error))
    return NotHere(str(error)) if closed else Never(str(error))

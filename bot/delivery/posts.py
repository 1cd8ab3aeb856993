"""Send, edit, delete and find posts, and decide from Discord's answer what becomes of them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import discord

from bot.delivery.calls import unless_too_large
from bot.delivery.context import DeliveryContext
from bot.delivery.destination import known_channel
from bot.delivery.errors import ensure_final, outcome_of_post
from bot.delivery.history import CLOCKS_DIFFER, find_message, is_marked
from bot.languages import speaking
from bot.posts import Gone, Later, Never, NotHere, Outcome, Post, Stands
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.layout import Panel
from bot.ui.kit.responses import NO_MENTIONS
from bot.ui.kit.uploads import DEFAULT_LIMIT, MESSAGE_MARGIN_BYTES
from bot.ui.reading.permissions import READ_MESSAGE_HISTORY, missing_to_post

UNKNOWN_SERVER_SECONDS = 5.0
SECONDS = 100.0  # for making a message and sending it


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a message, and whom it notifies."""

    view: Panel
    files: Sequence[discord.File] = ()
    mentions: discord.AllowedMentions = NO_MENTIONS


class Renderer(Protocol):
    """Makes the messages of some kinds of posts."""

    def message(self, post: Post, shown: Any, there: "Recipient", room: int, /) -> Awaitable[Content]:
        """Return the message for that place, with at most `room` bytes of files; without room with none.

        Raises `Refuse` if it may not stand there.
        """
        ...

    def is_outdated(self, message: discord.Message, /) -> bool:
        """Return whether the message that stands is to be edited. A press may have changed it already."""
        ...


class Refuse(Exception):
    """The message is not sent there, with the outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Recipient:
    """A channel of the server, or the direct messages of a person."""

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
            async with asyncio.timeout(SECONDS):
                return await request
        except Refuse as refusal:
            return refusal.outcome
        except DISCORD_ERRORS as error:
            return outcome_of_post(error, by_dm=post.place[0] != "c")

    async def _send(self, post: Post, shown: Any) -> Outcome:
        there, guild = await self._target(post), self._context.client.get_guild(post.guild_id)
        largest = DEFAULT_LIMIT if guild is None or there.person is not None else guild.filesize_limit
        for limit in sorted({largest, min(largest, DEFAULT_LIMIT), 0}, reverse=True):
            async with self._made(post, shown, there, limit) as made:
                files = {"files": made.files} if made.files else {}
                sending = there.channel.send(
                    view=made.view, nonce=post.nonce, allowed_mentions=made.mentions, **files
                )
                sent = await (unless_too_large(sending) if made.files else sending)
                if sent is not None:
                    return Stands(sent.id)
        raise AssertionError("without files, a message is sent or refused for another reason")

    async def _edit(self, post: Post, shown: Any) -> Outcome:
        there, message_id = await self._target(post), post.message_id or 0
        if self._renderers[post.kind].is_outdated(await there.channel.fetch_message(message_id)):
            async with self._made(post, shown, there, 0) as made:
                message = there.channel.get_partial_message(message_id)
                await message.edit(view=made.view, attachments=[], allowed_mentions=made.mentions)
        return Stands(message_id)

    async def _delete(self, post: Post) -> Outcome:
        there = await self._target(post)
        await there.channel.get_partial_message(post.message_id or 0).delete()
        return Gone()

    async def _find(self, post: Post) -> Outcome:
        there, since = await self._target(post), (post.begun_at or post.created_at) - CLOCKS_DIFFER

        def is_it(components: Sequence[Any]) -> bool:
            return is_marked(components, post.mark)

        try:
            found = await find_message(there.channel, self._context.client, is_it, since)
        except discord.Forbidden as error:
            ensure_final(error)
            return Gone()  # we may not look; the nonce is all there is then
        return Gone() if found is None else Stands(found)

    @asynccontextmanager
    async def _made(self, post: Post, shown: Any, there: Recipient, limit: int) -> AsyncGenerator[Content]:
        """Make the message in its readers' language, and close its files at the end."""
        readers = self._context.readers
        if there.person is None:
            language = await readers.in_server(post.guild_id)
        else:
            language = await readers.of_person(there.person, post.guild_id)
        with speaking(language):
            made = await self._renderers[post.kind].message(post, shown, there, limit - MESSAGE_MARGIN_BYTES)
        made.view.children[0].id = post.mark
        try:
            if there.person is None:
                self._ensure_permitted(post, file=bool(made.files))
            yield made
        finally:
            for file in made.files:
                file.close()

    def _ensure_permitted(self, post: Post, *, file: bool) -> None:
        known = known_channel(self._context.client, post.guild_id, int(post.place[1:]))
        if known is None:
            return
        me, channel = known
        missing = missing_to_post(channel.permissions_for(me), channel, file=file)
        # Without reading the history, the nonce alone keeps it from being sent twice.
        if lacking := [one for one in missing if one != str(READ_MESSAGE_HISTORY)]:
            raise Refuse(NotHere(f"the bot lacks {', '.join(lacking)}"))

    async def _target(self, post: Post) -> Recipient:
        client, number = self._context.client, int(post.place[1:])
        if post.place[0] == "c":
            return Recipient(client.get_partial_messageable(number, guild_id=post.guild_id))
        guild = client.get_guild(post.guild_id)
        if guild is None:
            # Before the gateway is ready no server is known; one that the bot has left never will be.
            raise Refuse(Later(UNKNOWN_SERVER_SECONDS, unsent=True))
        person = guild.owner_id if post.place[0] == "o" else number
        if person is None:
            raise Refuse(Never("the server's owner is unknown"))
        return Recipient(await client.create_dm(discord.Object(person)), person)

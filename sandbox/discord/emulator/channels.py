"""Messages, reactions and threads in channels, and direct messages.

https://discord.com/developers/docs/resources/message
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.discord.emulator.files import Cdn
from sandbox.discord.emulator.ids import Ids
from sandbox.discord.emulator.messages import Message, Messages, emoji_told, ensure_valid
from sandbox.discord.emulator.places import (
    ADD_REACTIONS,
    APPLICATION_ID,
    ATTACH,
    DM,
    HISTORY,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    PUBLIC_THREAD,
    PUBLIC_THREADS,
    SEND,
    SEND_IN_THREADS,
    VIEW,
    Channel,
    Places,
    person,
)
from sandbox.discord.emulator.refusals import (
    ARCHIVED,
    CLOSED_DMS,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    NOT_YOURS,
    TOO_LARGE,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    UNKNOWN_USER,
    Refusal,
    answer_with,
)

MAX_HISTORY_MESSAGES, DEFAULT_HISTORY_MESSAGES = 100, 50  # messages of a look into the history


class Channels:
    """What a bot does in channels, within its permissions.

    `tell` makes an event of what happened. `readable`: whether the bot may read what was sent in any server,
    whatever the permissions say. `before_answer` says how many seconds pass between a message's being taken
    and its sender's being told.
    """

    def __init__(
        self,
        places: Places,
        messages: Messages,
        ids: Ids,
        cdn: Cdn,
        tell: Callable[[str, int | None, Mapping[str, Any]], None],
        before_answer: Callable[[], float],
    ) -> None:
        self._places = places
        self._messages = messages
        self._ids = ids
        self._cdn = cdn
        self._tell = tell
        self._before_answer = before_answer
        self._nonces: dict[tuple[int, str], Message] = {}
        self._dms: dict[int, Channel] = {}  # by recipient
        self.sees_content: Callable[[], bool] = lambda: True
        self.readable = True

    def forget_nonces(self) -> None:
        """Forget all nonces, as after a few minutes."""
        self._nonces.clear()

    def dm_with(self, user_id: int) -> Channel:
        """Return the direct messages with somebody, which are opened if they are not there yet."""
        found = self._dms.get(user_id)
        if found is None:
            channel = Channel(self._ids.next(), None, "", DM, recipient=user_id)
            found = self._dms[user_id] = self._places.add_channel(channel)
        return found

    async def open_dm(self, request: web.Request) -> web.Response:
        given = str((await request.json())["recipient_id"])
        if int(given) == APPLICATION_ID:
            raise Refusal(*UNKNOWN_USER)
        return answer_with(self.dm_with(int(given)).told())

    async def show(self, request: web.Request) -> web.Response:
        return answer_with(self._channel(request).told())

    async def change(self, request: web.Request) -> web.Response:
        """Archive, open or lock a thread."""
        channel, body = self._channel(request), await request.json()
        opens = body.get("archived") is False and not channel.locked and SEND_IN_THREADS
        self._need(channel, opens or MANAGE_THREADS)
        channel.archived = bool(body.get("archived", channel.archived))
        channel.locked = bool(body.get("locked", channel.locked))
        self._tell("THREAD_UPDATE", channel.guild_id, channel.told())
        return answer_with(channel.told())

    async def send(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        payload, files = await self._cdn.read(request)
        nonce = payload.get("nonce")
        key = (channel.id, str(nonce))
        known = self._nonces.get(key) if payload.get("enforce_nonce") and nonce is not None else None
        if known is None:
            self._ensure_may_send(channel, files)
            if sum(file.size for file in files.values()) > self._upload_limit(channel):
                raise Refusal(*TOO_LARGE)
            ensure_valid(payload, files)
            self._ensure_target(payload)
            known = self._messages.keep(channel, payload, files)
            if nonce is not None:
                self._nonces[key] = known
            self.tell_of("MESSAGE_CREATE", known)
        elif known.id not in self._messages:  # it was deleted since
            raise Refusal(*UNKNOWN_MESSAGE)
        await asyncio.sleep(self._before_answer())
        return answer_with(known.told() | {"nonce": nonce})

    async def history(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        if not self.readable and channel.guild_id is not None:
            raise Refusal(*MISSING_ACCESS)
        self._need(channel, HISTORY, MISSING_ACCESS)
        told = [one for one in self._messages.values() if one.channel_id == channel.id and not one.ephemeral]
        limit = min(int(request.query.get("limit", DEFAULT_HISTORY_MESSAGES)), MAX_HISTORY_MESSAGES)
        if "before" in request.query:
            told = [one for one in told if one.id < int(request.query["before"])]
        if "after" in request.query:
            told = [one for one in told if one.id > int(request.query["after"])][:limit]
        seen = self.sees_content()
        return answer_with([one.told(content=seen) for one in told[-limit:][::-1]])

    async def look_at(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if not self.readable:
            raise Refusal(*MISSING_ACCESS)
        self._need(message.channel, HISTORY)
        return answer_with(message.told(content=self.sees_content()))

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        payload, files = await self._cdn.read(request)
        if not message.of_the_bot:
            raise Refusal(*NOT_YOURS)
        self._need(message.channel, VIEW)
        if message.channel.archived:
            raise Refusal(*ARCHIVED)
        message.change(payload, self._messages.store(message.channel, files))
        self.tell_of("MESSAGE_UPDATE", message)
        return answer_with(message.told())

    async def delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self._need(message.channel, VIEW if message.of_the_bot else MANAGE_MESSAGES)
        self.remove(message)
        return web.Response(status=204)

    async def react(self, request: web.Request) -> web.Response:
        message, emoji = self._message(request), unquote(request.match_info["emoji"])
        if emoji not in message.reactions:
            self._need(message.channel, ADD_REACTIONS | HISTORY)
        self.add_reaction(message, APPLICATION_ID, emoji)
        return web.Response(status=204)

    async def unreact(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self._need(message.channel, VIEW)
        self.remove_reaction(message, APPLICATION_ID, unquote(request.match_info["emoji"]))
        return web.Response(status=204)

    async def who_reacted(self, request: web.Request) -> web.Response:
        """List those who put an emoji under a message, in the order of their ids."""
        message, emoji = self._message(request), unquote(request.match_info["emoji"])
        self._need(message.channel, HISTORY)
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 25))
        who = sorted(one for one in message.reactions.get(emoji, []) if one > after)
        return answer_with([person(one) for one in who[:limit]])

    async def start_thread(self, request: web.Request) -> web.Response:
        """Start a thread, under a message if the path names one."""
        channel, body = self._channel(request), await request.json()
        self._need(channel, PUBLIC_THREADS)
        own = request.match_info.get("message")
        thread_id = self._ids.next() if own is None else int(own)
        thread = Channel(thread_id, channel.guild_id, str(body["name"]), PUBLIC_THREAD, parent_id=channel.id)
        self._places.add_channel(thread)
        self._tell("THREAD_CREATE", thread.guild_id, thread.told() | {"newly_created": True})
        return answer_with(thread.told(), status=201)

    def remove(self, message: Message) -> None:
        """Delete the message, and tell of it."""
        del self._messages[message.id]
        self.tell_of("MESSAGE_DELETE", message)

    def add_reaction(self, message: Message, user_id: int, emoji: str) -> None:
        """Put an emoji under the message, once for each person, and tell of it."""
        who = message.reactions.setdefault(emoji, [])
        if user_id not in who:
            who.append(user_id)
            self._tell_of_reaction("MESSAGE_REACTION_ADD", message, user_id, emoji)

    def remove_reaction(self, message: Message, user_id: int, emoji: str) -> None:
        """Take somebody's emoji away, and tell of it."""
        who = message.reactions.get(emoji, [])
        if user_id not in who:
            return
        who.remove(user_id)
        if not who:
            del message.reactions[emoji]
        self._tell_of_reaction("MESSAGE_REACTION_REMOVE", message, user_id, emoji)

    def tell_of(self, name: str, message: Message) -> None:
        """Tell the gateway of a message; of a deleted one, its ids alone."""
        guild_id = message.channel.guild_id
        where = {} if guild_id is None else {"guild_id": str(guild_id)}
        if name == "MESSAGE_DELETE":
            self._tell(name, guild_id, {"id": str(message.id), "channel_id": str(message.channel_id)} | where)
            return
        told = message.told(content=self.sees_content()) | where
        if guild_id is not None:
            guild = self._places.guilds.get(guild_id)
            if guild is None:  # removed: the answer can still be edited, but the bot hears nothing of it
                return
            member = dict(guild.member(message.author_id))
            del member["user"]
            told["member"] = member
        reference: Mapping[str, Any] = message.payload.get("message_reference") or {}
        if reference.get("message_id"):
            above = self._messages.get(int(reference["message_id"]))
            shown = None if above is None else above.told(content=self.sees_content())
            told["referenced_message"] = shown  # null: it was deleted
        self._tell(name, guild_id, told)

    def _tell_of_reaction(self, name: str, message: Message, user_id: int, emoji: str) -> None:
        guild_id = message.channel.guild_id
        told: dict[str, Any] = {"user_id": str(user_id), "message_id": str(message.id), "type": 0}
        told |= {"channel_id": str(message.channel_id), "emoji": emoji_told(emoji), "burst": False}
        if guild_id is not None:
            told["guild_id"] = str(guild_id)
        if name == "MESSAGE_REACTION_ADD":
            told["message_author_id"] = str(message.author_id)
            if guild_id is not None:
                told["member"] = self._places.guilds[guild_id].member(user_id)
            else:
                told["user"] = person(user_id)
        self._tell(name, guild_id, told)

    def _channel(self, request: web.Request) -> Channel:
        number, places = int(request.match_info["channel"]), self._places
        if number in places.channels:
            return places.channels[number]
        closed = any(number in guild.channels for guild in places.left.values())
        raise Refusal(*(MISSING_ACCESS if closed else UNKNOWN_CHANNEL))

    def _message(self, request: web.Request) -> Message:
        channel = self._channel(request)
        return self._messages.known(int(request.match_info["message"]), channel.id)

    def _need(
        self, channel: Channel, permissions: int, otherwise: tuple[int, int, str] = MISSING_PERMISSIONS
    ) -> None:
        """Raise `Refusal` if the bot lacks any of these permissions there."""
        may = self._places.may(APPLICATION_ID, channel)
        if not may & VIEW:
            raise Refusal(*MISSING_ACCESS)
        if may & permissions != permissions:
            raise Refusal(*otherwise)

    def _ensure_may_send(self, channel: Channel, files: Mapping[str, Any]) -> None:
        if channel.closed:
            raise Refusal(*CLOSED_DMS)
        needed = SEND_IN_THREADS if channel.is_thread else SEND
        self._need(channel, needed | (ATTACH if files else 0))
        if channel.locked:
            self._need(channel, MANAGE_THREADS)
        if channel.archived:  # a message opens it again
            channel.archived = False
            self._tell("THREAD_UPDATE", channel.guild_id, channel.told())

    def _ensure_target(self, payload: Mapping[str, Any]) -> None:
        reference: Mapping[str, Any] = payload.get("message_reference") or {}
        target = reference.get("message_id")
        if target is None or not reference.get("fail_if_not_exists", True):
            return
        found = self._messages.get(int(target))
        if found is None or found.ephemeral:
            raise Refusal(400, 50035, "Unknown message")

    def _upload_limit(self, channel: Channel) -> int:
        guild = self._places.guild_of(channel)
        return 10 * 1024 * 1024 if guild is None else guild.upload_limit

"""Steers an emulator that is a process of its own: one POST to `/control/NAME` for each thing to be done.

What can be done has the names that it has in the same process. Ids stand for messages, tokens for
interactions.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.interactions import Interaction
from sandbox.discord.emulator.messages import Message
from sandbox.discord.emulator.refusals import answer_with
from sandbox.discord.emulator.server import DiscordServer

CONTROL = "/control"


class Control:
    """Does what it is asked to with the emulator."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        self._begun: dict[str, Interaction] = {}  # by token
        self._known: Mapping[str, Callable[..., Awaitable[Any]]] = {
            one.__name__: one
            for one in (
                self.add_guild,
                self.remove_guild,
                self.hide_guild,
                self.show_guild,
                self.command,
                self.press,
                self.interaction,
                self.post,
                self.react,
                self.unreact,
                self.delete,
                self.messages,
                self.sessions,
                self.rules,
                self.fail,
                self.close,
                self.leave,
                self.return_,
                self.forget_sessions,
            )
        }

    def add_to(self, app: web.Application) -> None:
        """Listen at the emulator's own address."""
        app.router.add_post(f"{CONTROL}/{{name}}", self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        what = self._known.get(request.match_info["name"])
        if what is None:
            return answer_with({"message": "There is no such thing to do"}, status=404)
        return answer_with(await what(**await request.json()))

    async def add_guild(self, guild_id: int, channels: list[int] | None = None) -> None:
        self._server.add_guild(guild_id, channels)

    async def remove_guild(self, guild_id: int) -> None:
        self._server.remove_guild(guild_id)

    async def hide_guild(self, guild_id: int) -> None:
        self._server.hide_guild(guild_id)

    async def show_guild(self, guild_id: int) -> None:
        self._server.show_guild(guild_id)

    async def command(
        self, channel_id: int, user_id: int, name: str, options: Mapping[str, Any] | None = None
    ) -> str:
        return self._sent(self._server.command(channel_id, user_id, name, options))

    async def press(self, message_id: int, user_id: int, custom_id: str) -> str:
        return self._sent(self._server.press(self._message(message_id), user_id, custom_id))

    async def interaction(self, token: str) -> dict[str, Any]:
        """Return what became of it, with seconds since the gateway told of it."""
        one = self._begun[token]
        answered, said = (at and at - one.told_at for at in (one.answered_at, one.said_at))
        answer = None if one.answer is None else str(one.answer.id)
        return {"answered": answered, "said": said, "deferred": one.deferred, "message_id": answer}

    async def post(
        self, channel_id: int, user_id: int, content: str = "", files: Mapping[str, list[str]] | None = None
    ) -> str:
        """Post a message for a person. Files are their bytes, as base64, and media types by name."""
        given = {name: (base64.b64decode(data), kind) for name, (data, kind) in (files or {}).items()}
        return str(self._server.post(channel_id, user_id, content, given).id)

    async def react(self, message_id: int, user_id: int, emoji: str) -> None:
        self._server.react(self._message(message_id), user_id, emoji)

    async def unreact(self, message_id: int, user_id: int, emoji: str) -> None:
        self._server.unreact(self._message(message_id), user_id, emoji)

    async def delete(self, message_id: int) -> None:
        self._server.delete(self._message(message_id))

    async def messages(self, channel_id: int) -> list[dict[str, Any]]:
        """Return what stands there for everyone, oldest first."""
        return [one.told() for one in self._server.in_channel(channel_id)]

    async def sessions(self) -> list[dict[str, Any]]:
        """Return all sessions: their shard, and whether they are connected."""
        return [
            {"shard": one.shard, "shards": one.shards, "connected": one.connected, "events": one.number}
            for one in self._server.sessions.all
        ]

    async def rules(self, **changes: Any) -> None:
        """Change how the gateway behaves."""
        self._server.sessions.rules = replace(self._server.sessions.rules, **changes)

    async def fail(self, call: str, times: int = 1, **fault: Any) -> None:
        self._server.fail(call, *[Fault(**fault)] * times)

    async def close(self, code: int) -> None:
        await self._server.connections.close(code)

    async def leave(self) -> None:
        await self._server.connections.leave()

    async def return_(self) -> None:
        self._server.connections.return_()

    async def forget_sessions(self) -> None:
        self._server.sessions.forget()

    def _sent(self, begun: tuple[Interaction, Mapping[str, Any]]) -> str:
        interaction = self._server.send(begun)
        self._begun[interaction.token] = interaction
        return interaction.token

    def _message(self, message_id: int) -> Message:
        return self._server.messages[message_id]

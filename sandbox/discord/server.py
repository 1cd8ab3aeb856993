"""As much of Discord as a process needs to come up and go down: login, commands, and a gateway.

The simulation runs a bot in its own process; this one is for a bot that is a process by itself, as when an
operator starts it. Facts: https://discord.com/developers/docs/events/gateway
"""

import asyncio
import json
from collections.abc import Sequence
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

from sandbox.discord.messages import read_message

TOKEN = "sandbox.bot.token"  # noqa: S105 # of no use anywhere else
APPLICATION_ID = 7001
MESSAGE_CONTENT_LIMITED = 1 << 19
HEARTBEAT_MILLISECONDS = 41_250
PREFIX = "/api/v10"
_READ_AND_WRITE = 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16  # see, send, attach files, read what was sent before

_USER = {
    "id": str(APPLICATION_ID),
    "username": "Studii",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "bot": True,
}


def _answer(content: Any, status: int = 200) -> web.Response:
    # Exactly this type, without a charset: discord.py leaves anything else as text.
    return web.Response(
        body=json.dumps(content).encode(), status=status, headers={"Content-Type": "application/json"}
    )


def _guild(guild_id: int) -> dict[str, Any]:
    """A server that was known before: with one channel, in which everyone may read and write."""
    name = str(guild_id)
    everyone = {"id": name, "name": "@everyone", "color": 0, "hoist": False, "position": 0}
    return {
        "id": name,
        "name": "Harbour Street Studio",
        "owner_id": "7003",
        "unavailable": False,
        "system_channel_id": name,
        "member_count": 2,
        "roles": [{**everyone, "permissions": str(_READ_AND_WRITE), "managed": False, "mentionable": False}],
        "members": [
            {"user": _USER, "roles": [], "joined_at": None, "flags": 0, "deaf": False, "mute": False}
        ],
        "channels": [{"id": name, "type": 0, "name": "general", "position": 0, "permission_overwrites": []}],
        **{name: [] for name in ("emojis", "stickers", "threads", "presences", "voice_states", "features")},
    }


class DiscordServer:
    """Discord's login, commands and gateway on 127.0.0.1; `ready` is set when a bot has identified itself.

    With `tls` it speaks TLS, and `gateway` is the address that it tells for its gateway, instead of its own.
    The bot is in the servers `guilds`, each of which has one channel with the server's own id; `posted` is
    what came into these.
    """

    def __init__(
        self,
        *,
        message_content: bool = False,
        guilds: Sequence[int] = (),
        tls: SSLContext | None = None,
        gateway: str | None = None,
    ) -> None:
        self._message_content = message_content
        self._tls = tls
        self._gateway_told = gateway
        self._guilds = tuple(guilds)
        self._runner: web.AppRunner | None = None
        self._address = ""
        self._sockets: set[web.WebSocketResponse] = set()
        self._away = False
        self.ready = asyncio.Event()
        self.intents: int | None = None
        self.requests: list[tuple[str, str]] = []
        self.commands: list[dict[str, Any]] = []
        self.posted: list[dict[str, Any]] = []

    @property
    def api(self) -> str:
        """What takes the place of discord.py's `Route.BASE`."""
        return f"{self._address}{PREFIX}"

    @property
    def gateway(self) -> str:
        """What takes the place of discord.py's `DiscordWebSocket.DEFAULT_GATEWAY`."""
        return self._gateway_told or f"{self._address.replace('http', 'ws', 1)}/gateway/"

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get(f"{PREFIX}/users/@me", self._me)
        app.router.add_get(f"{PREFIX}/oauth2/applications/@me", self._application)
        app.router.add_put(f"{PREFIX}/applications/{{id}}/commands", self._put_commands)
        for_a_guild = f"{PREFIX}/applications/{{id}}/guilds/{{guild}}/commands"
        app.router.add_get(for_a_guild, self._guild_commands)
        app.router.add_put(for_a_guild, self._guild_commands)
        app.router.add_get(f"{PREFIX}/guilds/{{guild}}", self._show_guild)
        app.router.add_post(f"{PREFIX}/channels/{{id}}/messages", self._post)
        app.router.add_get(f"{PREFIX}/gateway/bot", self._gateway_address)
        app.router.add_get("/gateway/", self._gateway)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self._address = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in tuple(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def leave(self) -> None:
        """Close the gateway, and let nobody in again until `return_`."""
        self._away = True
        for socket in tuple(self._sockets):
            await socket.close()

    def return_(self) -> None:
        """The gateway is there again."""
        self._away = False

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.requests.append((request.method, request.path.removeprefix(PREFIX)))
        if request.path.startswith(PREFIX) and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _answer({"message": "401: Unauthorized", "code": 0}, status=401)
        return await handler(request)

    async def _guild_commands(self, request: web.Request) -> web.Response:
        if int(request.match_info["guild"]) not in self._guilds:
            return _answer({"message": "Missing Access", "code": 50001}, status=403)
        return await self._put_commands(request) if request.method == "PUT" else _answer([])

    async def _show_guild(self, request: web.Request) -> web.Response:
        guild = int(request.match_info["guild"])
        if guild not in self._guilds:
            return _answer({"message": "Unknown Guild", "code": 10004}, status=404)
        return _answer(_guild(guild))

    async def _me(self, _request: web.Request) -> web.Response:
        return _answer(_USER)

    async def _application(self, _request: web.Request) -> web.Response:
        return _answer(
            {
                "id": str(APPLICATION_ID),
                "name": "Studii",
                "description": "",
                "icon": None,
                "bot_public": True,
                "bot_require_code_grant": False,
                "verify_key": "",
                "owner": {**_USER, "id": "7002", "username": "operator", "bot": False},
                "flags": MESSAGE_CONTENT_LIMITED if self._message_content else 0,
            }
        )

    async def _put_commands(self, request: web.Request) -> web.Response:
        self.commands = [
            {
                "description": "",
                **command,
                "id": str(8000 + number),
                "application_id": str(APPLICATION_ID),
                "version": "1",
            }
            for number, command in enumerate(await request.json())
        ]
        return _answer(self.commands)

    async def _post(self, request: web.Request) -> web.Response:
        message, _ = await read_message(request)
        self.posted.append(message)
        sent = {
            "id": str(9000 + len(self.posted)),
            "channel_id": request.match_info["id"],
            "author": _USER,
            "timestamp": "2026-03-02T12:00:00+00:00",
            "edited_timestamp": None,
            "type": 0,
            "content": "",
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
            "flags": message.get("flags", 0),
            "components": message.get("components", []),
        }
        lists = ("mentions", "mention_roles", "attachments", "embeds")
        return _answer({**sent, **{name: [] for name in lists}})

    async def _gateway_address(self, _request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return _answer({"url": self.gateway, "shards": 1, "session_start_limit": limits})

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        if self._away:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await socket.send_json({"op": 10, "d": {"heartbeat_interval": HEARTBEAT_MILLISECONDS}})
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(message.data))
        finally:
            self._sockets.discard(socket)
        return socket

    async def _receive(self, socket: web.WebSocketResponse, event: dict[str, Any]) -> None:
        if event["op"] == 1:
            await socket.send_json({"op": 11})
        elif event["op"] == 6:  # what was missed in between is nothing
            await socket.send_json({"op": 0, "t": "RESUMED", "s": event["d"]["seq"] + 1, "d": {}})
        elif event["op"] == 2:
            self.intents = event["d"]["intents"]
            ready = {
                "v": 10,
                "shard": [0, 1],
                "user": _USER,
                "guilds": [{"id": str(guild), "unavailable": True} for guild in self._guilds],
                "session_id": "sandbox",
                "resume_gateway_url": self.gateway,
                "application": {"id": str(APPLICATION_ID), "flags": 0},
            }
            await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": ready})
            for number, guild in enumerate(self._guilds, 2):
                await socket.send_json({"op": 0, "t": "GUILD_CREATE", "s": number, "d": _guild(guild)})
            self.ready.set()

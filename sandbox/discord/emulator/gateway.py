"""The gateway's connections: HELLO, heartbeats, IDENTIFY, RESUME, and events in their order.

https://discord.com/developers/docs/events/gateway
Nothing is compressed, which discord.py takes as well.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from sandbox.discord.emulator.places import APPLICATION_ID, BOT, Places
from sandbox.discord.emulator.sessions import (
    AUTHENTICATION_FAILED,
    MESSAGE_CONTENT,
    TIMED_OUT,
    Closed,
    Session,
    Sessions,
    shard_of,
)

HEARTBEAT, IDENTIFY, RESUME, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 1, 2, 6, 9, 10, 11
GIVEN_UP = (1000, 1001)  # with which a client closes that will not resume
NETWORK = 0.02  # seconds that an answer takes at least
LATE = 1.5  # of a heartbeat's interval, after which the session has timed out


class Gateway:
    """Accepts connections of the bot with this token, and tells them `address` as its own.

    `ready` is set when a bot has identified itself.
    """

    def __init__(self, token: str, places: Places, sessions: Sessions, address: Callable[[], str]) -> None:
        self.token = token
        self._places = places
        self._sessions = sessions
        self._address = address
        self._sockets: set[web.WebSocketResponse] = set()
        self._away = False
        self.message_content = False
        self.ready = asyncio.Event()
        self.intents: int | None = None

    async def close(self, code: int = WSCloseCode.OK) -> None:
        """Close all connections with that code."""
        for socket in tuple(self._sockets):
            await socket.close(code=code)

    async def leave(self) -> None:
        """Close all connections, and let nobody in again until `return_`."""
        self._away = True
        await self.close()

    def return_(self) -> None:
        """Let bots in again."""
        self._away = False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until its end."""
        if self._away:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        try:
            await _Connection(self, self._sessions, socket).run()
        finally:
            self._sockets.discard(socket)
        return socket

    def begin(self, session: Session) -> None:
        """Tell a new session of its servers: first as unavailable, then each that is there."""
        own = [
            guild
            for guild in self._places.guilds.values()
            if shard_of(guild.id, session.shards) == session.shard
        ]
        self.intents = session.intents
        ready = {
            "v": 10,
            "shard": [session.shard, session.shards],
            "user": BOT,
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in own],
            "session_id": session.id,
            "resume_gateway_url": self._address(),
            "application": {"id": str(APPLICATION_ID), "flags": 0},
        }
        session.add("READY", ready)
        for guild in own:
            if not guild.unavailable:
                session.add("GUILD_CREATE", guild.told())
        self.ready.set()

    def guilds_of(self, shard: int, shards: int) -> int:
        """Return how many servers a shard has."""
        return sum(shard_of(guild_id, shards) == shard for guild_id in self._places.guilds)


class _Connection:
    """One connection, of one session at a time."""

    def __init__(self, gateway: Gateway, sessions: Sessions, socket: web.WebSocketResponse) -> None:
        self._gateway = gateway
        self._sessions = sessions
        self._socket = socket
        self._session: Session | None = None
        self._writer: asyncio.Task[None] | None = None

    async def run(self) -> None:
        interval = self._sessions.rules.heartbeat
        await self._socket.send_json({"op": HELLO, "d": {"heartbeat_interval": int(interval * 1000)}})
        gave_up = False
        try:
            while not self._socket.closed:
                message = await self._socket.receive(timeout=interval * LATE)
                if message.type is not WSMsgType.TEXT:
                    gave_up = message.type is WSMsgType.CLOSE and message.data in GIVEN_UP
                    break
                await self._receive(json.loads(message.data))
        except Closed as closed:
            await self._socket.close(code=closed.code)
        except TimeoutError:
            await self._socket.close(code=TIMED_OUT)
        finally:
            await self._end(for_good=gave_up)

    async def _end(self, *, for_good: bool) -> None:
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.wait({self._writer})
        if self._session is not None:
            self._sessions.left(self._session, self, for_good=for_good)

    async def _receive(self, event: Mapping[str, Any]) -> None:
        if event["op"] == HEARTBEAT and self._sessions.rules.acknowledges:
            # discord.py notes when it sent a heartbeat after it has: an answer must not come before that.
            await asyncio.sleep(NETWORK)
            await self._socket.send_json({"op": HEARTBEAT_ACK})
        elif event["op"] == IDENTIFY:
            await self._identify(event["d"])
        elif event["op"] == RESUME:
            await self._resume(event["d"])

    def _ensure_token(self, data: Mapping[str, Any]) -> None:
        if data["token"] != self._gateway.token or self._sessions.token_reset:
            raise Closed(AUTHENTICATION_FAILED)

    async def _identify(self, data: Mapping[str, Any]) -> None:
        self._ensure_token(data)
        allowed = MESSAGE_CONTENT if self._gateway.message_content else 0
        session = self._sessions.identify(data, allowed, self._gateway.guilds_of)
        if session is None:
            await self._socket.send_json({"op": INVALID_SESSION, "d": False})
            return
        self._gateway.begin(session)
        self._use(session, 0)

    async def _resume(self, data: Mapping[str, Any]) -> None:
        self._ensure_token(data)
        session = self._sessions.resume(data["session_id"], int(data["seq"] or 0))
        if session is None:
            await self._socket.send_json({"op": INVALID_SESSION, "d": False})
            return
        session.add("RESUMED", {})
        self._use(session, max(0, int(data["seq"] or 0) - self._sessions.rules.twice))

    def _use(self, session: Session, sent: int) -> None:
        self._session, session.owner = session, self
        session.news.set()  # whoever served it before sees that it does not any more
        self._writer = asyncio.create_task(self._write(session, sent))

    async def _write(self, session: Session, sent: int) -> None:
        """Send the events after `sent`, as they come."""
        while not self._socket.closed and session.owner is self:
            session.news.clear()
            for number, text in session.since(sent):
                await self._socket.send_str(text)
                sent = number
            await session.news.wait()

"""A client that speaks to the emulator without discord.py, so that each answer is seen as it comes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.emulator.interactions import Interaction
from tests.support.patience import PATIENCE

ALL_INTENTS = 1 << 0 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13
APP = 7001


@dataclass
class Answer:
    """An answer to a request."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int | None:
        return self.body.get("code") if isinstance(self.body, dict) else None  # type: ignore[union-attr]


@dataclass
class Socket:
    """A connection to the gateway. `seen` are the events that came, in order."""

    socket: aiohttp.ClientWebSocketResponse
    seen: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def receive(self) -> dict[str, Any]:
        message = await self.socket.receive(timeout=PATIENCE)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(self.socket.close_code)
        told = json.loads(message.data)
        self.seen.append(told)
        return told

    async def until(self, name: str) -> dict[str, Any]:
        """Return the data of the next event of that name."""
        while (told := await self.receive())["t"] != name:
            pass
        return told["d"]

    async def code(self) -> int | None:
        """Return the code with which the connection is closed."""
        while (await self.socket.receive(timeout=PATIENCE)).type is aiohttp.WSMsgType.TEXT:
            pass
        return self.socket.close_code

    async def identify(
        self, shard: tuple[int, int] = (0, 1), intents: int = ALL_INTENTS, token: str = TOKEN
    ) -> None:
        data: dict[str, Any] = {"token": token, "intents": intents, "shard": list(shard), "properties": {}}
        await self.socket.send_json({"op": 2, "d": data})

    async def resume(self, session_id: str, number: int) -> None:
        data = {"token": TOKEN, "session_id": session_id, "seq": number}
        await self.socket.send_json({"op": 6, "d": data})


@dataclass
class Client:
    """Requests and connections of a bot."""

    server: DiscordServer
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, body: Any = None, *, token: str = TOKEN) -> Answer:
        headers = {"Authorization": f"Bot {token}"}
        url = f"{self.server.api}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as response:
            data = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, json.loads(data) if is_json else data, response.headers)

    async def send_file(self, channel: int, payload: Mapping[str, Any], name: str, data: bytes) -> Answer:
        form = aiohttp.FormData()
        form.add_field("payload_json", json.dumps(payload), content_type="application/json")
        form.add_field("files[0]", data, filename=name, content_type="image/png")
        url, headers = f"{self.server.api}/channels/{channel}/messages", {"Authorization": f"Bot {TOKEN}"}
        async with self.session.post(url, data=form, headers=headers) as response:
            return Answer(response.status, json.loads(await response.read()), response.headers)

    async def answer(self, interaction: Interaction, kind: Any, data: Any = None) -> Answer:
        """Give the first answer to an interaction."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.ask("POST", path, {"type": kind, "data": data or {}})

    async def webhook(
        self, method: str, interaction: Interaction, rest: str = "", body: Any = None
    ) -> Answer:
        return await self.ask(method, f"/webhooks/{APP}/{interaction.token}{rest}", body)

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[Socket]:
        """Connect to the gateway, up to HELLO."""
        async with self.session.ws_connect(self.server.gateway) as socket:
            one = Socket(socket)
            assert (await one.receive())["op"] == 10
            yield one

    @asynccontextmanager
    async def identified(self, shard: tuple[int, int] = (0, 1), **data: Any) -> AsyncGenerator[Socket]:
        """Connect and begin a session, up to READY."""
        async with self.connected() as socket:
            await socket.identify(shard, **data)
            await socket.until("READY")
            yield socket


@asynccontextmanager
async def emulated(**options: Any) -> AsyncGenerator[Client]:
    """Provide an emulator and a client of it."""
    async with DiscordServer(**options) as server, aiohttp.ClientSession() as session:
        yield Client(server, session)


async def settled(over: Any) -> None:
    """Wait until `over()` is true."""
    async with asyncio.timeout(PATIENCE):
        while not over():  # noqa: ASYNC110 - what is looked at sets no event
            await asyncio.sleep(0.01)

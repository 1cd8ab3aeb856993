"""An open page without a browser: what it is told, and what it does."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.patience import PATIENCE


@dataclass
class PageClient:
    """`told` holds the newest of each part that the page was told."""

    url: str
    session: aiohttp.ClientSession
    socket: aiohttp.ClientWebSocketResponse
    told: dict[str, Any] = field(default_factory=dict[str, Any])
    numbers: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, who: int, channel: int) -> AsyncGenerator["PageClient"]:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{url}live") as socket:
            client = cls(url, session, socket)
            await client.look(who, channel)
            yield client

    async def look(self, who: int, channel: int, locale: str = "en-US") -> dict[str, Any]:
        return await self.do("look", who=str(who), channel=str(channel), locale=locale)

    async def do(self, name: str, **values: Any) -> dict[str, Any]:
        """Do that, and return the answer; the answer to an error has `error`."""
        self.numbers += 1
        await self.socket.send_json({"id": self.numbers, "do": name, **values})
        while (told := await self._receive()).get("re") != self.numbers:
            pass
        return told

    async def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the page was told of it, and return everything that it was told."""
        async with asyncio.timeout(PATIENCE):
            while not ("messages" in self.told and seen(self.told)):
                await self._receive()
        return self.told

    async def upload(self, name: str, data: bytes, kind: str = "image/jpeg") -> dict[str, Any]:
        headers = {"Content-Type": kind}
        async with self.session.post(
            f"{self.url}upload", params={"name": name}, data=data, headers=headers
        ) as answer:
            return await answer.json()

    async def _receive(self) -> dict[str, Any]:
        told = json.loads((await self.socket.receive(timeout=PATIENCE)).data)
        if "re" not in told:
            self.told |= told
        return told


def words(told: dict[str, Any]) -> list[str]:
    """Return what the messages say that were written by people."""
    return [one["content"] for one in told["messages"]["all"]]

"""A plain HTTP client, a clock to move, and what the requests of the documentation look like."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import aiohttp

from sandbox.studii import Clock, Key, Options, StudiiServer

STUDIO: Mapping[str, str] = {
    "mode": "image",
    "source": "text",
    "quality": "standard",
    "aspect_ratio": "16:9",
    "prompt": "A misty pine forest at dawn, shafts of golden light",
}


class MovableClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 5, 14, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Reply:
    status: int
    body: dict[str, object]
    headers: Mapping[str, str]

    def text(self, name: str) -> str:
        value = self.body[name]
        assert isinstance(value, str)
        return value


class Client:
    def __init__(self, server: StudiiServer, http: aiohttp.ClientSession, clock: MovableClock) -> None:
        self.server, self.http, self.clock = server, http, clock

    async def send(
        self, method: str, path: str, key: Key | None, body: object = None, **headers: str
    ) -> Reply:
        sent = dict(headers) if key is None else {"Authorization": f"Bearer {key.secret}", **headers}
        async with self.http.request(
            method, self.server.url + path, json=body, headers=sent, allow_redirects=False
        ) as got:
            return Reply(got.status, cast("dict[str, object]", await got.json()), got.headers)

    async def create(
        self, key: Key, tool: str = "studio", inputs: object = STUDIO, source: str | None = None
    ) -> Reply:
        body = {"tool": tool, "inputs": inputs}
        return await self.send(
            "POST", "/jobs", key, body if source is None else {**body, "source_object_key": source}
        )

    async def status(self, key: Key, created: Reply) -> Reply:
        return await self.send("GET", f"/jobs/{created.text('id')}", key)

    async def ask_upload(self, key: Key) -> Reply:
        return await self.send(
            "POST", "/uploads", key, {"filename": "kitchen.jpg", "content_type": "image/jpeg"}
        )

    async def put(self, asked: Reply, data: object, **headers: str) -> int:
        sent = {"Content-Type": "image/jpeg", **headers}
        async with self.http.put(asked.text("signed_url"), data=data, headers=sent) as got:
            return got.status

    async def upload(self, key: Key, data: bytes) -> str:
        asked = await self.ask_upload(key)
        assert await self.put(asked, data) == 200
        return asked.text("object_key")


@asynccontextmanager
async def studii(options: Options | None = None) -> AsyncGenerator[Client]:
    """A server whose clock stands still until it is moved."""
    clock = MovableClock()
    watched: Clock = clock
    async with (
        StudiiServer(options or Options(long_side=96), clock=watched) as server,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http,
    ):
        yield Client(server, http, clock)

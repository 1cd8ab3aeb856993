"""Speaks to the page over HTTP as its script in a browser does."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self
from urllib.parse import urldefrag

import aiohttp

ANSWER_TIMEOUT = 5.0


class PageClient:
    """One open page: what it shows, and what its reader does on it."""

    def __init__(self, session: aiohttp.ClientSession, state: dict[str, Any]) -> None:
        self._session = session
        self._sequence = 0
        self.state = state

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, viewer: int | None = None) -> AsyncGenerator[Self]:
        base, capability = urldefrag(url)
        headers = {"X-Simcord-Capability": capability}
        async with aiohttp.ClientSession(base, headers=headers, raise_for_status=True) as session:
            chosen = {} if viewer is None else {"viewer_id": str(viewer)}
            async with session.post("/api/pages", json=chosen) as response:
                state = await response.json()
            session.headers["X-Simcord-Context"] = state["context"]["id"]
            yield cls(session, state)

    @property
    def revision(self) -> int:
        return self.state["publishedRevision"]

    @property
    def text(self) -> str:
        return str(self.state["messages"])

    async def look(self) -> None:
        async with self._session.get("/api/state") as response:
            self.state = await response.json()

    async def look_until(self, seen: Callable[[Self], bool]) -> None:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            while not seen(self):
                await asyncio.sleep(0.02)
                await self.look()

    async def act(self, kind: str, *, revision: int | None = None, **details: Any) -> dict[str, Any]:
        """Act on what is shown, or on what an earlier revision showed, and look again; the receipt."""
        action = {
            "protocol_version": 3,
            "sequence": self._sequence + 1,
            "request_id": f"request-{self._sequence + 1}",
            "generation": self.state["context"]["generation"],
            "bot_generation": self.state["botGeneration"],
            "published_revision": self.revision if revision is None else revision,
            "kind": kind,
            **details,
        }
        async with self._session.post("/api/action", json=action) as response:
            receipt = await response.json()
        if not receipt["rejected"]:
            self._sequence += 1
        await self.look()
        return receipt

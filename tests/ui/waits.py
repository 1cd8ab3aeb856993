"""What an answer waits for on its way, one after the other, each of which can take too long."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from discord.http import HTTPClient, Route

from bot.db import Database
from bot.ui.kit import answers as kit_answers


class Waits:
    """The waits for reads of the database and for requests to Discord, on the way to a form.

    The one with the number `held`, from 1, takes too long for the form. `unbounded` are those that could take
    any time without that anyone is told.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, discord_: HTTPClient, held: int) -> None:
        self.count = 0
        self.unbounded = list[str]()
        self._held = held
        self._bounds = list[asyncio.Timeout]()
        self._over = asyncio.Event()
        ask, request = Database.read, discord_.request

        async def slow_asking(db: Database, work: Callable[..., Any], *args: Any, **more: Any) -> Any:
            await self._wait("the database")
            return await ask(db, work, *args, **more)

        async def slow_request(route: Route, **given: Any) -> Any:
            await self._wait(f"{route.method} {route.path}")
            return await request(route, **given)

        monkeypatch.setattr(Database, "read", slow_asking)
        monkeypatch.setattr(discord_, "request", slow_request)
        monkeypatch.setattr(kit_answers, "_within", self._within)

    def end(self) -> None:
        """Let go on who else waits for what was held."""
        self._over.set()

    @asynccontextmanager
    async def _within(self, _seconds: float) -> AsyncGenerator[None]:
        async with asyncio.timeout(None) as bound:
            self._bounds.append(bound)
            try:
                yield
            finally:
                self._bounds.remove(bound)

    async def _wait(self, what: str) -> None:
        self.count += 1
        if not self._bounds:
            self.unbounded.append(what)
        elif self.count == self._held:
            for bound in self._bounds:
                bound.reschedule(asyncio.get_running_loop().time())
            await self._over.wait()

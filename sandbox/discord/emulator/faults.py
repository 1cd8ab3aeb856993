"""Requests that go wrong on the way, or whose answers do."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from sandbox.discord.emulator.refusals import Refusal

FaultHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Fault:
    """How a request goes wrong: the status of a page that a proxy made, or None for a connection that is
    reset, before or `after` it has taken effect.

    `delay`: seconds until the answer; with `status` 200 that is all that goes wrong. `refusal`: what Discord
    itself says instead of doing it.
    """

    status: int | None = 502
    after: bool = False
    delay: float = 0.0
    refusal: tuple[int, int, str] | None = None


class Faults:
    """The next faults of each kind of request, one after the other."""

    def __init__(self) -> None:
        self._next: dict[str, list[Fault]] = {}

    def add(self, call: str, *faults: Fault) -> None:
        """Spoil the next requests of that kind."""
        self._next.setdefault(call, []).extend(faults)

    def clear(self) -> None:
        """Spoil nothing more."""
        self._next.clear()

    def spoilt(self, call: str, handler: FaultHandler) -> FaultHandler:
        """Return the handler with the faults of that kind in front."""

        async def handle(request: web.Request) -> web.StreamResponse:
            waiting = self._next.get(call)
            if not waiting:
                return await handler(request)
            return await _meet(waiting.pop(0), request, handler)

        return handle


async def _meet(fault: Fault, request: web.Request, handler: FaultHandler) -> web.StreamResponse:
    if fault.refusal is not None:
        raise Refusal(*fault.refusal)
    answer: web.StreamResponse | None = None
    if fault.after or fault.status == 200:
        answer = await handler(request)
    await asyncio.sleep(fault.delay)
    if fault.status == 200 and answer is not None:
        return answer
    if fault.status is None and request.transport is not None:
        request.transport.abort()
    return web.Response(text="<html>", status=fault.status or 502, content_type="text/html")

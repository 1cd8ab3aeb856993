"""Failures on demand: what a network, a proxy or a tired server may do to one request.

A fault sees the request first. What "takes effect" really happens (a job is created and charged, bytes are
stored) before its answer is spoilt.
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, cast

from aiohttp import web

Endpoint = Literal["create", "status", "upload", "put", "output"]
Effect = Callable[[], Awaitable[web.Response]]


class Fault(Protocol):
    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        """Return the answer to give in the place of the true one.

        None if the connection was closed instead.
        """
        ...


@dataclass(frozen=True)
class Answer:
    """Another answer: by default without effect, or with `after` once the request has taken effect."""

    status: int
    body: str = '{"error": "Something went wrong on our side."}'
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    after: bool = False

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        if self.after:
            await effect()
        return web.Response(
            status=self.status, text=self.body, content_type=self.content_type, headers=self.headers
        )


def error(status: int, message: str = "Something went wrong on our side.", *, after: bool = False) -> Answer:
    """Return an error in Studii's own form."""
    return Answer(status, json.dumps({"error": message}), after=after)


def proxy_error(status: int = 502, *, after: bool = False) -> Answer:
    """Return an HTML page, as a gateway in front of the API sends it."""
    page = f"<html><head><title>{status}</title></head><body><h1>{status} Bad Gateway</h1></body></html>"
    return Answer(status, page, "text/html", after=after)


def rate_limited(retry_after: str | int | None = None) -> Answer:
    """Return a 429, with `retry_after` in seconds, as an HTTP date, or not at all."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(429, '{"error": "Rate limit exceeded. Try again later."}', headers=headers)


def gone() -> Answer:
    """Return the answer for an output that is no longer there."""
    return error(404, "Object not found.")


@dataclass(frozen=True)
class Redirect:
    """Points elsewhere, by default back to the same address."""

    status: int = 307
    location: str | None = None

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        return web.Response(status=self.status, headers={"Location": self.location or str(request.url)})


@dataclass(frozen=True)
class DropBefore:
    """The connection closes before the request takes effect."""

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        _hang_up(request)
        return None


@dataclass(frozen=True)
class DropAfter:
    """The request takes effect, and then the connection closes without an answer."""

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        await effect()
        _hang_up(request)
        return None


@dataclass(frozen=True)
class Slow:
    """Waits before the request takes effect, or with `after` between the effect and the answer."""

    seconds: float
    after: bool = False

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        if self.after:
            response = await effect()
            await asyncio.sleep(self.seconds)
            return response
        await asyncio.sleep(self.seconds)
        return await effect()


@dataclass(frozen=True)
class Held:
    """Waits until `release` is set before the request takes effect."""

    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        await self.release.wait()
        return await effect()


@dataclass(frozen=True)
class Truncated:
    """The true answer, but the connection closes in the middle of the body that Content-Length promised."""

    share: float = 0.5

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        whole = await effect()
        body = _body(whole)
        part = web.StreamResponse(status=whole.status)
        part.content_type = whole.content_type
        part.content_length = len(body)
        await part.prepare(request)
        await part.write(body[: max(1, int(len(body) * self.share))])
        if request.transport is not None:
            request.transport.close()
        return part


@dataclass(frozen=True)
class Malformed:
    """A whole body that is no JSON: the true one without its end."""

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        whole = await effect()
        body = _body(whole)
        return web.Response(status=whole.status, body=body[: len(body) // 2], content_type=whole.content_type)


@dataclass(frozen=True)
class WrongShape:
    """Valid JSON, but not what was promised: fields missing (by default all) or of another type."""

    without: frozenset[str] | None = None
    replaced: Mapping[str, object] = field(default_factory=dict[str, object])

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        whole = await effect()
        body = cast("dict[str, object]", json.loads(_body(whole)))
        without = frozenset(body) if self.without is None else self.without
        kept = {name: value for name, value in body.items() if name not in without}
        return web.json_response({**kept, **self.replaced}, status=whole.status)


def _body(response: web.Response) -> bytes:
    body = response.body
    return body if isinstance(body, bytes) else b""


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


class FaultQueue:
    """Faults waiting for the next requests to their endpoints, in order."""

    def __init__(self) -> None:
        self._waiting: dict[Endpoint, deque[Fault]] = {}

    def add(self, endpoint: Endpoint, fault: Fault, times: int) -> None:
        self._waiting.setdefault(endpoint, deque()).extend([fault] * times)

    def take(self, endpoint: Endpoint) -> Fault | None:
        waiting = self._waiting.get(endpoint)
        return waiting.popleft() if waiting else None

    def left(self, endpoint: Endpoint) -> int:
        return len(self._waiting.get(endpoint, ()))

    def clear(self) -> None:
        self._waiting.clear()

"""A server that says what a test wants, byte for byte, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDictProxy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Bare:
    url: str = ""
    headers: list[CIMultiDictProxy[str]] = field(default_factory=list[CIMultiDictProxy[str]])
    bodies: list[bytes] = field(default_factory=list[bytes])


@asynccontextmanager
async def answering(handler: Handler) -> AsyncGenerator[Bare]:
    """An aiohttp server with one handler for everything."""
    bare = Bare()

    async def record(request: web.Request) -> web.StreamResponse:
        bare.headers.append(request.headers)
        return await handler(request)

    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", "/{tail:.*}", record)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        bare.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield bare
    finally:
        await runner.cleanup()


@asynccontextmanager
async def speaking(*answers: bytes) -> AsyncGenerator[Bare]:
    """A server that gives one raw answer to each request, whatever it is, and hangs up after the last of a
    connection: an empty answer hangs up at once."""
    bare, waiting = Bare(), list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while waiting:
                bare.bodies.append(await reader.readuntil(b"\r\n\r\n"))
                answer = waiting.pop(0)
                if not answer:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        bare.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield bare

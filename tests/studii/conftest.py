"""The client against the API on loopback, over real HTTP; or against a server that says what a test wants."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from aiohttp import web
from multidict import CIMultiDictProxy

from bot.aio.net import Connector, Proxy
from bot.studii import StudiiClient, Timeouts
from sandbox.studii import Endpoint, Key, Options, StudiiServer
from sandbox.studii.api import API
from tests.support.proxy import PASSWORD, ConnectProxy
from tests.support.tls import certificate, contexts

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


QUICK = Timeouts(connect=1.0, read=0.3, total=2.0, transfer=5.0)
HOST = "studii.tech"
ENDPOINTS: tuple[Endpoint, ...] = ("create", "status", "upload")
INPUTS = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A misty pine forest at dawn"}


async def ask(client: StudiiClient, secret: str, endpoint: Endpoint, job_id: str = "8a1f") -> None:
    if endpoint == "create":
        await client.create_job(secret, "studio", INPUTS)
    elif endpoint == "status":
        await client.job_status(secret, job_id)
    else:
        await client.request_upload(secret, "kitchen.jpg", "image/jpeg")


class Behind(NamedTuple):
    """Studii, the proxy that leads there, and a client that knows no other way."""

    server: StudiiServer
    proxy: ConnectProxy
    client: StudiiClient
    key: Key


@asynccontextmanager
async def behind(
    folder: Path, password: str = PASSWORD, timeouts: Timeouts = QUICK
) -> AsyncGenerator[Behind]:
    serving, trusting = contexts(certificate(folder, HOST))
    async with StudiiServer(Options(instant=True), tls=serving) as server:
        port = int(server.url.removesuffix(API).rpartition(":")[2])
        async with ConnectProxy({f"{HOST}:443": port}) as proxy:
            connect = partial(Connector, Proxy.parse(proxy.address(password)), ssl=trusting)
            async with StudiiClient(f"https://{HOST}{API}", timeouts=timeouts, connect=connect) as client:
                yield Behind(server, proxy, client, server.add_key())


@pytest.fixture
async def server() -> AsyncIterator[StudiiServer]:
    async with StudiiServer(Options(instant=True)) as server:
        yield server


@pytest.fixture
async def client(server: StudiiServer) -> AsyncIterator[StudiiClient]:
    async with StudiiClient(server.url, timeouts=QUICK) as client:
        yield client


@pytest.fixture
def key(server: StudiiServer) -> Key:
    return server.add_key()

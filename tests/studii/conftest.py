"""The client against the API on loopback, over real HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.aio.net import Connector, Proxy
from bot.studii import StudiiClient, Timeouts
from sandbox.studii import Endpoint, Key, Options, StudiiServer
from sandbox.studii.api import API
from tests.support.proxy import PASSWORD, ConnectProxy
from tests.support.tls import certificate, contexts

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

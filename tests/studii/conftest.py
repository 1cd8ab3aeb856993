"""The client against the API on loopback, over real HTTP."""

from collections.abc import AsyncIterator

import pytest

from bot.studii import StudiiClient, Timeouts
from sandbox.studii import Key, Options, StudiiServer

QUICK = Timeouts(connect=1.0, read=0.3, total=2.0, transfer=5.0)


@pytest.fixture
async def server() -> AsyncIterator[StudiiServer]:
    async with StudiiServer(Options(instant=True)) as server:
        yield server


@pytest.fixture
async def client(server: StudiiServer) -> AsyncIterator[StudiiClient]:
    async with StudiiClient(server.url, timeouts=QUICK, retry_wait=0.0) as client:
        yield client


@pytest.fixture
def key(server: StudiiServer) -> Key:
    return server.add_key()

from collections.abc import AsyncIterator

import pytest

from sandbox.studii import Key
from tests.sandbox.studii.client import Client, studii


@pytest.fixture
async def api() -> AsyncIterator[Client]:
    async with studii() as client:
        yield client


@pytest.fixture
def key(api: Client) -> Key:
    return api.server.add_key()

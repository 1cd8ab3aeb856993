"""One decoder for all tests of a module: each would start processes of its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from bot.media.pool import DecoderPool


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[DecoderPool]:
    async with DecoderPool() as decoder:
        yield decoder

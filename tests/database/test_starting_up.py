"""A PostgreSQL that starts up or shuts down is away for the moment, whatever was asked of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from bot.db import Database
from bot.errors import DatabaseAway

SAYS = {
    "57P03": "the database system is starting up",
    "57P01": "terminating connection due to administrator command",
}


@asynccontextmanager
async def a_server_that_says(code: str) -> AsyncGenerator[str]:
    """Answers each connection as PostgreSQL does while it takes none ("Message Formats" in its manual)."""
    fields = f"SFATAL\0VFATAL\0C{code}\0M{SAYS[code]}\0\0".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = int.from_bytes(await reader.readexactly(4))
            await reader.readexactly(length - 4)
            # A request for TLS has eight bytes; the others begin a session.
            writer.write(b"N" if length == 8 else b"E" + (len(fields) + 4).to_bytes(4) + fields)
            await writer.drain()
            if length == 8:
                await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"postgresql+asyncpg://bot@127.0.0.1:{port}/studii"


@pytest.mark.promise
@pytest.mark.parametrize("code", SAYS)
async def test_a_server_that_takes_no_connection_now_is_away(code: str) -> None:
    async with a_server_that_says(code) as url:
        db = Database(url)
        try:
            for ask in (db.read, db.write):
                with pytest.raises(DatabaseAway):
                    await ask(lambda _: None)
        finally:
            await db.close()

"""A CONNECT proxy on 127.0.0.1 that leads names to servers of the tests."""

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

USER, PASSWORD = "maya", "pass:w@rd/1"
Trouble = int | Literal["hang up", "garbage", "silence"]
_AUTHORIZATION = b"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode())


class ConnectProxy:
    """Asks for `USER` and `PASSWORD`, and leads "host:port" to a port of this machine.

    `asked` is what it was asked to lead to. `trouble` spoils everything from then on: it refuses with a
    status, hangs up, talks garbage, or says nothing.
    """

    def __init__(self, ways: Mapping[str, int]) -> None:
        self._ways = ways
        self._server: asyncio.Server | None = None
        self._tunnels: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.asked: list[str] = []
        self.trouble: Trouble | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    def address(self, password: str = PASSWORD) -> str:
        """Return the value of HTTPS_PROXY."""
        return f"http://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tunnels = dict(self._tunnels)
        for writer in tunnels.values():
            writer.transport.abort()
        await asyncio.gather(*tunnels, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tunnels[task] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._lead(reader, writer)
        finally:
            writer.close()
            self._tunnels.pop(task)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, where, _ = head.split(b" ", 2)
        assert method == b"CONNECT"
        self.asked.append(where.decode())
        if self.trouble == "hang up":
            return
        if self.trouble == "garbage":
            writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
            await writer.drain()
            return
        if self.trouble == "silence":
            await reader.read()
            return
        status = 407 if _AUTHORIZATION not in head else self.trouble
        if isinstance(status, int):
            writer.write(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
            await writer.drain()
            return
        there, away = await asyncio.open_connection("127.0.0.1", self._ways[where.decode()])
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await asyncio.gather(_pass_on(reader, away), _pass_on(there, writer))
        finally:
            away.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()

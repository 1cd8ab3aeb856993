"""Connections that are refused to a process without the right to send, right before it sends."""

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientConnectorError, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL


@dataclass(frozen=True, slots=True)
class Gate:
    """An answer whether a request to an address may be sent now, or how many seconds it has to wait."""

    allows: Callable[[URL], bool]
    delay: Callable[[URL], float] = lambda _: 0.0


class GatedConnector(TCPConnector):
    """Asks the gate for each request. Of a refused one no byte was sent, as after a failed connection."""

    def __init__(self, gate: Gate, **options: Any) -> None:
        super().__init__(**options)  # pyright: ignore[reportUnknownMemberType] - partly untyped there
        self._gate = gate

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        if (seconds := self._gate.delay(req.url)) > 0:
            await asyncio.sleep(seconds)
        connection = await super().connect(req, traces, timeout)
        # Between here and the request's first byte nothing is awaited.
        if not self._gate.allows(req.url):
            connection.close()
            raise ClientConnectorError(
                req.connection_key, OSError(errno.EPERM, "this process may not send now")
            )
        return connection

"""The HTTP server of /healthz and /metrics."""

import asyncio
import logging
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Self, cast

# Not `aiohttp.web`: applications, routes and files take one MiB more, for two addresses.
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse, json_response
from aiohttp.web_server import Server

from bot.clock import Clock
from bot.errors import DatabaseFailed, SettingsError
from bot.monitoring.metrics import Metrics, Snapshot, Vitals
from bot.storage import Storage
from bot.version import VERSION

_log = logging.getLogger(__name__)

DATABASE_TIMEOUT = 5.0  # seconds until a database that does not let us write counts as not writable
STATUS_CACHED_SECONDS = 1.0
END_SECONDS = 1.0  # for what is being answered at the end
# Each connection takes one of the process's files, which jobs need, too.
MAX_CONNECTIONS = 32
CONNECTION_SECONDS = 20.0  # for one question and its answer, which may wait for the database
_READING = ("GET", "HEAD")
LATEST_POLL = 300.0  # seconds that a poll may be late: a key that Studii slows down rests that long


@dataclass(frozen=True, slots=True)
class Health:
    """The answer of /healthz. `alive` means that the engine runs and makes progress.

    A process that stands by is healthy if it could take over: it serves nobody, and is connected to nothing
    but the database.
    """

    ok: bool
    version: str
    standby: bool
    alive: bool
    gateway: bool
    database: bool
    oldest_due_poll_seconds: float


class HealthServer:
    """Serves while its context is open; as that of a process that stands by, until it `serves`.

    Raises `SettingsError` if the port can't be had.
    """

    def __init__(
        self,
        address: str,
        port: int,
        *,
        storage: Storage,
        metrics: Metrics,
        clock: Clock,
        shards: Callable[[], tuple[int, int]],
    ) -> None:
        """Take what the answers tell. `shards`: how many this process serves, and how many none does."""
        self._address = address
        self._port = port
        self._vitals: Vitals | None = None
        self._shards = shards
        self._storage = storage
        self._metrics = metrics
        self._clock = clock
        self._checking = asyncio.Lock()
        self._checked_at = float("-inf")
        self._well = True
        self._pages = {"/healthz": self._healthz, "/metrics": self._show_metrics}
        self._server = Server(self._answer, access_log=None)
        self._listening: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port on which it listens (of interest if 0 was asked for)."""
        return self._port if self._listening is None else self._listening.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(self._connection, self._address, self._port)
        except OSError as error:
            raise SettingsError.met(
                f"HEALTH_PORT {self._port} on {self._address} can't be used ({_why(error)}). Set another "
                "port, or stop the program that uses it.",
                error,
            ) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.close()
        await self._server.shutdown(END_SECONDS)

    def serves(self, vitals: Vitals) -> None:
        """Report on these parts from now on."""
        self._vitals = vitals

    async def check(self) -> Health:
        """Return the bot's health."""
        vitals, standby = self._vitals, self._vitals is None
        alive, gateway, late = True, False, 0.0
        if vitals is not None:
            alive, gateway, late = vitals.alive(), vitals.gateway(), vitals.oldest_due_poll()
        database = await self._database()
        ok = database and (standby or (alive and gateway and late < LATEST_POLL))
        return Health(ok, VERSION, standby, alive, gateway, database, round(late, 3))

    async def _database(self) -> bool:
        """Return whether it can be written, as checked within the last second: many may ask at once."""
        async with self._checking:
            if self._clock.monotonic() - self._checked_at >= STATUS_CACHED_SECONDS:
                self._well = await self._writable()
                self._checked_at = self._clock.monotonic()
            return self._well

    async def _writable(self) -> bool:
        try:
            async with (
                asyncio.timeout(2 * DATABASE_TIMEOUT),
                self._storage.write(patience=DATABASE_TIMEOUT) as transaction,
            ):
                await transaction.meta.set("health", self._clock.now().isoformat().encode())
        except Exception as error:  # noqa: BLE001 - whatever the reason, it can't be written
            if self._well:
                _log.warning("The database can't be written: %s", type(error).__name__)
            return False
        return True

    def _connection(self) -> asyncio.Protocol:
        """Return what reads from a new connection, which is closed in time, or at once if there are many."""
        if len(self._server.connections) >= MAX_CONNECTIONS:
            return _Refusing()
        handler = self._server()
        asyncio.get_running_loop().call_later(CONNECTION_SECONDS, handler.force_close)
        return handler

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            answer = Response(status=404)
        elif request.method not in _READING:
            answer = Response(status=405, headers={"Allow": ", ".join(_READING)})
        else:
            answer = await page()
        answer.force_close()
        return answer

    async def _healthz(self) -> Response:
        health = await self.check()
        return json_response(asdict(health), status=200 if health.ok else 503)

    async def _show_metrics(self) -> Response:
        try:
            async with asyncio.timeout(2 * DATABASE_TIMEOUT), self._storage.read() as transaction:
                jobs = await transaction.totals.jobs()
                reserved, spent = await transaction.totals.credits()
        except (DatabaseFailed, TimeoutError) as error:
            # No figures rather than wrong ones.
            _log.warning("The database can't be read: %s", type(error).__name__)
            return Response(status=503, text="The database can't be read.\n")
        unreadable = len(self._storage.unreadable)
        now = Snapshot(jobs, reserved, spent, unreadable_rows=unreadable, shards=self._shards())
        if (vitals := self._vitals) is not None:
            now = replace(
                now,
                lanes=vitals.lanes(),
                oldest_due_poll=vitals.oldest_due_poll(),
                spool=vitals.spool(),
                gateway=vitals.gateway(),
            )
        return Response(
            body=self._metrics.render(now),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


class _Refusing(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).abort()


def _why(error: OSError) -> str:
    # asyncio writes sentences of its own around the system's words.
    return (
        os.strerror(error.errno).lower() if error.errno and error.errno > 0 else error.strerror or str(error)
    )

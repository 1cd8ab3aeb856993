"""Show operators and their tools how the bot is doing: the log, metrics, health, and the watchdog."""

import asyncio
import faulthandler
import logging
import os
import re
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pythonjsonlogger.json

# Not `aiohttp.web`: applications, routes and files take one MiB more, for two addresses.
from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, json_response
from aiohttp.web_server import Server
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from bot import meta
from bot.clock import Clock
from bot.credits.usage import totals
from bot.db import Database
from bot.errors import DatabaseFailed, SettingsError
from bot.version import VERSION
from bot.visible_text import visible

_log = logging.getLogger(__name__)

DATABASE_TIMEOUT = 5.0  # seconds until a database that does not let us write counts as not writable
# The number of the process that logs, which shares its database with others, and the shards that it serves.
ORIGIN: ContextVar[Callable[[], tuple[int, frozenset[int]] | None]] = ContextVar(
    "origin", default=lambda: None
)

# What libraries log, also in the texts of their errors, and no one may read: a pattern, and what is shown.
_MASKED = (
    (re.compile(r"\bstu_[A-Za-z0-9_\-]{4,}|\bBearer\s+[^\s'\"]+"), "stu_…"),
    # The user and password of a proxy or a database, in an address or a header.
    (re.compile(r"(?<=://)[^\s/@'\"]+(?=@)|(?<=\bBasic )[A-Za-z0-9+/=]{8,}"), "…"),
    # The token of an interaction in a URL of Discord, with which anybody can answer for 15 minutes.
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[^\s/?'\"]+"), r"\1…"),
    # The query of a URL, which may contain its signature.
    (re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>]*"), r"\1?…"),
)

# What is read when the metrics are requested: what it is, and its labels.
_GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "studii_jobs": ("Jobs by state and tool", ("state", "tool")),
    "studii_credits": ("Credits reserved for open jobs, and spent so far", ("what",)),
    "studii_lane_occupancy": (
        "Share of the requests that a key allows in a minute that is in use",
        ("lane",),
    ),
    "studii_oldest_due_poll_seconds": ("How late the most overdue poll of a job is", ()),
    "studii_unreadable_rows": ("Jobs whose row could not be read since the start; see the log", ()),
    "studii_gateway_connected": ("Whether Discord's gateway is connected", ()),
    "studii_spool_bytes": ("Photos and results on their way, in bytes: used, and the limit", ("what",)),
    "studii_shards": (
        "Shards of Discord's gateway: held by this process, and free, as no process serves them",
        ("what",),
    ),
}

disable_created_metrics()  # a time for each counter, which Prometheus doesn't read in this format


class Metrics:
    """The metrics for Prometheus, in a registry of their own, so that two bots in a process share none.

    They contain no name or id of a server.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=registry), partial(Histogram, registry=registry)
        Info("studii_build", "The version that runs", registry=registry).info({"version": VERSION})
        ProcessCollector(namespace="studii", registry=registry)
        self.discord_requests = counter(
            "studii_discord_requests",
            "Requests to Discord's API, by the status of the answer (none: no answer)",
            ("status",),
        )
        self.gateway_connections = counter(
            "studii_gateway_connections",
            "Connections to Discord's gateway: new ones, and ones that resumed where the last one broke off",
            ("kind",),
        )
        self.interactions = counter(
            "studii_interactions",
            "Commands, buttons and forms, by the outcome of the first answer",
            ("kind", "outcome"),
        )
        self.first_answer = histogram(
            "studii_first_answer_seconds",
            "From hearing of a command, button or form to Discord's taking the first answer",
            buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0),  # Discord waits 3 seconds
        )
        self._requests = counter(
            "studii_requests",
            "Requests to Studii and its storage, by kind and by status of the answer (none: no answer)",
            ("kind", "status"),
        )
        self._limited = counter("studii_rate_limited", "Answers from Studii with status 429")
        self.posted = histogram(
            "studii_finished_to_posted_seconds",
            "From noticing that a job has ended to its message in Discord",
            buckets=(0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0),
        )
        seconds = histogram(
            "studii_database_seconds",
            "Time of a transaction (read, write), and of waiting for the turn to write (turn)",
            ("what",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
        )
        # Finding the one with a label takes longer than to count; there are three.
        self._database = {what: seconds.labels(what) for what in ("read", "write", "turn")}
        self._refused = counter(
            "studii_database_failures",
            "Transactions that failed: a full disk, a server that is away, or a wait that was too long",
        )
        self.decoder_deaths = counter(
            "studii_decoder_deaths",
            "Processes that open pictures and ended on one, or exceeded a bound",
        )
        # Shards that were taken over, and transactions that found another process in this one's place
        self.cluster = {
            "takeover": counter("studii_takeovers", "Shards that this process has taken"),
            "fence": counter(
                "studii_fences_met",
                "Transactions that were refused because another process had taken over",
            ),
        }
        self._gauges = {name: Gauge(name, *about, registry=registry) for name, about in _GAUGES.items()}

    def request(self, kind: str, status: int | None) -> None:
        """Count a request to Studii that was answered with that status, or not at all (None)."""
        self._requests.labels(kind, "none" if status is None else str(status)).inc()
        if status == 429:
            self._limited.inc()

    def database(self, what: str, seconds: float) -> None:
        """Record the seconds of a transaction ("read", "write") or of waiting to write ("turn"), or count one
        of those that failed ("failure")."""
        if what == "failure":
            self._refused.inc()
        else:
            self._database[what].observe(seconds)

    def render(self, figures: Mapping[str, Mapping[tuple[str, ...], float]]) -> bytes:
        """Return all metrics in Prometheus' text format, with these figures, by their labels, alone."""
        for name, values in figures.items():
            gauge = self._gauges[name]
            if () not in values:
                gauge.clear()
            for labels, value in values.items():
                (gauge.labels(*labels) if labels else gauge).set(value)
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class Vitals:
    """Functions that read the state of the running parts, by default of none, as in a process that stands by.

    `alive` means that the engine runs and makes progress. `lanes` is the share of each lane's requests in
    use, by the lane's hash. `spool` is the bytes in use, and the most there may be.
    """

    alive: Callable[[], bool] = lambda: True
    gateway: Callable[[], bool] = lambda: False
    oldest_due_poll: Callable[[], float] = lambda: 0.0
    lanes: Callable[[], Mapping[str, float]] = dict
    spool: Callable[[], tuple[int, int]] = lambda: (0, 0)


STANDBY = Vitals()


@dataclass(slots=True)
class HealthServer:
    """The HTTP server of /healthz and /metrics.

    A process that stands by is healthy if it could take over: it serves no one, and is connected to nothing
    but the database. `shards` returns how many this process serves, and how many none does.
    """

    db: Database
    metrics: Metrics
    clock: Clock
    shards: Callable[[], tuple[int, int]]
    vitals: Vitals = STANDBY
    port: int = 0  # on which it listens

    @asynccontextmanager
    async def listening(self, address: str, port: int) -> AsyncGenerator["HealthServer"]:
        """Answer while the context is open. Raises `SettingsError` if the port can't be had."""
        server = Server(self._answer, access_log=None)
        try:
            listener = await asyncio.get_running_loop().create_server(
                partial(_connection, server), address, port
            )
        except OSError as error:
            # asyncio writes sentences of its own around the system's words.
            number = error.errno or 0
            why = os.strerror(number).lower() if number > 0 else error.strerror or str(error)
            raise SettingsError.met(
                f"HEALTH_PORT {port} on {address} can't be used ({why}). Set another port, or stop the "
                "program that uses it.",
                error,
            ) from error
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            await server.shutdown(1.0)  # seconds for what is being answered

    async def health(self) -> dict[str, Any]:
        """Return the bot's health, the answer of /healthz."""
        vitals, standby = self.vitals, self.vitals is STANDBY
        alive, gateway, late = vitals.alive(), vitals.gateway(), vitals.oldest_due_poll()
        database = await self._writable()
        return {
            # A key that Studii slows down rests for up to 300 s.
            "ok": database and (standby or (alive and gateway and late < 300.0)),
            "version": VERSION,
            "standby": standby,
            "alive": alive,
            "gateway": gateway,
            "database": database,
            "oldest_due_poll_seconds": round(late, 3),
        }

    async def _writable(self) -> bool:
        """Return whether the database can be written. It logs itself if it can't."""
        try:
            async with asyncio.timeout(2 * DATABASE_TIMEOUT):
                await self.db.write(
                    meta.set_to,
                    "health",
                    self.clock.now().isoformat().encode(),
                    within=DATABASE_TIMEOUT,
                )
        except Exception:  # noqa: BLE001 - for any reason, it can't be written
            return False
        return True

    async def _answer(self, request: BaseRequest) -> Response:
        if request.path not in ("/healthz", "/metrics"):
            answer = Response(status=404)
        elif request.path == "/healthz":
            health = await self.health()
            answer = json_response(health, status=200 if health["ok"] else 503)
        else:
            answer = await self._figures()
        answer.force_close()
        return answer

    async def _figures(self) -> Response:
        try:
            async with asyncio.timeout(2 * DATABASE_TIMEOUT):
                jobs, reserved, spent = await self.db.read(totals)
        except (DatabaseFailed, TimeoutError) as error:
            # No figures rather than wrong ones.
            _log.warning("The database can't be read: %s", type(error).__name__)
            return Response(status=503, text="The database can't be read.\n")
        vitals, (held, free) = self.vitals, self.shards()
        used, limit = vitals.spool()
        figures: dict[str, Mapping[tuple[str, ...], float]] = {
            "studii_jobs": jobs,
            "studii_credits": {("reserved",): reserved, ("spent",): spent},
            "studii_shards": {("held",): held, ("free",): free},
            "studii_spool_bytes": {("used",): used, ("limit",): limit},
            "studii_lane_occupancy": {(lane,): share for lane, share in vitals.lanes().items()},
            "studii_oldest_due_poll_seconds": {(): vitals.oldest_due_poll()},
            "studii_gateway_connected": {(): vitals.gateway()},
            "studii_unreadable_rows": {(): len(self.db.unreadable)},
        }
        return Response(
            body=self.metrics.render(figures),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )


def _connection(server: Server) -> asyncio.Protocol:
    """Return what reads from a new connection, which is closed in time, or at once if there are many."""
    handler, many = server(), len(server.connections) >= 32
    # Each takes one of the process's files, which jobs need, too. An answer may wait for the database.
    asyncio.get_running_loop().call_later(0 if many else 20.0, handler.force_close)
    return handler


@asynccontextmanager
async def watchdog(
    stuck: Callable[[], str | None], *, beat: float = 1.0, standstill: float = 60.0
) -> AsyncGenerator[None]:
    """End the process with status 1, and print each thread's stack, if the event loop stands still for
    `standstill` seconds or `stuck` has a reason. All work continues from the database, so nothing is lost."""

    async def live() -> None:
        reason: str | None = None
        while reason is None:
            faulthandler.dump_traceback_later(standstill, exit=True, file=out)
            await asyncio.sleep(beat)
            try:
                reason = stuck()
            except Exception:  # noqa: BLE001 - logged; the loop is still watched
                _log.exception("Could not check whether the engine makes progress.")
        _log.critical("The engine makes no progress (%s): ending the process.", reason)
        # Here and not by the timer, which reads the stacks of threads that run: that can crash instead.
        faulthandler.dump_traceback(file=out)
        os._exit(1)

    with open(os.devnull, "w") as nowhere:  # noqa: PTH123, ASYNC230 - it doesn't block
        out = sys.stderr or nowhere
        task = asyncio.create_task(live(), name="watchdog")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            faulthandler.cancel_dump_traceback_later()


def mask(text: str) -> str:
    """Return the text without Studii keys, users and passwords, tokens of interactions, and signatures.

    The bot does not log them, but libraries do, also in the texts of their errors.
    """
    for secret, shown in _MASKED:
        text = secret.sub(shown, text)
    return text


def _about(record: logging.LogRecord) -> dict[str, Any]:
    """Return the id of the job that a record is about (what its text calls a job, or its field `job`), and
    the process and its shards where there may be several."""
    about: dict[str, Any] = {}
    before, named, _ = str(record.msg).partition("ob %s")
    given = record.args if named and isinstance(record.args, tuple) else None
    job = getattr(record, "job", None) if given is None else given[before.count("%")]
    if job is not None:
        about["job"] = str(job)
    if (origin := ORIGIN.get()()) is not None:
        about |= {"process": origin[0], "shards": sorted(origin[1])}
    return about


class TextFormatter(logging.Formatter):
    """Formats a record as one line, for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        about, line = _about(record), super().format(record)
        if "job" in about and about["job"] not in line:
            line += f" [job {about['job']}]"
        if "process" in about:
            line += f" [process {about['process']}, shards {','.join(map(str, about['shards'])) or '-'}]"
        return mask(visible(line))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        # Untrusted text must not start a line that looks like a record.
        record.message = " ".join(record.message.splitlines())
        return super().formatMessage(record)


class JsonFormatter(pythonjsonlogger.json.JsonFormatter):
    """Formats a record as a JSON object on a line of its own, for machines."""

    def __init__(self) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            ("name", "message"),
            rename_fields={"name": "logger", "exc_info": "error"},
            timestamp="time",
            json_ensure_ascii=False,
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data |= {"level": record.levelname.lower()} | _about(record)

    def format(self, record: logging.LogRecord) -> str:
        return mask(visible(super().format(record)))


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Send the log to standard error, and remove all other handlers."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # At INFO, on every start; at DEBUG, twenty lines a second while it waits, and each statement with values.
    for name, least in (("alembic", "WARNING"), ("filelock", "INFO"), ("aiosqlite", "INFO")):
        logging.getLogger(name).setLevel(least)

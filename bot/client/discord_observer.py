"""Counts what passes between the bot and Discord, without taking part in it."""

import re
from types import SimpleNamespace

import aiohttp
import discord
from discord.ext import commands
from discord.http import Route

from bot.aio.tasks import BoundedDict
from bot.clock import Clock
from bot.monitoring import Metrics

_FIRST_ANSWER = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
UNANSWERED_AFTER = 15.0  # seconds; Discord gives up after 3
_GONE = 404  # Discord no longer waits for the answer


class DiscordObserver:
    """Reports requests to Discord's API, connections to its gateway, and first answers to the metrics."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._open: BoundedDict[int, tuple[str, float]] = BoundedDict(10_000)  # id -> kind, heard at

    def trace(self) -> aiohttp.TraceConfig:
        """Return what discord.py gives its HTTP session, for the requests."""
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._on_end)
        trace.on_request_exception.append(self._on_exception)
        return trace

    def listen(self, bot: commands.AutoShardedBot) -> None:
        """Observe the bot's connections and interactions."""
        bot.add_listener(self._on_connect, "on_shard_connect")
        bot.add_listener(self._on_resumed, "on_shard_resumed")
        bot.add_listener(self.heard, "on_interaction")

    async def _on_connect(self, _shard_id: int) -> None:
        self._metrics.gateway_connections.labels("new").inc()

    async def _on_resumed(self, _shard_id: int) -> None:
        self._metrics.gateway_connections.labels("resumed").inc()

    async def heard(self, interaction: discord.Interaction) -> None:
        """Note that a command, button or form was used and has to be answered."""
        self._give_up()
        self._open[interaction.id] = interaction.type.name, self._clock.monotonic()

    async def _on_end(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        self._count(str(end.url), end.response.status)

    async def _on_exception(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        failed: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        self._count(str(failed.url), None)

    def _count(self, url: str, status: int | None) -> None:
        if not url.startswith(Route.BASE):
            return  # the gateway's or the CDN's
        self._metrics.discord_requests.labels("none" if status is None else str(status)).inc()
        found = _FIRST_ANSWER.search(url.partition("?")[0])
        heard = self._open.pop(int(found[1]), None) if found is not None else None
        if heard is None:
            return
        kind, at = heard
        outcome = "too_late" if status == _GONE else "failed"
        if status is not None and status < 300:
            outcome = "answered"
            self._metrics.first_answer.observe(self._clock.monotonic() - at)
        self._metrics.interactions.labels(kind, outcome).inc()

    def _give_up(self) -> None:
        """Count the interactions that were never answered. The oldest comes first."""
        now = self._clock.monotonic()
        while self._open:
            interaction_id, (kind, at) = next(iter(self._open.items()))
            if now - at < UNANSWERED_AFTER:
                return
            del self._open[interaction_id]
            self._metrics.interactions.labels(kind, "unanswered").inc()

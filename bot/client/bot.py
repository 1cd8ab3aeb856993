"""The Discord client: its intents, its extensions, and what its handlers work with."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, TypeVarTuple

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from bot.aio.tasks import InOrder, OutageRetry
from bot.base import DIRECT_MESSAGES
from bot.catalog import Catalog
from bot.client.commands import CatalogueTranslator, link_commands, register_commands
from bot.client.login import LOGIN_SECONDS, told_in_words
from bot.clock import Clock
from bot.cluster import Membership
from bot.jobs.models import Progress
from bot.languages import lazy
from bot.monitoring import Metrics
from bot.resources import Resources
from bot.ui.kit.answers import (
    MAX_OPEN_FORMS,
    NO_MENTIONS,
    AnswerKeeper,
    BoundedDict,
    Clicks,
    Host,
    answer_if_possible,
    begin_to_handle,
    tell,
)
from bot.ui.kit.layout import QUIET, boxed
from bot.ui.panels.controls import handle
from bot.ui.reading.languages import Readers

_log = logging.getLogger(__name__)

EXTENSIONS = (
    "cogs.tools",
    "cogs.commands",
    "cogs.events",
)
# The names that discord.py gives its tasks for listeners, for commands, and for buttons, menus and forms.
HANDLERS = ("discord.py: ", "CommandTree-invoker", "discord-ui-")
ANSWERING = "answers"  # Untranslated: a task's name
RESTARTING = lazy("The bot is restarting. Try again in a minute. Accepted jobs will continue automatically.")
# The gateway's INFO is about connections. Anything more verbose may contain a secret.
LOUDEST = {"discord": logging.WARNING, "discord.gateway": logging.INFO}


_R = TypeVarTuple("_R")


class ComparingCog(commands.Cog):
    """Base of cogs that compare what Discord has with what is known, whenever the connection is ready."""

    def __init__(self, client: discord.Client) -> None:
        self._client, self._until_back = client, OutageRetry()

    async def compare(self) -> None:
        """Find and handle the changes of which no event was handled. To be overridden."""
        raise NotImplementedError

    async def handle(self, work: Callable[[*_R], Awaitable[None]], *args: *_R) -> None:
        """Do an event's work, after an outage that stops it. Events may come out of order then."""
        await self._until_back.run(partial(work, *args))

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        await self.handle(self.compare)

    @commands.Cog.listener()
    async def on_shard_ready(self, _shard_id: int) -> None:
        if self._client.is_ready():  # one that was taken over while others were served
            await self.handle(self.compare)


_FIRST_ANSWER = re.compile(r"/interactions/(\d+)/[^/]+/callback$")
UNANSWERED_AFTER = 15.0  # seconds; Discord gives up after 3


class DiscordObserver:
    """Reports requests to Discord's API, connections to its gateway, and first answers to the metrics."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._open: dict[int, tuple[str, float]] = {}  # id -> kind, heard at

    def trace(self) -> aiohttp.TraceConfig:
        """Return what discord.py gives its HTTP session, for the requests."""
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._requested)
        trace.on_request_exception.append(self._requested)
        return trace

    def listen(self, bot: commands.AutoShardedBot) -> None:
        """Observe the bot's connections and interactions."""
        for event, kind in (("on_shard_connect", "new"), ("on_shard_resumed", "resumed")):
            bot.add_listener(partial(self._connected, kind), event)
        bot.add_listener(self.heard, "on_interaction")

    async def _connected(self, kind: str, _shard_id: int) -> None:
        self._metrics.gateway_connections.labels(kind).inc()

    async def heard(self, interaction: discord.Interaction) -> None:
        """Note that a command, button or form was used and has to be answered."""
        now = self._clock.monotonic()
        for number, (kind, at) in [*self._open.items()]:
            if now - at >= UNANSWERED_AFTER:
                del self._open[number]
                self._metrics.interactions.labels(kind, "unanswered").inc()
        self._open[interaction.id] = interaction.type.name, now

    async def _requested(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        made: aiohttp.TraceRequestEndParams | aiohttp.TraceRequestExceptionParams,
    ) -> None:
        url = str(made.url)
        status = made.response.status if isinstance(made, aiohttp.TraceRequestEndParams) else None
        if not url.startswith(Route.BASE):
            return  # the gateway's or the CDN's
        self._metrics.discord_requests.labels("none" if status is None else str(status)).inc()
        found = _FIRST_ANSWER.search(url.partition("?")[0])
        if found is None or (heard := self._open.pop(int(found[1]), None)) is None:
            return
        kind, at = heard
        outcome = "too_late" if status == 404 else "failed"  # Discord no longer waits for it
        if status is not None and status < 300:
            outcome = "answered"
            self._metrics.first_answer.observe(self._clock.monotonic() - at)
        self._metrics.interactions.labels(kind, outcome).inc()


class StudiiTree(app_commands.CommandTree["StudiiBot"]):
    """The tree of commands. Errors of all commands end here; see `tell`."""

    async def interaction_check(self, interaction: discord.Interaction["StudiiBot"], /) -> bool:
        begin_to_handle(interaction)
        if interaction.client.accepting:
            return True
        if interaction.type is discord.InteractionType.application_command:
            await answer_if_possible(interaction, boxed(QUIET, RESTARTING))
        return False

    async def on_error(
        self, interaction: discord.Interaction["StudiiBot"], error: app_commands.AppCommandError, /
    ) -> None:
        await tell(interaction, error)


class StudiiBot(commands.AutoShardedBot):
    """The bot in Discord. `attach` gives it what it works with, before it is started."""

    resources: Resources
    clock: Clock
    clicks: Clicks
    answers: AnswerKeeper

    def __init__(
        self,
        catalog: Catalog,
        *,
        intents: discord.Intents,
        dev_guild_id: int | None = None,
        connector: aiohttp.BaseConnector | None = None,
        observer: DiscordObserver | None = None,
        member: Membership | None = None,
    ) -> None:
        """Take over `connector`, which is closed with the bot. Without one discord.py makes its own.

        `member` says which shards are served; without one, these are all that Discord recommends.
        """
        self._member = member or Membership()
        shards = self._member.sharded
        super().__init__(
            # The library declares less than it accepts.
            shard_ids=None if shards is None else sorted(shards.held),  # pyright: ignore[reportArgumentType]
            shard_count=None if shards is None else shards.count,
            connector=connector,
            http_trace=observer.trace() if observer is not None else aiohttp.TraceConfig(),
            command_prefix=commands.when_mentioned,  # unused: see on_message
            help_command=None,
            tree_cls=StudiiTree,
            intents=intents,
            allowed_contexts=app_commands.AppCommandContext(guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True),
            allowed_mentions=NO_MENTIONS,
            # Nothing reads these caches, so they stay empty.
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            max_ratelimit_timeout=60.0,  # a longer wait is an error, not a task that hangs
        )
        for asks in ("static_login", "application_info", "get_bot_gateway"):
            setattr(self.http, asks, _bounded(getattr(self.http, asks)))
        if observer is not None:
            observer.listen(self)
        self.catalog = catalog
        self.accepting = True  # commands, until the bot is about to stop
        self.open_forms = BoundedDict[str, Callable[[Any], Awaitable[None]]](MAX_OPEN_FORMS)
        self.arrivals = InOrder()
        self.readers = Readers(self, lambda: self.resources)
        self._dev_guild_id = dev_guild_id
        self._identifying_at_once = 1
        self._begun: set[asyncio.Task[None]] = set()
        self.came = BoundedDict[int, float](10_000)  # the last ones; a session is resumed within minutes
        self._handle_once(self._connection.parsers)

    def attach(
        self,
        resources: Resources,
        clock: Clock,
        answers: AnswerKeeper,
        progress: Callable[[str], Awaitable[Progress]],
    ) -> None:
        """Give the bot what its commands, buttons and forms work with. `answers` run as long as the bot.

        `progress` returns a lane's estimates of a job.
        """
        self.resources, self.clock, self.clicks = resources, clock, Clicks(clock)
        self.answers, self.progress = answers, progress

    async def answered(self, patience: float = 2.0) -> None:
        """Return when the handlers of commands, buttons, forms and events have ended, or out of patience."""
        if handlers := _handlers():
            await asyncio.wait(handlers, timeout=patience)

    def gateway_connected(self) -> bool:
        """Return whether the gateway delivers events now."""
        shards = self._member.sharded
        connected = {shard.id for shard in self.shards.values() if not shard.is_closed()}
        wanted = self.shards.keys() if shards is None else shards.held
        return self.is_ready() and wanted <= connected

    async def setup_hook(self) -> None:
        await self.tree.set_translator(CatalogueTranslator())
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        if self._member.sharded is not None:
            self._identifying_at_once = await self._allowed_at_once()
            self._member.when_gained(self._gained)
        if self._member.shards.whole_bot:
            await register_commands(self.tree, self.resources.db, self._dev_guild_id)
        await link_commands(self.tree, self.resources.db, self._dev_guild_id)
        self._begin(self.answers.run(), ANSWERING)

    async def _allowed_at_once(self) -> int:
        """Return how many shards may identify themselves at once: one, if Discord doesn't say."""
        try:
            _, _, limits = await self.http.get_bot_gateway()
        except (discord.GatewayNotFound, TimeoutError):
            return 1
        return limits["max_concurrency"]

    async def login(self, token: str) -> None:
        """Log in. Raises `SettingsError` if Discord refuses the token, `Unavailable` if it fails."""
        with told_in_words():
            await super().login(token)

    async def launch_shards(self) -> None:
        """Connect each shard. Raises `Unavailable` if Discord doesn't say to where; later failures pass."""
        with told_in_words():
            await super().launch_shards()

    async def close(self) -> None:
        # A handler that continues without a session would end in an error.
        begun = (self._begun | _handlers()) - {asyncio.current_task()}
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        await super().close()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Wait for this process's turn, where others identify themselves with the same token."""
        if self._member.sharded is None:
            await super().before_identify_hook(shard_id, initial=initial)
        else:
            await self._member.identify_turn(shard_id or 0, self._identifying_at_once)

    def _gained(self, shards: frozenset[int]) -> None:
        connecting = "connecting more shards"  # Untranslated: a task's name
        self._begin(self._connect_more(sorted(shards)), connecting)
        self.answers.look_again()

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do the work in a task of the bot's own, which ends with it."""
        task = asyncio.create_task(work, name=name)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def launch_shard(self, gateway: URL, shard_id: int, *, initial: bool = False) -> None:
        """Connect the shard, and let it try again within seconds however long an outage lasts.

        discord.py would wait up to 2 seconds to the power of 10.
        """
        await super().launch_shard(gateway, shard_id, initial=initial)
        shard: Any = self.shards[shard_id]
        shard._parent._backoff._max = 4  # noqa: SLF001 - it has no setting

    async def _connect_more(self, shards: Sequence[int]) -> None:
        """Connect shards that were taken over while others were served."""
        if DIRECT_MESSAGES in shards:
            await register_commands(self.tree, self.resources.db, self._dev_guild_id)
            await link_commands(self.tree, self.resources.db, self._dev_guild_id)
        for shard in shards:
            self._connection.shard_ids = sorted({*self._connection.shard_ids, shard})
            # It tries again by itself until it is connected.
            await self.launch_shard(DiscordWebSocket.DEFAULT_GATEWAY, shard)

    def _handle_once(self, parsers: dict[str, Callable[[Any], None]]) -> None:
        """Pass each interaction on once: Discord may repeat events when it resumes a session.

        A press that was refused, as the second of a double click, would be taken then. When it came is noted
        here, as its handler begins later: in a task of its own, as all do.
        """
        parse = parsers["INTERACTION_CREATE"]

        def parse_once(event: Any) -> None:
            if int(event["id"]) not in self.came:
                self.came[int(event["id"])] = self.clock.monotonic()
                parse(event)

        parsers["INTERACTION_CREATE"] = parse_once

    async def on_message(self, message: discord.Message, /) -> None:
        """Ignore the message: there are no commands in messages."""

    async def on_interaction(self, interaction: discord.Interaction, /) -> None:
        """Do what was pressed, chosen or handed in; discord.py has dispatched what it has handlers for."""
        await handle(interaction)

    async def on_ready(self) -> None:
        _log.info("Ready as %s. Servers: %d.", self.user, len(self.guilds))


def _bounded(ask: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Await what a start needs of Discord for some seconds: the library waits minutes."""

    async def asked(*args: Any) -> Any:
        async with asyncio.timeout(LOGIN_SECONDS):
            return await ask(*args)

    return asked


def _handlers() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task.get_name().startswith(HANDLERS)}


_HOST: type[Host] = StudiiBot  # the type checker compares them


def quiet_discord_loggers() -> None:
    """Keep discord.py from logging whole events and requests: tokens and typed keys are in them.

    It logs no more than LOG_LEVEL wants either.
    """
    for name, level in LOUDEST.items():
        logging.getLogger(name).setLevel(max(level, logging.getLogger().level))
    # The bot joins no voice channels, so it needs no warnings about missing voice libraries.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

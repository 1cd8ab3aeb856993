"""The worlds around a bot that is measured: Discord, Studii and a database, prepared."""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.crowd.process import Bot, BotProcess, processor_of, started
from bot.clock import SystemClock
from bot.connections import used_once
from bot.credits import budgets
from bot.db import Database
from bot.features import photo_rules
from bot.features.photo_rules import PhotoChannelKind, Preset
from bot.jobs.confirm import Tapper
from bot.jobs.models import Job
from bot.migrate import migrate
from bot.servers import keys as server_keys, settings as server_settings
from bot.servers.keys import Plan
from bot.servers.settings import Period
from bot.vault import Vault, lane_names
from sandbox.discord.emulator import TOKEN, DiscordServer, Rules
from sandbox.discord.emulator.ids import created_at
from sandbox.drawing import jpeg
from sandbox.studii import Key, Options, StudiiServer
from sandbox.studii.jobs import Durations, Outcome, Output
from sandbox.studii.render.scene import scene
from tests.engine.world import png
from tests.support import postgresql
from tests.support.database import given
from tests.support.tls import certificate, contexts

FIRST = 1 << 30  # the id of the first server
MEMBERS = 1 << 40  # the id of the first member
STAGING = "virtual-staging"
OFFERED = "🛋️"
BUDGET = 1_000_000  # credits a day
# The nonce of a result, or of what is said in its place. discord.py gives every message one.
LAST_WORD = re.compile(r"[0-9a-f]{16}-[0-9]+")
WAITS = 3600  # seconds that Studii asks a key to wait
SIDE = 64  # pixels of the picture that every job makes
ALL_JOBS = 100_000  # more than a measurement has


@dataclass(frozen=True)
class Wanted:
    """The worlds to be built. `takes`: seconds that Studii works on a job; `held`: it tells each key to wait,
    so that jobs are accepted and nothing more is done; `automatic`: channels run what is posted there;
    `tappers`: how many members have tapped in their server before, so that no tap of theirs asks first;
    `core`: how much of one core the bot has; `floor`: the bot is the least that there can be; `tls`: Discord
    speaks TLS, as it does in earnest, and each connection begins with a handshake; `processes`: each serves
    one shard of as many."""

    servers: int = 1
    takes: float = 0.0
    held: bool = False
    automatic: bool = False
    tappers: int = 0
    database: str = "sqlite"
    core: float | None = None
    floor: bool = False
    tls: bool = False
    processes: int = 1


@dataclass
class CrowdWorlds:
    """A bot at work. Servers and their one channel each have the ids `servers`."""

    discord: DiscordServer
    studii: StudiiServer
    bot: Bot
    servers: Sequence[int]
    keys: Sequence[Key]
    photo: bytes
    database: int | None  # the process of its server
    url: str

    def database_processor(self) -> float:
        """Return the seconds of processor that the database's server has used; SQLite has none."""
        return 0.0 if self.database is None else processor_of(self.database)

    def server(self, number: int) -> int:
        """Return the server whose turn it is."""
        return self.servers[number % len(self.servers)]

    def posted(self) -> int:
        """Return how many jobs have had their last word in a channel."""
        return len(self._last_words())

    async def waits_for_results(self) -> Sequence[float]:
        """Return the seconds from Studii's answer that a job is completed to its result in the channel, the
        shortest first."""
        said = {one.job_id: one.at.timestamp() for one in self.studii.requests.of("status")}
        posted = self._last_words()
        async with used_once(self.url) as connection:
            jobs = await connection.execute(select(Job.id, Job.studii_id))
        return sorted(posted[job] - said[known] for job, known in jobs if job in posted and known in said)

    def _last_words(self) -> dict[str, float]:
        """Return when the jobs that have had their last word had it."""
        ours = (one for one in self.discord.messages.values() if one.of_the_bot)
        words = {str(one.nonce): created_at(one.id) for one in ours}
        return {one.split("-")[0]: at for one, at in words.items() if LAST_WORD.fullmatch(one)}

    def hold(self) -> None:
        """Let Studii tell every key to wait, as soon as a job is sent."""
        for key in self.keys:
            key.limiter = _Full()


class _Full:
    """Lets no request through."""

    def take(self, now: float) -> float:
        """Tell whoever asks to wait, whenever it is."""
        return WAITS if now else 0.0


@asynccontextmanager
async def worlds(wanted: Wanted) -> AsyncGenerator[CrowdWorlds]:
    """Build them, start the bot in them, and end it at the end."""
    lasts = Durations(image=wanted.takes, video=wanted.takes, spread=0.0)
    options = Options(instant=not wanted.takes, durations=lasts)
    servers = [FIRST + (number << 22) for number in range(wanted.servers)]
    with TemporaryDirectory(prefix="studii-crowd-") as name:
        folder = Path(name)
        async with (
            _database(wanted, folder) as (url, server),
            StudiiServer(options) as studii,
            _discord(wanted, folder, servers) as discord,
        ):
            # Drawn once: to draw one for each job takes as long as a third of the bot's work on it.
            picture = Output(jpeg(scene((SIDE, SIDE), "", 0)), "image/jpeg")
            studii.next_job(Outcome(output=picture), ALL_JOBS)
            keys = [studii.add_key("team", balance=100_000_000) for _ in servers]
            await _prepare(url, folder, servers, keys, wanted)
            settings = {
                "DISCORD_TOKEN": TOKEN,
                "STUDII_API_URL": studii.url,
                "DATABASE_URL": url,
                "ENCRYPTION_KEYS": (folder / "data" / "encryption.key").read_text().strip(),
            }
            if wanted.tls:
                settings["SSL_CERT_FILE"] = str(folder / "certificate.pem")
            async with _bot(wanted, discord, folder, settings) as bot:
                built = CrowdWorlds(discord, studii, bot, servers, keys, png(), server, asynchronous(url))
                if wanted.held:
                    built.hold()
                yield built


@asynccontextmanager
async def _bot(
    wanted: Wanted, discord: DiscordServer, folder: Path, settings: Mapping[str, str]
) -> AsyncGenerator[Bot]:
    module = "bench.crowd.floor" if wanted.floor else "bench.crowd.counted"
    if wanted.processes > 1:
        settings = {**settings, "SHARD_COUNT": str(wanted.processes), "SHARDS_PER_PROCESS": "1"}
    async with AsyncExitStack() as stack:
        processes: list[BotProcess] = []
        for number in range(wanted.processes):
            own = folder / f"process{number}"
            own.mkdir()
            one = started(discord, own, module, settings, wanted.core)
            processes.append(await stack.enter_async_context(one))
        yield Bot(processes)


def _discord(wanted: Wanted, folder: Path, servers: Sequence[int]) -> DiscordServer:
    host = "localhost" if wanted.tls else "127.0.0.1"
    serving = contexts(certificate(folder, host))[0] if wanted.tls else None
    rules = Rules(shards=wanted.processes)
    return DiscordServer(
        message_content=True, guilds=servers, limits=None, tls=serving, host=host, rules=rules
    )


@asynccontextmanager
async def _database(wanted: Wanted, folder: Path) -> AsyncGenerator[tuple[str, int | None]]:
    """Make a database. Give its address, and the server's process if there is one."""
    (folder / "data").mkdir()
    if wanted.database == "sqlite":
        yield f"sqlite:///{folder / 'data' / 'studii.db'}", None
        return
    with postgresql.server() as server:
        url = await postgresql.new_database(server.url)
        yield url.replace("postgresql+asyncpg", "postgresql"), server.pid


async def _prepare(
    url: str, folder: Path, servers: Sequence[int], keys: Sequence[Key], wanted: Wanted
) -> None:
    await migrate(asynchronous(url))
    vault = Vault.open((), folder / "data" / "encryption.key")
    async with Database.open(asynchronous(url)) as db:
        lanes, now = await db.write(lane_names, vault), SystemClock().now()
        for server, key in zip(servers, keys, strict=True):
            lane, sealed = lanes(key.secret), vault.seal(key.secret)
            stored = await db.write(server_keys.add, server, lane, key.secret[-4:], Plan.TEAM, sealed, now)
            await db.write(server_settings.change, server, key_id=stored.id)
            await db.write(budgets.set_budget, server, BUDGET, Period.DAY, at=now)
            if wanted.automatic:
                automatic = server, server, PhotoChannelKind.AUTO, Preset(STAGING)
                await db.write(photo_rules.set_channel, *automatic)
            else:
                await db.write(photo_rules.turn_reactions, server, None, on=True)
        for number in range(wanted.tappers):
            server = servers[number % len(servers)]
            await db.write(given(Session.add, Tapper(server, MEMBERS + number)))


def asynchronous(url: str) -> str:
    """Return the address of a database with the driver that the bot uses."""
    return url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")

"""Build servers with keys, their jobs, and the engine with the real delivery."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import discord
from discord.http import Route

from bench.machine.quiet import Nobody
from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.cluster import Membership
from bot.db import Database
from bot.delivery import posts
from bot.engine import CountedDecoder, Engine, Tuning
from bot.engine.context import Delivery
from bot.jobs import accept
from bot.jobs.models import Job
from bot.media.pool import DecoderPool
from bot.media.spool import Spool
from bot.migrate import migrate
from bot.servers import keys as server_keys, settings
from bot.servers.keys import Plan
from bot.studii import StudiiClient
from bot.vault import LaneNames, Vault, lane_names
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.studii import Options, StudiiServer
from tests.support.database import given
from tests.support.desk import Desk, open_desk
from tests.support.jobs import a_job
from tests.support.simulated import delivery_on

CHANNELS = 1000  # the first channel of the first server; each server has three
MAX_MESSAGE_BYTES = 500 * 1024 * 1024  # bytes of a message's files
IMAGE = {"mode": "image", "source": "text", "quality": "standard"}


@dataclass(frozen=True)
class Bot:
    """The engine at work, and where its jobs come from."""

    db: Database
    engine: Engine

    async def accept(self, jobs: Sequence[Job]) -> None:
        """Write them down as the service does, in one go."""
        for job in jobs:
            await self.db.write(given(accept.store, [job], job.created_at))
        self.engine.wake()


def studio_job(guild_id: int, number: int, prompt: str = "A red kite", mode: str = "image") -> Job:
    """Return a job of that server that was asked for just now. `number` says by whom and where."""
    now = SystemClock().now()
    return a_job(
        id=secrets.token_hex(8),
        guild_id=guild_id,
        channel_id=CHANNELS * guild_id + number % 3,
        user_id=number % 7,
        inputs=IMAGE | {"mode": mode, "prompt": prompt},
        variant="",
        created_at=now,
        changed_at=now,
        estimate=10,
        reserved=10,
    )


def discord_of(servers: int) -> DiscordServer:
    """Return a Discord that takes all at once and keeps no files, with n servers (ids from 1)."""
    server = DiscordServer(limits=None, keep_files=0)
    for guild_id in range(1, servers + 1):
        first = CHANNELS * guild_id
        server.add_guild(guild_id, range(first, first + 3), upload_limit=MAX_MESSAGE_BYTES)
    return server


@asynccontextmanager
async def running_engine(
    folder: Path,
    db: Database,
    studii: StudiiClient,
    vault: Vault,
    delivery: Delivery,
    *,
    posted: Callable[[float], None] = lambda _: None,
) -> AsyncGenerator[Engine]:
    """Run an engine on that database.

    `posted` is called with the seconds from a job's end until its message was posted.
    """
    clock = SystemClock()
    async with DecoderPool() as decoder:
        engine = Engine(
            db=db,
            studii=studii,
            vault=vault,
            delivery=delivery,
            photos=Nobody(),
            decoder=CountedDecoder(db, decoder),
            spool=Spool(folder / "spool", 2_000_000_000),
            catalog=Catalog.load(),
            clock=clock,
            posted=posted,
            member=Membership(),
            tuning=Tuning(),
        )
        running = asyncio.create_task(engine.run())
        try:
            yield engine
        finally:
            running.cancel()
            await asyncio.wait({running})


@asynccontextmanager
async def desk_at_work(folder: Path) -> AsyncGenerator[Desk]:
    """Open a desk at which an engine works, with a Studii that is done at once."""
    async with (
        StudiiServer(Options(instant=True, long_side=64)) as server,
        StudiiClient(server.url) as studii,
        open_desk(folder, clock=SystemClock()) as desk,
    ):
        # The simulation doesn't follow the time of day by itself.
        await desk.env.advance_time((desk.clock.now() - desk.env.now()).total_seconds())
        key = server.add_key("team", balance=100_000)
        await desk.resources.keys.set_key(desk.guild.id, key.secret, Plan.TEAM)
        async with running_engine(folder, desk.db, studii, desk.resources.vault, desk.delivery):
            yield desk


@asynccontextmanager
async def at_work(
    folder: Path,
    studii_url: str,
    discord_url: str,
    keys: Sequence[str],
    *,
    posted: Callable[[float], None],
    largest: int | None = None,
) -> AsyncGenerator[Bot]:
    """Run a bot with a database of its own, in as many servers as there are keys (ids from 1).

    `posted` is called with the seconds from a job's end until its message was posted. `largest` is the bytes
    that a message may have, if they are not Discord's usual ones.
    """
    url = f"sqlite+aiosqlite:///{folder / 'bot.db'}"
    await migrate(url)
    vault = Vault.open((), folder / "encryption.key")
    api, Route.BASE = Route.BASE, discord_url
    try:
        async with (
            Database.open(url) as db,
            StudiiClient(studii_url) as studii,
            discord.Client(intents=discord.Intents.none()) as client,
        ):
            await client.login(TOKEN)
            await _use(db, vault, await db.write(lane_names, vault), keys)
            delivery = delivery_on(client, Catalog.load())
            # No server is in the cache, so each may have what is usual.
            usual = patch.object(posts, "DEFAULT_LIMIT", largest or posts.DEFAULT_LIMIT)
            async with running_engine(folder, db, studii, vault, delivery, posted=posted) as engine:
                with usual:
                    yield Bot(db, engine)
    finally:
        Route.BASE = api


async def _use(db: Database, vault: Vault, lanes: LaneNames, keys: Sequence[str]) -> None:
    now = SystemClock().now()
    for guild_id, secret in enumerate(keys, 1):
        lane, sealed = lanes(secret), vault.seal(secret)
        stored = await db.write(server_keys.add, guild_id, lane, secret[-4:], Plan.TEAM, sealed, now)
        await db.write(settings.change, guild_id, key_id=stored.id)

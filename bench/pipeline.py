"""Jobs through the whole pipeline, in real time: a Studii that is done at once, a Discord that takes all."""

import asyncio
import secrets
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import discord
from discord.http import Route

from bench.quiet import Nobody
from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.delivery import DiscordDelivery
from bot.engine import Engine, Spool
from bot.media import PhotoInspector
from bot.model import Job, JobState, Plan
from bot.storage import LaneNames, Storage, Vault, migrate
from bot.studii import StudiiClient
from sandbox.discord.rest import DiscordRest
from sandbox.studii import Options, StudiiServer

SERVERS = 20
PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Pipeline:
    """`posted`: seconds from noticing a job's end to its message in Discord, for each job."""

    jobs: int
    seconds: float
    posted: tuple[float, ...]


async def pipeline(folder: Path, count: int = 300) -> Pipeline:
    """So many jobs, all there at the start, spread over some servers with keys of their own."""
    url = f"sqlite+aiosqlite:///{folder / 'pipeline.db'}"
    await migrate(url)
    vault = Vault.open((), folder / "encryption.key")
    posted: list[float] = []
    async with (
        StudiiServer(Options(instant=True, long_side=64)) as sandbox,
        DiscordRest() as rest,
        Storage.open(url) as storage,
        StudiiClient(sandbox.url) as studii,
        PhotoInspector(1) as inspector,
    ):
        await _fill(storage, vault, await LaneNames.open(storage, vault), sandbox, count)
        before, Route.BASE = Route.BASE, rest.url
        try:
            async with discord.Client(intents=discord.Intents.none()) as client:
                await client.login("of.no.use")
                clock, catalog = SystemClock(), Catalog.load()
                engine = Engine(
                    storage=storage,
                    studii=studii,
                    vault=vault,
                    delivery=DiscordDelivery(client, catalog, clock),
                    photos=Nobody(),
                    inspector=inspector,
                    spool=Spool(folder / "spool", 100_000_000),
                    catalog=catalog,
                    clock=clock,
                    posted=posted.append,
                )
                began = perf_counter()
                running = asyncio.create_task(engine.run())
                try:
                    async with asyncio.timeout(PATIENCE):
                        while len(posted) < count:
                            await asyncio.wait({running}, timeout=0.02)
                            if running.done():
                                raise RuntimeError("the engine ended")
                finally:
                    running.cancel()
                    await asyncio.wait({running})
        finally:
            Route.BASE = before
        return Pipeline(count, perf_counter() - began, tuple(posted))


async def _fill(storage: Storage, vault: Vault, lanes: LaneNames, sandbox: StudiiServer, count: int) -> None:
    async with storage.write() as tx:
        now = SystemClock().now()
        for guild in range(1, SERVERS + 1):
            key = sandbox.add_key("team", balance=1_000_000)
            lane = lanes.lane_of(key.secret)
            stored = await tx.keys.add(guild, lane, key.hint[-4:], Plan.TEAM, vault.seal(key.secret), now)
            await tx.guilds.set_key(guild, stored.id, now)
        for number in range(count):
            guild = 1 + number % SERVERS
            inputs = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A red kite"}
            job = Job(
                id=secrets.token_hex(8),
                guild_id=guild,
                channel_id=1000 + number % (SERVERS * 3),
                user_id=number % 7,
                tool="studio",
                inputs=inputs,
                variant="",
                source=None,
                private=False,
                state=JobState.RECEIVED,
                version=1,
                created_at=now,
                changed_at=now,
                estimate=10,
                reserved=0,
                settled=0,
            )
            await tx.jobs.add(job)
            await tx.ledger.reserve(job, now)

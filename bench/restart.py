"""A restart with much to do: unfinished jobs over many lanes in the database."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert

from bench.quiet import Nobody
from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.engine import Engine, Spool
from bot.media import PhotoInspector
from bot.model import JobState, Plan
from bot.storage import LaneNames, Storage, Vault, migrate
from bot.storage.schema import jobs, ledger
from bot.studii import JobReport, StudiiClient

LIMIT = 60  # requests a minute of each lane (Studii API docs, Rate limits: Pro)


@dataclass(frozen=True)
class Restart:
    """`until_polling`: seconds from the engine's start until all of `polling` lanes have sent a request;
    `most_in_burst`: the most requests that a lane sent within a second."""

    jobs: int
    lanes: int
    until_first: float
    until_polling: float
    polling: int
    most_in_burst: int


class CountingClient(StudiiClient):
    """In the place of Studii: jobs go on running, and every look is counted by its key. No network: what is
    measured is the bot."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9/api/v1")
        self.looks: dict[str, list[float]] = defaultdict(list)

    async def job_status(self, key: str, job_id: str, status_url: str | None = None) -> JobReport:
        self.looks[key].append(perf_counter())
        await asyncio.sleep(0.05)
        return JobReport(id=job_id, status="processing")


async def fill(storage: Storage, vault: Vault, lanes: LaneNames, jobs_wanted: int, lanes_wanted: int) -> None:
    """So many running jobs, spread over so many servers, each with a key of its own."""
    now = SystemClock().now()
    async with storage.write() as tx:
        keys: list[int] = []
        for guild in range(lanes_wanted):
            secret = f"stu_{secrets.token_hex(20)}"
            lane = lanes.lane_of(secret)
            key = await tx.keys.add(guild + 1, lane, secret[-4:], Plan.PRO, vault.seal(secret), now)
            await tx.guilds.set_key(guild + 1, key.id, now)
            keys.append(key.id)
        rows: list[Mapping[str, Any]] = []
        lines: list[Mapping[str, Any]] = []
        for number in range(jobs_wanted):
            guild = number % lanes_wanted
            job_id, at = f"{number:016x}", now - timedelta(seconds=30 + number / 100)
            rows.append(
                {
                    "id": job_id,
                    "guild_id": guild + 1,
                    "channel_id": guild + 1,
                    "user_id": number % 7,
                    "tool": "studio",
                    "inputs": {"mode": "image", "source": "text", "prompt": f"a kite, number {number}"},
                    "variant": "mode=image",
                    "private": False,
                    "state": JobState.RUNNING,
                    "version": 3,
                    "created_at": at,
                    "changed_at": at,
                    "submitted_at": at,
                    "estimate": 4,
                    "reserved": 4,
                    "settled": 0,
                    "charged": 4,
                    "key_id": keys[guild],
                    "studii_id": secrets.token_hex(16),
                    "studii_status": "processing",
                    "card_version": 3,
                    "attempts": 0,
                    "posting": 0,
                }
            )
            lines.append(
                {
                    "guild_id": guild + 1,
                    "user_id": number % 7,
                    "job_id": job_id,
                    "kind": "reserve",
                    "amount": 4,
                    "at": at,
                }
            )
        session = tx.jobs._session  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - ten thousand rows at once
        for start in range(0, jobs_wanted, 500):
            await session.execute(insert(jobs).values(rows[start : start + 500]))
            await session.execute(insert(ledger).values(lines[start : start + 500]))


async def restart(
    folder: Path, jobs_wanted: int = 10_000, lanes_wanted: int = 500, *, watch: float = 12.0
) -> Restart:
    """Start an engine on such a database and watch whom it asks."""
    url = f"sqlite+aiosqlite:///{folder / 'restart.db'}"
    await migrate(url)
    vault = Vault.open((), folder / "encryption.key")
    async with Storage.open(url) as storage, CountingClient() as client, PhotoInspector(1) as inspector:
        await fill(storage, vault, await LaneNames.open(storage, vault), jobs_wanted, lanes_wanted)
        engine = Engine(
            storage=storage,
            studii=client,
            vault=vault,
            delivery=Nobody(),
            photos=Nobody(),
            inspector=inspector,
            spool=Spool(folder / "spool", 10_000_000),
            catalog=Catalog.load(),
            clock=SystemClock(),
        )
        began = perf_counter()
        running = asyncio.create_task(engine.run())
        try:
            all_polling = None
            while perf_counter() - began < watch:
                await asyncio.sleep(0.02)
                if all_polling is None and len(client.looks) >= lanes_wanted:
                    all_polling = perf_counter() - began
        finally:
            running.cancel()
            await asyncio.wait({running})
    firsts = [looks[0] - began for looks in client.looks.values()]
    return Restart(
        jobs_wanted,
        lanes_wanted,
        min(firsts, default=float("inf")),
        all_polling if all_polling is not None else float("inf"),
        len(firsts),
        max(most_within(looks, 1.0) for looks in client.looks.values()) if client.looks else 0,
    )


def most_within(moments: list[float], seconds: float) -> int:
    """The most of the moments that lie within so many seconds."""
    most, start = 0, 0
    for end, moment in enumerate(moments):
        while moments[start] < moment - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most

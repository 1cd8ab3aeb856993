"""Measure a restart with many unfinished jobs in many lanes."""

import asyncio
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.machine.quiet import Nobody
from bench.machine.work import running_engine, studio_job
from bot.app import collect_rarely
from bot.clock import SystemClock
from bot.db import Database
from bot.jobs import accept, transitions
from bot.jobs.models import JobState
from bot.migrate import migrate
from bot.servers import keys as server_keys, settings
from bot.servers.keys import Plan
from bot.studii import JobReport, StudiiClient
from bot.vault import LaneNames, Vault, lane_names
from tests.support.database import given

LONGER = 1.5  # seconds
WAY = (JobState.RECEIVED, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
_Row = dict[str, Any]


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
    """Replaces Studii without a network. Jobs never end, and polls are counted by key."""

    def __init__(self, lanes: int) -> None:
        super().__init__("http://127.0.0.1:9/api/v1")
        self.polls: dict[str, list[float]] = defaultdict(list)
        self.all_looked = asyncio.Event()
        self._lanes = lanes

    async def job_status(self, key: str, job_id: str, status_url: str | None = None) -> JobReport:
        self.polls[key].append(perf_counter())
        if len(self.polls) == self._lanes:
            self.all_looked.set()
        await asyncio.sleep(0.05)
        return JobReport(id=job_id, status="processing")


async def fill(file: Path, db: Database, vault: Vault, jobs_wanted: int, lanes_wanted: int) -> None:
    """Add n running jobs, spread over n servers, each with a key of its own.

    The first of each is written as the bot writes it; the others are copies of its rows, or it would take
    long.
    """
    names = await db.write(lane_names, vault)
    now, secret = SystemClock().now(), _secret()
    job = replace(studio_job(1, 0), created_at=now - timedelta(seconds=30))
    key = await db.write(server_keys.add, 1, names(secret), secret[-4:], Plan.PRO, vault.seal(secret), now)
    await db.write(settings.change, 1, key_id=key.id)
    await db.write(given(accept.store, [job], now))
    for before, after in pairwise(WAY):
        await db.write(transitions.advance, job.id, before, after, at=job.created_at)
    await db.write(
        transitions.change,
        job.id,
        key_id=key.id,
        charged=10,
        studii_id="0",
        studii_status="processing",
        submitted_at=job.created_at,
    )
    await asyncio.to_thread(_multiply, file, names, vault, jobs_wanted, lanes_wanted)


def _multiply(file: Path, names: LaneNames, vault: Vault, jobs_wanted: int, lanes_wanted: int) -> None:
    keys: list[_Row] = []
    for number in range(2, lanes_wanted + 1):
        secret = _secret()
        sealed, lane = vault.seal(secret), names(secret)
        keys.append({"id": number, "guild_id": number, "lane": lane, "ciphertext": sealed})
    jobs: list[_Row] = []
    lines: list[_Row] = []
    for number in range(2, jobs_wanted + 1):
        job, guild = f"{number:016x}", 1 + number % lanes_wanted
        whose: _Row = {"guild_id": guild, "user_id": number % 7}
        jobs.append(whose | {"number": number, "id": job, "key_id": guild, "studii_id": str(number)})
        lines.append(whose | {"id": number, "job_id": job})
    with closing(sqlite3.connect(file)) as database, database:
        database.row_factory = sqlite3.Row
        _copy(database, "studii_keys", keys)
        _copy(database, "guilds", [{"guild_id": key["id"], "key_id": key["id"]} for key in keys])
        _copy(database, "jobs", jobs)
        _copy(database, "ledger", lines)


def _copy(database: sqlite3.Connection, table: str, changes: Sequence[_Row]) -> None:
    """Copy the table's one row, with these changes."""
    (found,) = database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name of ours
    row = dict(found)
    places = ", ".join(f":{name}" for name in row)
    database.executemany(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})",  # noqa: S608
        [row | change for change in changes],
    )


def _secret() -> str:
    return f"stu_{secrets.token_hex(20)}"


async def restart(
    folder: Path, jobs_wanted: int = 10_000, lanes_wanted: int = 500, *, patience: float = 60.0
) -> Restart:
    """Start an engine on such a database and watch whom it asks, until it has asked for jobs of every lane
    and for a little longer (at most `patience` seconds)."""
    file = folder / "restart.db"
    url = f"sqlite+aiosqlite:///{file}"
    await migrate(url)
    vault = Vault.open((), folder / "encryption.key")
    async with Database.open(url) as db, CountingClient(lanes_wanted) as client:
        await fill(file, db, vault, jobs_wanted, lanes_wanted)
        collect_rarely()  # as the bot does at its start
        async with running_engine(folder, db, client, vault, Nobody()):
            began = perf_counter()
            async with asyncio.timeout(patience):
                await client.all_looked.wait()
            all_polling = perf_counter() - began
            await asyncio.sleep(LONGER)
    firsts = [polls[0] - began for polls in client.polls.values()]
    return Restart(
        jobs_wanted,
        lanes_wanted,
        min(firsts, default=float("inf")),
        all_polling,
        len(firsts),
        max(most_within(polls, 1.0) for polls in client.polls.values()) if client.polls else 0,
    )


def most_within(moments: list[float], seconds: float) -> int:
    """Return the largest number of moments within `seconds`."""
    most, start = 0, 0
    for end, moment in enumerate(moments):
        while moments[start] < moment - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most

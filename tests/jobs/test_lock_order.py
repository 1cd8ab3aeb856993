"""Transactions of several processes wait for each other, and never in a circle."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.credits import ledger
from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.jobs import accept, holds as key_holds, lanes as lane_rows, queries, submission, transitions
from bot.jobs.models import Job, JobState
from bot.jobs.submission import Claim
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings
from bot.servers.keys import StudiiKey
from bot.studii import CreatedJob
from tests.cluster.members import process_on
from tests.support.database import given
from tests.support.jobs import a_job, last_charges
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database

LANE = "a lane"
ROUNDS, JOBS = 4, 4
LOWER, HIGHER = 10, 20  # credits
KITE = {"mode": "image", "source": "text", "quality": "standard", "prompt": "A kite"}


@dataclass
class Process:
    """One of two processes. Each serves a server; both servers have the same Studii key."""

    db: Database
    guild_id: int
    key: StudiiKey
    catalog: Catalog
    clock: SystemClock

    async def accepted(self, name: str) -> list[Job]:
        """Accept jobs, and let them wait to be sent."""
        now = self.clock.now()
        jobs = [
            a_job(
                id=f"{name}{number:02}", guild_id=self.guild_id, inputs=KITE, created_at=now, changed_at=now
            )
            for number in range(JOBS)
        ]
        await self.db.write(ledger.lock, self.guild_id)
        await self.db.write(given(accept.store, jobs, now))
        return [await self.db.write(transitions.make_ready, job.id, None, now) or job for job in jobs]

    async def send(self, job: Job, charge: int) -> None:
        """Submit the job. Studii charges more than ever, so that all others get other reservations."""
        now = self.clock.now()
        await self.db.write(lane_rows.lock, LANE)
        await self.db.write(
            transitions.advance, job.id, JobState.WAITING, JobState.SUBMITTING, at=now, key_id=self.key.id
        )
        created = CreatedJob(job.id, credits_charged=charge)
        job = replace(job, state=JobState.SUBMITTING)
        claim = Claim(job, self.key, was_held=False)
        await self.db.write(submission.record_taken, self.catalog, claim, created, self.clock.now())

    async def hold(self) -> None:
        """Hold the key, and end that."""
        now = self.clock.now()
        reason = Reason(ReasonCode.OUT_OF_CREDITS)
        await self.db.write(given(key_holds.hold, self.key, reason, now, now, oldest=now.replace(year=2000)))
        await self.db.write(key_holds.end, self.guild_id, now)

    async def cancel(self, jobs: Sequence[Job]) -> None:
        await self.db.write(ledger.lock, self.guild_id)
        for job in jobs:
            await self.db.write(transitions.cancel, job.id, self.clock.now())


@asynccontextmanager
async def two_processes(url: str) -> AsyncGenerator[list[Process]]:
    catalog, clock = Catalog.load(), SystemClock()
    async with AsyncExitStack() as stack:
        processes: list[Process] = []
        for _ in range(2):
            member = await stack.enter_async_context(process_on(url, count=2, per_process=1))
            await asyncio.wait_for(member.stand_by(), PATIENCE)
            db = await stack.enter_async_context(Database.open(url, fence=member))
            (shard,) = member.shards.held
            guild_id = (1 << 30) + (shard << 22)
            now = clock.now()
            key = await db.write(keys.add, guild_id, LANE, "abcd", Plan.PRO, b"sealed", now)
            await db.write(settings.set_key, guild_id, key.id, now)
            await db.write(settings.set_budget, guild_id, Budget(1_000_000, Period.DAY, now))
            processes.append(Process(db, guild_id, key, catalog, clock))
        yield processes


async def test_what_changes_servers_with_one_key_from_two_processes_never_deadlocks(
    migrated_postgresql: str,
) -> None:
    chance = random.Random(7)
    async with two_processes(await new_migrated_database(migrated_postgresql)) as both:
        for number in range(ROUNDS):
            jobs = [await one.accepted(f"{number:02}{which}") for which, one in enumerate(both)]
            work = [
                step
                for one, waiting in zip(both, jobs, strict=True)
                for step in (
                    one.send(waiting[0], 10 + 2 * number + both.index(one)),
                    one.hold(),
                    one.accepted(f"{number:02}x{both.index(one)}"),
                    one.cancel(waiting[:1:-1]),
                )
            ]
            chance.shuffle(work)
            await asyncio.gather(*work)
        assert await both[0].db.read(ledger.differing) == []
        sent = await both[0].db.read(queries.in_states, [JobState.RUNNING])
        assert len(sent) == 2 * ROUNDS


async def test_two_that_learn_a_price_at_once_do_it_one_after_the_other(
    migrated_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = 0
    both_sent = asyncio.Event()
    send = Process.send

    async def at_once(one: Process, job: Job, charge: int) -> None:
        nonlocal sent
        sent += 1
        if sent == 2:
            both_sent.set()
        await both_sent.wait()
        await send(one, job, charge)

    monkeypatch.setattr(Process, "send", at_once)
    async with two_processes(await new_migrated_database(migrated_postgresql)) as (one, other):
        (first, *_), (second, *_) = await one.accepted("a"), await other.accepted("b")
        await asyncio.gather(one.send(first, LOWER), other.send(second, HIGHER))
        assert await last_charges(one.db, LANE, "studio", "mode=image") == (HIGHER, HIGHER)

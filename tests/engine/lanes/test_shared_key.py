"""A key that servers of several processes use."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from bot.cluster import Membership
from bot.db import Database
from bot.domain.guilds import Plan
from bot.jobs import accept, lanes as lane_rows
from bot.jobs.models import JobState
from bot.servers import keys, settings
from sandbox.studii import Outcome
from tests.cluster.members import process_on
from tests.engine.world import a_job, a_staging_job, engine_world
from tests.support.database import given
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database

PERIOD = 2.0  # seconds
MINE, THEIRS = 1 << 30, (1 << 30) + (1 << 22)  # servers of shards 0 and 1


@asynccontextmanager
async def two_processes(url: str) -> AsyncGenerator[tuple[Membership, Membership]]:
    """Be two processes there: the first serves `MINE`, the second `THEIRS`."""
    async with process_on(url, count=2, per_process=1) as own:
        await asyncio.wait_for(own.stand_by(), PATIENCE)  # whoever is first says how many shards there are
        async with process_on(url, per_process=1) as other:
            await asyncio.wait_for(other.stand_by(), PATIENCE)
            assert own.shards.has(MINE)
            yield own, other


@pytest.mark.promise
async def test_what_another_process_sends_with_the_key_counts_from_its_first_request_on(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with (
        two_processes(url) as (own, other),
        engine_world(
            tmp_path,
            url=url,
            member=own,
            rate_period=PERIOD,
            answer_bound=0.0,
            reread_every=60.0,
            poll_bound=60.0,
        ) as world,
    ):
        key = world.studii.add_key("pro", balance=1000)
        await world.use_key(key, MINE, Plan.PRO)
        world.studii.next_job(Outcome(never_ends=True))
        async with world.running():
            first = await world.accept(a_job(guild_id=MINE))
            await world.reaches(first.id, JobState.RUNNING)
            # Its lane is at work. Now a server of the other process gets the same key, and uses it up.
            async with Database.open(url, fence=other) as theirs:
                at = world.clock.now()
                lane = world.lanes.lane_of(key.secret)
                stored = await theirs.write(keys.add, THEIRS, lane, "abcd", Plan.PRO, b"", at)
                await theirs.write(settings.set_key, THEIRS, stored.id)
                until = [at.timestamp() + PERIOD] * Plan.PRO.requests_per_minute
                await theirs.write(lane_rows.keep_window, lane, other.epoch, until)
            began = monotonic()
            second = await world.accept(a_staging_job(guild_id=MINE))
            await world.reaches(second.id, JobState.RUNNING)
            assert monotonic() - began > PERIOD - 0.5


@pytest.mark.promise
async def test_a_price_that_is_learned_leaves_the_jobs_of_another_process_to_it(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with (
        two_processes(url) as (own, other),
        engine_world(tmp_path, url=url, member=own, reread_every=60.0) as world,
    ):
        key = world.studii.add_key("team", balance=1000)
        await world.use_key(key, MINE)
        theirs = a_job(guild_id=THEIRS, estimate=8)
        async with Database.open(url, fence=other) as db:
            at = world.clock.now()
            lane = world.lanes.lane_of(key.secret)
            stored = await db.write(keys.add, THEIRS, lane, "abcd", Plan.TEAM, b"", at)
            await db.write(settings.set_key, THEIRS, stored.id)
            await db.write(given(accept.store, [theirs], at))
        async with world.running():
            mine = await world.accept(a_job(guild_id=MINE, estimate=8))
            await world.announced(mine.id)
        found = await world.job(theirs.id)
        assert found.price_learned
        assert found.state is JobState.RECEIVED

"""Several processes: a key that they share, an answer after a take-over, and what one does for all."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest
from aiohttp import web

from bot.cluster import Membership
from bot.db import Database
from bot.engine import Tuning
from bot.engine.requests import recover
from bot.errors import NotAlone
from bot.jobs import accept, lanes as lane_rows, queries, transitions
from bot.jobs.models import Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, settings
from bot.servers.keys import Plan
from sandbox.studii import Outcome
from sandbox.studii.faults import Effect, error
from tests.cluster.members import process_on, replaced
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
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
                lane = world.lanes(key.secret)
                stored = await theirs.write(keys.add, THEIRS, lane, "abcd", Plan.PRO, b"", at)
                await theirs.write(settings.change, THEIRS, key_id=stored.id)
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
            lane = world.lanes(key.secret)
            stored = await db.write(keys.add, THEIRS, lane, "abcd", Plan.TEAM, b"", at)
            await db.write(settings.change, THEIRS, key_id=stored.id)
            await db.write(given(accept.store, [theirs], at))
        async with world.running():
            mine = await world.accept(a_job(guild_id=MINE, estimate=8))
            await world.announced(mine.id)
        found = await world.job(theirs.id)
        assert found.price_learned
        assert found.state is JobState.RECEIVED


@dataclass(frozen=True)
class Held:
    """Studii has decided, and its answer is on its way until the test lets it arrive."""

    sent: asyncio.Event = field(default_factory=asyncio.Event)
    arrives: asyncio.Event = field(default_factory=asyncio.Event)

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        response = await effect()
        self.sent.set()
        await self.arrives.wait()
        return response


@dataclass(frozen=True)
class HeldRefusal(Held):
    """The same, and Studii has refused."""

    async def apply(self, request: web.Request, effect: Effect) -> web.StreamResponse | None:
        self.sent.set()
        await self.arrives.wait()
        return await error(400, "No such mode.").apply(request, effect)


async def submitted(world: EngineWorld, answer: Held) -> Job:
    """A job whose submission Studii has, while its answer is on its way."""
    world.studii.fail("create", answer)
    job = await world.accept(a_job(estimate=10))
    async with asyncio.timeout(PATIENCE):
        await answer.sent.wait()
    return job


async def taken_for_lost(db: Database, world: EngineWorld) -> None:
    """What an instance does at its start with the jobs of one that it takes for dead."""
    found = await db.write(queries.in_states, {JobState.UPLOADING, JobState.SUBMITTING})
    await db.write(recover, Tuning(), [job.id for job in found], world.clock.now())


@pytest.mark.promise
async def test_a_late_202_makes_a_job_run_that_was_taken_for_lost(world: EngineWorld) -> None:
    answer = Held()
    async with world.running():
        job = await submitted(world, answer)
        await taken_for_lost(world.db, world)
        answer.arrives.set()
        await world.reaches(job.id, JobState.SUCCEEDED)
        await world.balanced()
        assert (await world.job(job.id)).settled == 8


@pytest.mark.promise
@pytest.mark.parametrize(
    ("charge", "code"), [(None, ReasonCode.RULED_RELEASED), (3, ReasonCode.RULED_CHARGED)]
)
async def test_a_ruling_stands_although_the_202_arrives_after_it(
    world: EngineWorld, charge: int | None, code: ReasonCode, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Held()
    async with world.running():
        job = await submitted(world, answer)
        await taken_for_lost(world.db, world)
        unknown = await world.db.write(queries.get, job.id)
        assert unknown is not None
        await world.db.write(transitions.apply_ruling, unknown.id, charge, Reason(code), world.clock.now())
        answer.arrives.set()

        await world.until(lambda: "settled before that was known" in caplog.text, "noted")
        ruled = await world.job(job.id)
        assert (ruled.state, ruled.settled, ruled.reserved) == (JobState.FAILED, charge or 0, 0)
        await world.balanced()


@pytest.mark.parametrize(
    ("answer", "state"), [(Held(), JobState.RUNNING), (HeldRefusal(), JobState.FAILED)], ids=["202", "400"]
)
async def test_a_late_answer_is_stored_after_another_process_has_taken_over(
    tmp_path: Path, migrated_postgresql: str, answer: Held, state: JobState
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with process_on(url) as mine:
        await mine.stand_by()
        async with engine_world(tmp_path, url=url, member=mine, key=True) as world, world.running():
            job = await submitted(world, answer)
            assert (await world.job(job.id)).epoch == mine.epoch
            await replaced(url, mine)  # as another process does when the lease is over
            async with process_on(url) as theirs, Database.open(url, fence=theirs) as other:
                await theirs.stand_by()
                await taken_for_lost(other, world)
                with pytest.raises(NotAlone):
                    await world.accept(a_job())
                async with asyncio.timeout(PATIENCE):
                    await mine.lost()
                answer.arrives.set()
                await world.reaches(job.id, state)
                await world.balanced()
                found = await world.job(job.id)
                assert found.reserved + found.settled == (8 if state is JobState.RUNNING else 0)
                assert found.posting == 1


@pytest.mark.promise
@pytest.mark.parametrize(
    ("answer", "state"), [(Held(), JobState.RUNNING), (HeldRefusal(), JobState.FAILED)], ids=["202", "400"]
)
async def test_a_process_that_was_replaced_awaits_the_answers_that_only_it_hears(
    tmp_path: Path, migrated_postgresql: str, answer: Held, state: JobState
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with process_on(url) as mine:
        await mine.stand_by()
        async with engine_world(tmp_path, url=url, member=mine, key=True, drain=0.05) as world:
            async with world.running():
                job = await submitted(world, answer)
                await replaced(url, mine)
                with pytest.raises(NotAlone):
                    await world.accept(a_job())
                async with asyncio.timeout(PATIENCE):
                    await mine.lost()
                asyncio.get_running_loop().call_later(0.5, answer.arrives.set)
            await world.reaches(job.id, state)
            await world.balanced()

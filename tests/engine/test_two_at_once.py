"""A request outlives the right to write: another process takes over before its answer arrives."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from bot.db import Database
from bot.engine import Tuning
from bot.engine.requests import recover
from bot.errors import NotAlone
from bot.jobs import queries, transitions
from bot.jobs.models import Job, JobState
from bot.reasons import Reason, ReasonCode
from sandbox.studii.faults import Effect, error
from tests.cluster.members import process_on, replaced
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database


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
    await world.use_key(world.studii.add_key())
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
async def test_a_late_202_makes_a_job_run_that_was_taken_for_lost(tmp_path: Path) -> None:
    answer = Held()
    async with engine_world(tmp_path) as world, world.running():
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
    tmp_path: Path, charge: int | None, code: ReasonCode, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Held()
    async with engine_world(tmp_path) as world, world.running():
        job = await submitted(world, answer)
        await taken_for_lost(world.db, world)
        unknown = await world.db.write(queries.get, job.id)
        assert unknown is not None
        await world.db.write(transitions.apply_ruling, unknown.id, charge, Reason(code), world.clock.now())
        answer.arrives.set()

        async def noted() -> bool:
            return "settled before that was known" in caplog.text

        await world.until(noted, "noted")
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
        async with engine_world(tmp_path, url=url, member=mine) as world, world.running():
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

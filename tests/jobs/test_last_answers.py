"""The charge in a job's last answer is what the job costs, and sets the price, too."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, faults
from tests.engine.lanes.priced import IMAGE, PRICE, accept, ended, left
from tests.engine.world import a_job, ends_badly, engine_world

SILENT = faults.WrongShape(without=frozenset({"credits_charged"}))


async def test_while_a_202_says_nothing_of_the_charge_the_others_wait_for_a_later_answer(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 50, inputs=IMAGE)
        assert len(jobs) == 12
        world.studii.next_job(Outcome(charge=PRICE), times=12)
        world.studii.fail("create", SILENT, times=12)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [PRICE] + [0] * 11
        assert world.studii.requests.count("create") == 1
        assert -await left(world) == PRICE - 100
        await world.balanced()


async def test_where_studii_never_tells_a_charge_what_was_assumed_counts_and_nothing_waits(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 5, inputs=IMAGE)
        world.studii.fail("create", SILENT, times=5)
        world.studii.fail("status", SILENT, times=1000)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [8] * 5
        assert (await accept(world, 1, inputs=IMAGE))[0].price_learned
        await world.balanced()


@pytest.mark.parametrize(("refunded", "charged"), [(True, 0), (False, 8)])
async def test_a_job_that_studii_fails_costs_what_its_last_answer_says(
    tmp_path: Path, refunded: bool, charged: int
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(fails="Too many unicorns.", refunded=refunded))
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, charged)
        assert failed.failure is FailureCode.STUDII
        assert "“Too many unicorns”." in reason_words(failed.failure_text)

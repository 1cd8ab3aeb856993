"""The charge in a job's last answer is what the job costs, and sets the price, too."""

from pathlib import Path

import pytest

from bot.credits import charges
from bot.credits.ledger import EntryKind
from bot.jobs.models import FailureCode, JobState
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, faults
from tests.engine.lanes.priced import IMAGE, PRICE, accept, budget, ended, left
from tests.engine.world import a_job, ends_badly, engine_world
from tests.support.jobs import ledger_lines

SILENT = faults.WrongShape(without=frozenset({"credits_charged"}))


async def test_what_last_answers_charge_sets_the_price_even_if_no_202_says_it(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 300)
        world.studii.next_job(Outcome(charge=8, final_charge=PRICE))
        world.studii.next_job(Outcome(charge=8, final_charge=PRICE, duration=1000))
        async with world.running():
            await ended(world, await accept(world, 1, inputs=IMAGE))
            (second,) = await accept(world, 50, inputs=IMAGE)
            assert (second.estimate, second.price_learned) == (PRICE, True)
            running = await world.reaches(second.id, JobState.RUNNING)
        assert (running.charged, running.reserved) == (8, PRICE)
        assert await left(world) == 300 - 2 * PRICE
        assert await accept(world, 1, inputs=IMAGE) == []
        await world.balanced()


async def test_a_last_answer_lowers_a_price(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        async with world.storage.write() as transaction:
            await transaction.run(
                charges.learn, key.lane, "studio", "mode=image quality=standard", 90, world.clock.now()
            )
        async with world.running():
            await ended(world, await accept(world, 1, inputs=IMAGE))
        assert [job.estimate for job in await accept(world, 2, inputs=IMAGE)] == [8, 8]


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


async def test_a_job_that_fails_without_telling_its_charge_lets_the_next_one_ask(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await accept(world, 2, inputs=IMAGE)
        world.studii.next_job(Outcome(fails="Fog."))
        world.studii.fail("create", SILENT, times=1)
        world.studii.fail("status", SILENT, times=1000)
        async with world.running():
            done = await ended(world, jobs)
        assert [job.state for job in done] == [JobState.FAILED, JobState.SUCCEEDED]


@pytest.mark.parametrize(("charge", "final"), [(12, 12), (3, 3), (12, 5), (3, 9)])
async def test_a_job_costs_what_studii_says_in_the_end_whatever_was_set_aside(
    tmp_path: Path, charge: int, final: int
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(charge=charge, final_charge=final))
        job = await world.accept(a_job(estimate=8))
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        done = await world.job(job.id)
        assert (done.reserved, done.settled) == (0, final)
        await world.balanced()
        async with world.storage.read() as transaction:
            lines = await ledger_lines(transaction, job_id=job.id)
        # Corrected as soon as the 202 told another charge than the one that was set aside.
        assert next(line.amount for line in lines if line.kind is EntryKind.CORRECT) == charge - 8


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

"""A card names no time that has passed."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.engine.lane import TOLD_FROM
from bot.engine.workers.cards.expected_ends import GRACE, MAX_EXPECTED_ENDS, ExpectedEnds
from bot.jobs import transitions
from bot.jobs.models import Job, JobState, Progress
from bot.ui.jobs.wording import state_words
from sandbox.studii import Outcome
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.clock import NOON
from tests.support.jobs import staging

SOON = NOON + timedelta(seconds=30)


def test_a_card_is_due_when_the_time_that_it_names_has_passed_and_once() -> None:
    ends = ExpectedEnds()
    ends.shown("a", Progress(ends_at=SOON))
    ends.shown("b", Progress(ends_at=SOON + timedelta(minutes=1)))
    ends.shown("c", Progress())
    assert ends.next_in(NOON) == (SOON + GRACE - NOON).total_seconds()
    assert ends.passed(SOON) == []
    assert ends.passed(SOON + GRACE) == ["a"]
    assert ends.passed(SOON + GRACE) == []
    ends.shown("b", Progress(late=True))
    assert ends.next_in(NOON) is None


def test_what_is_remembered_is_bounded() -> None:
    ends = ExpectedEnds()
    for number in range(MAX_EXPECTED_ENDS + 1):
        ends.shown(str(number), Progress(ends_at=SOON))
    found = [one for _ in range(MAX_EXPECTED_ENDS) for one in ends.passed(SOON + GRACE)]
    assert (len(found), "0" in found) == (MAX_EXPECTED_ENDS, False)


def test_a_job_that_takes_longer_says_so_and_names_no_time() -> None:
    job = staging(state=JobState.RUNNING, submitted_at=NOON)
    said = state_words(job, Progress(late=True))
    assert (
        said == f"Studii is working on it · started <t:{int(NOON.timestamp())}:R> · taking longer than usual"
    )
    assert "expected <t:" in state_words(job, Progress(ends_at=SOON))


@pytest.mark.promise
async def test_the_card_of_a_job_that_takes_longer_is_shown_anew_also_after_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        async with world.running() as engine:
            for number in range(TOLD_FROM):
                world.studii.next_job(Outcome(duration=0.2))
                job = await _with_card(world, 500 + number)
                engine.wake()
                await world.announced(job.id)
            world.studii.next_job(Outcome(never_ends=True))
            job = await _with_card(world, 600)
            engine.wake()
            await _told_late(world, job)
        world.discord.cards.clear()
        async with world.running():
            await _told_late(world, job)
            world.finish()
            await world.announced(job.id)


async def _with_card(world: EngineWorld, number: int) -> Job:
    job = await world.accept(a_job())
    async with world.storage.write() as transaction:
        await transaction.run(transitions.change, job.id, card_message_id=number)
    return job


async def _told_late(world: EngineWorld, job: Job) -> None:
    async def told() -> bool:
        return any(way.late for one, way in world.discord.cards if one.id == job.id)

    await world.until(told, f"{job.id} is said to take longer")

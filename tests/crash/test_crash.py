"""Killed at any moment: a sample of what `make crash` tries at every point."""

import random

import pytest

from bot.model import JobState
from tests.crash.trial import TROUBLES, Trouble, attempt, deaths_of, is_posting
from tests.crash.world import worlds, zygote

POINTS = 8
SEED = 6
AMBIGUOUS = next(one for one in TROUBLES if one.name == "taken, then the connection is lost")


async def test_a_job_survives_kill_9_wherever_it_is(subtests: pytest.Subtests) -> None:
    async with worlds() as own, zygote() as process:
        quiet = await attempt(own, process)
        assert (quiet.state, quiet.complaints) == (JobState.SUCCEEDED, [])
        deaths = deaths_of(quiet.points)
        assert len(deaths) > 300  # found by running, and a life has hundreds
        for death in random.Random(SEED).sample(deaths, POINTS):
            with subtests.test(death.point, nth=death.nth):
                assert (await attempt(own, process, [death])).complaints == []


async def test_what_was_posted_is_found_again_when_discord_has_forgotten_the_nonce() -> None:
    async with worlds() as own, zygote() as process:
        deaths = deaths_of((await attempt(own, process)).points)
        death = next(one for one in deaths if "outbox._note" in one.point and is_posting(one))
        verdict = await attempt(own, process, [death], later=900)
        assert verdict.died == 1
        assert (verdict.state, verdict.complaints) == (JobState.SUCCEEDED, [])


@pytest.mark.parametrize(
    "trouble", random.Random(SEED).sample(TROUBLES, 3), ids=lambda one: f"{one.endpoint} {one.name}"
)
async def test_trouble_on_the_way_to_studii_costs_nothing_twice(trouble: Trouble) -> None:
    async with worlds() as own, zygote() as process:
        verdict = await attempt(own, process, trouble=trouble)
        assert verdict.complaints == []


async def test_a_job_of_which_nobody_knows_is_said_to_be_unknown_and_not_sent_again() -> None:
    async with worlds() as own, zygote() as process:
        verdict = await attempt(own, process, trouble=AMBIGUOUS)
        assert (verdict.state, verdict.complaints) == (JobState.UNKNOWN, [])

"""Killed while moderators are asked or decide: a sample of what `make crash` tries at every point."""

import random

import pytest

from tests.crash.approvals import ASKED, REQUESTS, RESULTS, ApprovalTrial, Deaths, Scene, killed_hurriedly
from tests.crash.world import Zygote, worlds

SEED = 6
DECISIONS = [REQUESTS[4], RESULTS[5]]  # by two, who disagree; the others are for `make crash`


@pytest.mark.promise
@pytest.mark.parametrize("scene", DECISIONS, ids=lambda scene: scene.name)
async def test_a_kill_around_a_decision_loses_nothing_and_does_nothing_twice(
    process: Zygote, scene: Scene
) -> None:
    async with worlds() as own:
        quiet = ApprovalTrial(scene, len(scene.steps) - 1)
        decided = await quiet.make(own, process)
        assert decided.complaints == []
        assert decided.state in scene.ends
        trial = random.Random(SEED).choice(Deaths(()).of(quiet, decided.points))
        assert (await trial.make(own, process)).complaints == []


@pytest.mark.promise
async def test_a_request_that_a_dead_process_posted_is_decided_on_at_once(process: Zygote) -> None:
    async with worlds() as own:
        quiet = ApprovalTrial(REQUESTS[0], ASKED)
        asked = await quiet.make(own, process)
        posted = killed_hurriedly(Deaths(()).of(quiet, asked.points))
        trial = next(one for one in reversed(posted) if "outbox._note" in one.deaths[0].point)
        verdict = await trial.make(own, process)
        assert (verdict.died, verdict.complaints) == (1, [])

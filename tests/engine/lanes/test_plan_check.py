"""A plan that turns out to be another is noticed, told to the admins once, and found out about again."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.domain.guilds import Plan
from bot.engine import Tuning
from bot.engine.rate import FIRST_CHECK, ChosenPlan, RateWindow
from bot.servers import keys
from sandbox.studii import faults
from tests.engine.world import a_job, engine_world
from tests.support.patience import until

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
TEAM, PRO = ChosenPlan(300, MONDAY), ChosenPlan(60, MONDAY)


def window_of(plan: ChosenPlan = TEAM) -> RateWindow:
    window = RateWindow(plan.limit, Tuning())
    window.set_plan(plan, 0.0)
    return window


def limited(window: RateWindow, now: float, used: int) -> bool:
    """Return whether a 429 after so many requests in the last minute tells something new about the plan."""
    window.set_others([now + 1.0] * used)
    return window.limited(now, 0.0)


def passed(window: RateWindow, now: float, used: int) -> bool:
    window.set_others([now + 1.0] * used)
    window.free_at(now)
    return window.passed(now)


def limit(window: RateWindow, now: float) -> int:
    window.free_at(now)
    return window.limit


def doubted() -> RateWindow:
    window = window_of()
    limited(window, 0.0, 61)
    limited(window, 10.0, 61)
    return window


def later_life(window: RateWindow, now: float, plan: ChosenPlan = TEAM) -> RateWindow:
    later = window_of(plan)
    later.restore_evidence(window.plan, window.evidence, now)
    return later


def test_two_429s_well_under_the_plans_limit_lower_it_and_one_does_not() -> None:
    window = window_of()
    assert not limited(window, 0.0, 61)
    assert limit(window, 0.0) == 300
    assert limited(window, 100.0, 61)
    assert limit(window, 100.0) == 60
    assert not limited(window, 200.0, 20)  # known already


def test_the_plan_is_tried_again_later_and_believed_if_it_holds() -> None:
    window = doubted()
    assert limit(window, 10.0 + FIRST_CHECK - 1) == 60
    later = 10.0 + FIRST_CHECK
    assert limit(window, later) == 300
    assert not limited(window, later, 61)  # one is enough now, and it is no news
    assert limit(window, later + 2 * FIRST_CHECK - 1) == 60
    last = later + 2 * FIRST_CHECK
    assert not passed(window, last, 100)  # a fixed minute of 60 may let that through
    assert passed(window, last, 150)
    assert not passed(window, last, 150)


async def test_a_lowered_plan_is_kept_over_a_restart_until_an_admin_chooses_anew(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key(), plan=Plan.TEAM)
        world.studii.fail("create", faults.rate_limited(0))
        world.studii.fail("status", faults.rate_limited(0))
        job = await world.accept(a_job())
        async with world.running():
            await world.announced(job.id)

        async def usable() -> int:
            """Requests that the lane allows itself in a minute, in a life of its own."""
            job = await world.accept(a_job())
            async with world.running() as engine:
                await world.announced(job.id)
                inside: Any = engine
                return int(inside._lanes._lines[key.lane].lane.rate.usable)

        assert await usable() == 60 - world.tuning.rate_margin
        await world.db.write(keys.set_plan, key.id, Plan.TEAM, world.clock.now())
        assert await usable() == 300 - world.tuning.rate_margin


@pytest.mark.driver_thread
async def test_no_transaction_looks_at_requests_that_the_loop_counts_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting, used = set[threading.Thread](), RateWindow.used

    def noted(window: RateWindow, now: float) -> int:
        counting.add(threading.current_thread())
        return used(window, now)

    monkeypatch.setattr(RateWindow, "used", noted)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key(), plan=Plan.TEAM)
        world.studii.fail("create", faults.rate_limited(0))
        world.studii.fail("status", faults.rate_limited(0))
        job = await world.accept(a_job())
        async with world.running():
            await world.announced(job.id)
    assert counting == {threading.current_thread()}


async def test_a_plan_that_is_chosen_while_its_lane_rests_holds_at_once(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key(), plan=Plan.TEAM)
        async with world.running() as engine:
            await world.announced((await world.accept(a_job())).id)
            inside: Any = engine
            rate: RateWindow = inside._lanes._lines[key.lane].lane.rate
            await world.db.write(keys.set_plan, key.id, Plan.PRO, world.clock.now())
            await until(lambda: rate.limit == Plan.PRO.requests_per_minute, "the plan that was chosen")

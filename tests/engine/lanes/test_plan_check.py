"""A plan that turns out to be another is noticed, told to the admins once, and found out about again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import posts
from bot.domain.guilds import Plan
from bot.engine import Tuning
from bot.engine.rate import FIRST_CHECK, LAST_CHECK, ChosenPlan, RateWindow
from bot.jobs import lanes as lane_rows
from bot.jobs.models import JobState
from bot.servers import keys
from bot.servers.notices import NoticeKind
from sandbox.studii import Options, RateStyle, faults
from tests.engine.world import GUILD, a_job, engine_world

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


def test_a_429_close_to_the_limit_says_nothing_of_the_plan() -> None:
    window = window_of()
    assert not any(limited(window, float(second), 290) for second in range(10))
    assert limit(window, 10.0) == 300


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


def test_a_plan_that_an_admin_chooses_is_believed() -> None:
    window = doubted()
    window.set_plan(TEAM, 11.0)
    assert window.limit == 60
    window.set_plan(PRO, 12.0)
    window.set_plan(TEAM, 12.0)
    assert window.limit == 300


def test_the_same_plan_chosen_anew_is_believed() -> None:
    window = doubted()
    window.set_plan(ChosenPlan(300, MONDAY + timedelta(days=1)), 11.0)
    assert window.limit == 300
    assert window.evidence.odd_at is None


def test_another_life_doubts_the_plan_for_as_long() -> None:
    later = later_life(doubted(), 1000.0)
    assert limit(later, 10.0 + FIRST_CHECK - 1) == 60
    assert limit(later, 10.0 + FIRST_CHECK) == 300
    assert not limited(later, 10.0 + FIRST_CHECK, 61)  # no news
    assert limit(later, 10.0 + FIRST_CHECK + 2 * FIRST_CHECK - 1) == 60


def test_one_accident_before_a_restart_and_one_after_are_two() -> None:
    window = window_of()
    limited(window, 0.0, 61)
    later = later_life(window, 100.0)
    assert limit(later, 100.0) == 300
    assert limited(later, 105.0, 61)


def test_what_was_doubted_of_another_plan_or_an_earlier_choice_is_forgotten() -> None:
    for plan in (PRO, ChosenPlan(300, MONDAY + timedelta(seconds=1))):
        later = later_life(doubted(), 10.0, plan)
        assert limit(later, 10.0) == plan.limit
        assert later.evidence.odd_at is None


def test_a_wall_clock_that_was_put_back_lowers_no_plan_for_ever() -> None:
    window = doubted()
    window.evidence.lowered_until = window.evidence.odd_at = 1e9
    assert limit(later_life(window, 0.0), LAST_CHECK) == 300


async def test_admins_are_told_once_that_the_plan_is_another(tmp_path: Path) -> None:
    options = Options(instant=True, long_side=64, rate_style=RateStyle(period=0.5))
    async with engine_world(tmp_path, options=options, tries=99) as world:
        key = await world.use_key(world.studii.add_key(rate_limit=4), plan=Plan.TEAM)
        jobs = [await world.accept(a_job()) for _ in range(8)]
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert await world.db.read(posts.known, GUILD, NoticeKind.PLAN_DOUBTED, str(key.id))
        kept = (await world.db.read(lane_rows.limits_of, [key.lane]))[key.lane]
        assert (kept.doubted, kept.lowered_to) == (True, 60)


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

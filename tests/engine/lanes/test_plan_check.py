"""A plan that turns out to be another is noticed, told to the admins once, and found out about again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot import posts
from bot.domain.guilds import Plan
from bot.engine.lanes.plan_check import FIRST_CHECK, LAST_CHECK, ChosenPlan, PlanCheck
from bot.jobs import lanes as lane_rows
from bot.jobs.models import JobState
from bot.servers import keys
from bot.servers.notices import NoticeKind
from sandbox.studii import Options, RateStyle, faults
from tests.engine.world import GUILD, a_job, engine_world

MONDAY = datetime(2026, 5, 4, tzinfo=UTC)
TEAM, PRO = ChosenPlan(300, MONDAY), ChosenPlan(60, MONDAY)


def test_two_429s_well_under_the_plans_limit_lower_it_and_one_does_not() -> None:
    check = PlanCheck(TEAM)
    assert not check.limited(0.0, 61)
    assert check.limit(0.0) == 300
    assert check.limited(100.0, 61)
    assert check.limit(100.0) == 60
    assert not check.limited(200.0, 20)  # known already


def test_a_429_close_to_the_limit_says_nothing_of_the_plan() -> None:
    check = PlanCheck(TEAM)
    assert not any(check.limited(float(second), 290) for second in range(10))
    assert check.limit(10.0) == 300


def test_the_plan_is_tried_again_later_and_believed_if_it_holds() -> None:
    check = PlanCheck(TEAM)
    check.limited(0.0, 61)
    check.limited(10.0, 61)
    assert check.limit(10.0 + FIRST_CHECK - 1) == 60
    later = 10.0 + FIRST_CHECK
    assert check.limit(later) == 300
    assert not check.limited(later, 61)  # one is enough now, and it is no news
    assert check.limit(later + 2 * FIRST_CHECK - 1) == 60
    last = later + 2 * FIRST_CHECK
    assert not check.sent(last, 100)  # a fixed minute of 60 may let that through
    assert check.sent(last, 150)
    assert not check.sent(last, 150)


def test_a_plan_that_an_admin_chooses_is_believed() -> None:
    check = PlanCheck(TEAM)
    check.limited(0.0, 61)
    check.limited(10.0, 61)
    check.set_plan(TEAM)
    assert check.limit(11.0) == 60
    check.set_plan(PRO)
    check.set_plan(TEAM)
    assert check.limit(12.0) == 300


def test_the_same_plan_chosen_anew_is_believed() -> None:
    check = doubted()
    check.set_plan(ChosenPlan(300, MONDAY + timedelta(days=1)))
    assert check.limit(11.0) == 300
    assert check.doubt(11.0) is None


def doubted() -> PlanCheck:
    check = PlanCheck(TEAM)
    check.limited(0.0, 61)
    check.limited(10.0, 61)
    return check


def test_another_life_doubts_the_plan_for_as_long() -> None:
    doubt = doubted().doubt(1000.0)
    assert doubt is not None
    later = PlanCheck(TEAM)
    later.restore(doubt, 50.0)
    left = FIRST_CHECK - 990.0
    assert later.limit(50.0 + left - 1) == 60
    assert later.limit(50.0 + left) == 300
    assert not later.limited(50.0 + left, 61)  # no news
    assert later.limit(50.0 + left + 2 * FIRST_CHECK - 1) == 60


def test_one_accident_before_a_restart_and_one_after_are_two() -> None:
    check = PlanCheck(TEAM)
    check.limited(0.0, 61)
    doubt = check.doubt(100.0)
    assert doubt is not None
    later = PlanCheck(TEAM)
    later.restore(doubt, 0.0)
    assert later.limit(0.0) == 300
    assert later.limited(5.0, 61)


def test_what_was_doubted_of_another_plan_or_an_earlier_choice_is_forgotten() -> None:
    doubt = doubted().doubt(10.0)
    assert doubt is not None
    for plan in (PRO, ChosenPlan(300, MONDAY + timedelta(seconds=1))):
        later = PlanCheck(plan)
        later.restore(doubt, 0.0)
        assert later.limit(0.0) == plan.limit
        assert later.doubt(0.0) is None


def test_a_wall_clock_that_was_put_back_lowers_no_plan_for_ever() -> None:
    doubt = doubted().doubt(10.0)
    assert doubt is not None
    later = PlanCheck(TEAM)
    later.restore(doubt._replace(lowered_for=1e9, odd_for=-1e9), 0.0)
    assert later.limit(LAST_CHECK) == 300


async def test_admins_are_told_once_that_the_plan_is_another(tmp_path: Path) -> None:
    options = Options(instant=True, long_side=64, rate_style=RateStyle(period=0.5))
    async with engine_world(tmp_path, options=options, tries=99) as world:
        key = await world.use_key(world.studii.add_key(rate_limit=4), plan=Plan.TEAM)
        jobs = [await world.accept(a_job()) for _ in range(8)]
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        async with world.storage.read() as transaction:
            assert await transaction.run(posts.known, GUILD, NoticeKind.PLAN_DOUBTED, str(key.id))
            kept = (await transaction.run(lane_rows.limits_of, [key.lane]))[key.lane]
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
                return int(inside._lanes._runners[key.lane]._rate.window.usable)

        assert await usable() == 60 - world.tuning.rate_margin
        async with world.storage.write() as transaction:
            await transaction.run(keys.set_plan, key.id, Plan.TEAM, world.clock.now())
        assert await usable() == 300 - world.tuning.rate_margin

"""A plan that turns out to be another is noticed, told to the admins once, and found out about again."""

from pathlib import Path

from bot.engine.allowance import FIRST_CHECK, Allowance
from bot.model import JobState, NoticeKind, Plan
from sandbox.studii import Options, RateStyle
from tests.engine.world import GUILD, a_job, engine_world


def test_two_429s_well_under_the_plans_limit_lower_it_and_one_does_not() -> None:
    allowance = Allowance(300)
    assert not allowance.limited(0.0, 61)
    assert allowance.limit(0.0) == 300
    assert allowance.limited(100.0, 61)
    assert allowance.limit(100.0) == 60
    assert not allowance.limited(200.0, 20)  # known already


def test_a_429_close_to_the_limit_says_nothing_of_the_plan() -> None:
    allowance = Allowance(300)
    assert not any(allowance.limited(float(second), 290) for second in range(10))
    assert allowance.limit(10.0) == 300


def test_the_plan_is_tried_again_later_and_believed_if_it_holds() -> None:
    allowance = Allowance(300)
    allowance.limited(0.0, 61)
    allowance.limited(10.0, 61)
    assert allowance.limit(10.0 + FIRST_CHECK - 1) == 60
    later = 10.0 + FIRST_CHECK
    assert allowance.limit(later) == 300
    assert not allowance.limited(later, 61)  # one is enough now, and it is no news
    assert allowance.limit(later + 2 * FIRST_CHECK - 1) == 60
    last = later + 2 * FIRST_CHECK
    assert not allowance.sent(last, 100)  # a fixed minute of 60 may let that through
    assert allowance.sent(last, 150)
    assert not allowance.sent(last, 150)


def test_a_plan_that_an_admin_chooses_is_believed() -> None:
    allowance = Allowance(300)
    allowance.limited(0.0, 61)
    allowance.limited(10.0, 61)
    allowance.set_plan(300)
    assert allowance.limit(11.0) == 60
    allowance.set_plan(60)
    allowance.set_plan(300)
    assert allowance.limit(12.0) == 300


async def test_admins_are_told_once_that_the_plan_is_another(tmp_path: Path) -> None:
    options = Options(instant=True, long_side=64, rate_style=RateStyle(period=0.5))
    async with engine_world(tmp_path, options=options, tries=99) as world:
        key = await world.use_key(world.studii.add_key(rate_limit=4), plan=Plan.TEAM)
        jobs = [await world.accept(a_job()) for _ in range(8)]
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        async with world.storage.read() as tx:
            assert await tx.notices.known(GUILD, NoticeKind.PLAN_DOUBTED, str(key.id))

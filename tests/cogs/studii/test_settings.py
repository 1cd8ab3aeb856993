"""/studii: the key and the budget, for those who may manage the server."""

from pathlib import Path

import pytest

from bot.servers import keys
from bot.servers.keys import Plan
from bot.servers.settings import Period
from tests.support import spending
from tests.support.desk import KEY, REFUSED_KEY, Desk, open_desk, texts
from tests.support.settings import admin, pressed


async def enter(desk: Desk, key: str, plan: str = "team") -> str:
    shown = await pressed(desk, "setup", "studii:setup:key")
    answer = await desk.admin.submit_modal(shown, {"key": key, "plan": [plan]})
    return texts(answer)


@pytest.mark.promise
async def test_an_admin_enters_the_key_and_sees_it_masked_with_the_next_step(desk: Desk) -> None:
    told = await enter(desk, KEY)
    assert "**The key works**: `stu_…cdef` · Team" in told
    assert KEY not in told
    assert "**Next**: set a budget." in told
    kept = await desk.resources.db.read(keys.current, desk.guild.id)
    assert kept is not None
    assert kept.plan is Plan.TEAM


@pytest.mark.promise
async def test_without_a_budget_the_default_holds_and_is_named(desk: Desk) -> None:
    told = await enter(desk, KEY)
    assert "100 credits a day" in told
    assert "the default" in told


@pytest.mark.promise
@pytest.mark.parametrize(
    ("key", "reason"),
    [(REFUSED_KEY, "Studii refused this key"), ("sk_0123456789abcdef", "must start with `stu_`")],
)
async def test_what_makes_no_sense_is_refused_and_nothing_changes(
    tmp_path: Path, key: str, reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        told = await enter(desk, key)
        assert reason in told
        assert key not in told
        assert await desk.resources.db.read(keys.current, desk.guild.id) is None


@pytest.mark.promise
async def test_the_budget_is_shown_set_and_kept_in_the_parts_that_were_left_out(desk: Desk) -> None:
    shown = texts(await admin(desk, "budget"))
    assert "100 credits a day" in shown
    assert "No budget is set yet" in shown
    told = texts(await admin(desk, "budget", credits=500, period="month"))
    assert "500 credits a month" in told
    told = texts(await admin(desk, "budget", credits=40))
    assert "40 credits a month" in told
    budget = (await spending.budget(desk.resources, desk.guild.id)).settings
    assert (budget.budget_limit, budget.budget_period) == (40, Period.MONTH)


@pytest.mark.promise
async def test_a_total_says_since_when_it_counts_and_begins_anew_only_when_asked(desk: Desk) -> None:
    begun = int(desk.clock.now().timestamp())
    shown = texts(await admin(desk, "budget", credits=50, period="total"))
    assert f"since <t:{begun}:f>" in shown
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    desk.clock.advance(3600)
    shown = texts(await admin(desk, "budget", credits=60, period="total"))
    assert f"since <t:{begun}:f>" in shown
    assert "52 of 60 credits left" in shown
    shown = texts(await pressed(desk, "credits", "studii:restart:credits"))
    assert f"since <t:{begun + 3600}:f>" in shown
    assert "60 of 60 credits left" in shown

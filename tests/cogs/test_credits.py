"""/credits: a member's view of the money."""

import pytest

from bot.credits.limits import AllowanceScope
from bot.domain.guilds import Period
from bot.jobs.models import JobState
from tests.support import spending
from tests.support.desk import Desk, texts
from tests.support.settings import admin


@pytest.mark.promise
async def test_a_member_sees_what_is_left_and_what_they_used(desk: Desk) -> None:
    await spending.set_budget(desk.services, desk.guild.id, 100, Period.WEEK)
    for member in (desk.tom, desk.maya):
        await member.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(
        await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED
    )
    await desk.settle(job, 8)
    answer = await desk.maya.slash(desk.channel, "credits")
    assert answer.ephemeral
    shown = texts(answer)
    assert "▰▰▰▰▰▰▰▰▰▰▱▱ **84 of 100 credits left this week**" in shown
    assert "8 credits spent, 8 reserved" in shown
    assert "**You**: 8 credits spent" in shown
    (line,) = (line for line in shown.splitlines() if "· done ·" in line)
    assert "🎨 Studio · done" in line
    assert "· 8 credits ·" in line


@pytest.mark.promise
async def test_a_member_sees_their_own_allowance_and_limits(desk: Desk) -> None:
    await spending.set_limits(
        desk.services, desk.guild.id, allowance=(AllowanceScope.MEMBER, desk.maya.id, 20)
    )
    await spending.set_limits(desk.services, desk.guild.id, at_once=3)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    shown = texts(await desk.maya.slash(desk.channel, "credits"))
    assert "▰▰▰▰▰▰▰▱▱▱▱▱ **Your allowance**: 12 of 20 credits left today" in shown
    assert "Running jobs: 1 of 3" in shown
    assert "Your allowance" not in texts(await desk.tom.slash(desk.channel, "credits"))


@pytest.mark.promise
async def test_the_panel_of_allowances_says_what_has_just_changed(desk: Desk) -> None:
    vip = desk.guild.create_role("VIP")
    said = {
        "✅ **Everyone's allowance**: changed from no limit to 20 credits.": {"credits": 20},
        f"✅ **Roles (the highest applies)**: <@&{vip.id}>: 40 credits added.": {
            "role": vip,
            "credits": 40,
        },
        f"✅ **Members with their own allowance**: <@{desk.maya.id}>: 1 credit added.": {
            "member": desk.maya,
            "credits": 1,
        },
        "✅ **Everyone's allowance**: changed from 20 credits to no limit.": {"no_limit": True},
        "✅ **Simultaneous jobs**: changed from no limit to 2.": {"at_once": 2},
        "✅ **Simultaneous jobs**: changed from 2 to no limit.": {"at_once": 0},
        "✅ **Start rate**: changed from no limit to 3 jobs in 10 minutes.": {"starts": 3},
        "✅ **Start rate**: changed from 3 jobs in 10 minutes to no limit.": {"starts": 0},
    }
    for sentence, options in said.items():
        shown = texts(await admin(desk, "allowance", **options))
        assert sentence in shown.splitlines()
    assert "✅" not in texts(await admin(desk, "allowance"))

"""/credits: a member's view of the money."""

import pytest

from bot.jobs.models import JobState
from bot.servers.settings import Period
from tests.support import spending
from tests.support.desk import Desk, pieces, texts


@pytest.mark.promise
async def test_a_member_sees_what_is_left_and_what_they_used(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.WEEK)
    for member in (desk.tom, desk.maya):
        await member.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(
        await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED
    )
    await desk.settle(job, 8)
    answer = await desk.maya.slash(desk.channel, "credits")
    assert answer.ephemeral
    shown = texts(answer)
    assert "**84 of 100 credits left this week**" in shown
    assert "8 credits spent, 8 reserved" in shown
    (gauge,) = (piece["items"][0] for piece in pieces(answer) if piece["type"] == 12)
    assert gauge["description"] == "84 of 100 credits left this week"
    assert "**You**: 8 credits spent" in shown
    (line,) = (line for line in shown.splitlines() if "· done ·" in line)
    assert "🎨 Studio · done" in line
    assert "· 8 credits ·" in line

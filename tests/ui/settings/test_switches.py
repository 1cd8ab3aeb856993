"""What admins switch on and off: pauses, and whether photos keep their metadata."""

import pytest
import simcord

from bot.jobs.models import JobState
from bot.servers import settings
from tests.support.desk import Desk, texts
from tests.support.settings import admin


@pytest.mark.promise
@pytest.mark.parametrize(
    "command", ["setup", "credits", "photos", "results", "moderation", "budget", "grant"]
)
async def test_members_do_not_see_the_commands(desk: Desk, command: str) -> None:
    with pytest.raises(simcord.SetupError, match="not visible"):
        await desk.maya.slash(desk.channel, f"studii {command}")


@pytest.mark.promise
async def test_a_pause_refuses_new_jobs_and_leaves_what_is_going(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="before")
    before = await desk.job()
    await admin(desk, "pause")
    told = await desk.maya.slash(desk.channel, "studio", prompt="meanwhile")
    assert "New jobs are paused" in texts(told)
    assert (await desk.job()).id == before.id
    assert (await desk.job()).state is JobState.WAITING
    assert "**Paused.**" in texts(await desk.admin.slash(desk.channel, "studii setup"))
    await admin(desk, "resume")
    await desk.maya.slash(desk.channel, "studio", prompt="after")
    assert (await desk.job()).id != before.id


@pytest.mark.promise
async def test_admins_see_and_set_whether_photos_keep_their_metadata(desk: Desk) -> None:
    shown = await admin(desk, "metadata")
    assert shown.ephemeral
    assert "✅ **Remove photo metadata**: changed from on to off." in texts(shown)
    assert "is **kept**" in texts(shown)
    assert (await desk.db.read(settings.of, desk.guild.id)).keeps_metadata
    assert not (await desk.db.read(settings.of, desk.guild.id + 1)).keeps_metadata
    assert "is **removed**" in texts(await admin(desk, "metadata"))
    assert not (await desk.db.read(settings.of, desk.guild.id)).keeps_metadata

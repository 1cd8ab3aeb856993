"""Emoji under photos, photo channels and mentions."""

from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.demo.place import PHOTO_DESK
from sandbox.studii import faults
from tests.stories.world import ROOM, plain, town

SOFA = "🛋️"
BOT = "<@7001>"


@pytest.mark.promise
async def test_a_first_tap_asks_later_ones_run_and_one_that_is_taken_back_cancels(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        photo = here.maya.post("My room", ROOM)
        here.tom.tap(photo, SOFA)  # reactions are off
        await here.nora.change("photos", "everywhere")
        here.tom.tap(photo, SOFA)
        here.tom.tap(photo, SOFA)
        question = await here.said(f"<@{here.tom.id}>", "costs about 8 credits. Start it?")
        assert not here.studii.jobs
        await here.restart()
        await here.tom.confirm(question)
        await here.tom.result_after(photo)
        assert question.id not in here.discord.messages
        second = here.maya.post("Another", ROOM)
        here.tom.tap(second, SOFA)
        await here.tom.result_after(second)
        here.studii.fail("upload", faults.rate_limited(60), times=9)
        third = here.maya.post("A third", ROOM)
        here.tom.tap(third, SOFA)
        await until(lambda: sum("is accepted" in line for line in here.log) == 3, "the job")
        await here.restart()
        here.tom.tap(third, SOFA)
        await until(lambda: any("is cancelled" in line for line in here.log), "the job to be cancelled")
        assert (len(here.studii.jobs), await here.spent()) == (2, here.charged())


@pytest.mark.promise
async def test_a_photo_channel_runs_its_tool_and_a_mention_offers_tools_to_its_author(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.nora.change("photos", "autos", channel=[str(PHOTO_DESK)], tool=["photo-restore"])
        photo = here.tom.post("My room", ROOM)
        result = await here.tom.result_after(photo)
        assert "Photo restoration" in plain(result)
        await here.nora.change("photos", "autos", str(PHOTO_DESK))
        mention = here.maya.post(f"{BOT} a lighthouse in the fog", ROOM)
        offer = await here.said("credits", "Virtual staging", "Photo restoration")
        assert "only" in plain(await here.tom.press(offer, "Photo restoration")).lower()
        await here.restart()
        await here.maya.press(offer, "Photo restoration")
        await here.maya.result_after(mention)
        here.maya.post(f"{BOT} another lighthouse")
        idle = await here.said("another lighthouse")
        await here.nora.change("photos", "everywhere")  # written after the offer
        await here.restart(11 * 60)
        await until(lambda: idle.id not in here.discord.messages, "the offer to go")
        assert len(here.studii.jobs) == 2

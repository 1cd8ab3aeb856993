"""What is missing from the bot's disk is fetched again, and what can't be posted is kept."""

import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sandbox.demo.people import text_of, until
from sandbox.demo.place import BOTS, PHOTO_DESK
from sandbox.discord.emulator.faults import Fault
from sandbox.discord.emulator.places import SEND, Overwrite
from sandbox.studii import faults
from tests.stories.world import DAY, ROOM, Town, town


async def lose_the_disk(here: Town) -> None:
    """Kill the bot, and start it without its spool."""
    await here.kill()
    shutil.rmtree(here.folder / "data" / "spool")
    await here.start()


@pytest.mark.promise
async def test_a_photo_and_a_result_that_the_disk_lost_are_fetched_again(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        posted = here.maya.post("My room", ROOM)
        here.studii.fail("upload", faults.rate_limited(3))
        await here.acts.menu(here.maya.id, posted.id, "Photo restoration")
        await until(lambda: here.studii.requests.count("upload"), "the upload to be refused")
        await lose_the_disk(here)
        await here.maya.result_after(posted)
        assert list(here.studii.uploads.values())[-1].data == ROOM[1]
        here.discord.fail("send", *[Fault(status=503)] * 30)
        start = await here.maya.command("studio", prompt="A red kite")
        await until(lambda: sum("succeeded" in line for line in here.log) == 2, "the result")
        here.discord.faults.clear()
        await lose_the_disk(here)
        result = await here.maya.result_after(start)
        made = await here.studii.output_of(list(here.studii.jobs)[-1])
        assert [file.data for file in result.files.values()] == [made.data]
        assert len(here.studii.jobs) == 2
        data = here.folder / "data"
        assert {(data / name).stat().st_mode & 0o77 for name in ("studii.db", "encryption.key", "spool")} == {
            0
        }


@pytest.mark.promise
async def test_a_result_that_can_not_be_posted_is_kept_in_jobs_for_a_month(tmp_path: Path) -> None:
    """It is posted with its photo before, once, and for nothing more."""
    async with town(tmp_path) as here:
        held = faults.Held()
        here.studii.fail("create", held)
        start = await here.maya.command("virtual-staging", image=ROOM)
        here.discord.channels.dm_with(here.maya.id).closed = True
        overwrites = here.discord.places.channels[PHOTO_DESK].overwrites
        overwrites.append(Overwrite(BOTS, deny=SEND))
        held.release.set()
        await here.said("Get it with `/jobs` within 30 days.")
        overwrites.clear()
        await here.restart(29 * DAY)
        await here.maya.press(await here.maya.command("jobs"), "Post here")
        posted = await here.maya.result_after(start)
        after, before = posted.files.values()
        (job,) = here.studii.jobs.values()
        assert after.data == (await here.studii.output_of(job.id)).data
        assert Image.open(BytesIO(before.data or b"")).size == (320, 240)
        assert {"Edit", "Full size", "More…"} <= set(text_of(posted).splitlines())
        assert "Post here" not in text_of(await here.maya.command("jobs"))
        await here.maya.result_after(await here.maya.press(posted, "Run again"))
        assert (len(here.studii.jobs), len(list(here.pictures()))) == (2, 2)

"""Jobs that never end, that Studii loses, and results that are hard to have."""

from pathlib import Path

import pytest

from sandbox.demo.people import text_of, until
from sandbox.demo.place import TEAM
from sandbox.studii import Options, Outcome, Output, faults
from tests.stories.world import DAY, ROOM, Town, failed, plain, town


async def asked(here: Town, prompt: str, outcome: Outcome | None = None) -> None:
    """Let Maya ask for that, and wait until Studii has it."""
    before = len(here.studii.jobs)
    if outcome is not None:
        here.studii.next_job(outcome)
    await here.maya.command("studio", prompt=prompt)
    await until(lambda: len(here.studii.jobs) > before, "the job")


@pytest.mark.promise
async def test_a_job_that_never_ends_is_told_after_a_day_and_given_up_at_its_charge_after_a_week(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here:
        await here.nora.command("studii budget", credits=500, period="total")
        await asked(here, "A slow kite", Outcome(never_ends=True, status="upscaling"))
        await here.said("A slow kite", "upscaling")
        await here.restart(DAY + 60)
        await here.said("running", channel=TEAM)
        await here.restart(6 * DAY)
        assert "Charged 8 credits." in plain(await here.said("A slow kite", "job failed"))
        assert await here.spent() == 8
        assert len([one for one in here.discord.in_channel(TEAM) if "running" in text_of(one)]) == 1


@pytest.mark.promise
async def test_a_job_that_studii_does_not_know_any_more_fails_at_its_charge(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await here.restart(speed=10)
        here.studii.fail("status", faults.error(404, "No such job."), times=99)
        await asked(here, "A lost kite")
        assert "Charged 8 credits." in plain(await here.said("A lost kite", "job failed"))
        assert await here.spent() == 8


@pytest.mark.promise
async def test_bad_answers_and_half_files_are_asked_for_again_and_nothing_broken_is_posted(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, Options(instant=True, long_side=96)) as here:
        for fault in (faults.error(500), faults.Truncated(), faults.Malformed(), faults.DropBefore()):
            here.studii.fail("status", fault)
        await asked(here, "A kite in a storm")
        await here.said("A kite in a storm", "is ready")
        for fault in (faults.gone(), faults.Truncated(), faults.DropBefore(), faults.Malformed()):
            here.studii.fail("output", fault)
            await asked(here, f"A kite behind {fault}")
        await until(lambda: len(list(here.pictures())) == 5, "all results")
        for endpoint in ("upload", "put"):
            here.studii.fail(endpoint, faults.error(500))
        await here.maya.command("photo-restore", image=ROOM)
        await until(lambda: len(list(here.pictures())) == 6, "the restored photo")
        here.studii.fail("put", faults.error(413))
        assert "Not charged." in await failed(await here.maya.command("photo-restore", image=ROOM))
        made = {(await here.studii.output_of(one)).data for one in here.studii.jobs}
        posted = {file.data for one in here.pictures() for file in one.files.values()}
        assert made <= posted <= made | {ROOM[1]}
        assert await here.spent() == here.charged()
        assert not here.told_apart()


@pytest.mark.promise
async def test_what_is_no_picture_is_never_posted_and_its_charge_is_told(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        await asked(here, "A page", Outcome(output=Output(b"<html>Not yet</html>", "text/html")))
        assert "Charged 8 credits." in plain(await here.said("job failed", "isn't a picture or a video"))
        assert not list(here.pictures())

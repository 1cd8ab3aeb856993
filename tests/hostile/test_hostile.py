"""A sample of `make hostile`: hostile files through the whole bot, beside photos that nobody has to fear."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from bench.machine.held import MIB, decoders_of
from sandbox.demo.people import until
from tests.hostile.__main__ import COSTLIEST
from tests.hostile.bot import INPUTS, innocents, victim
from tests.hostile.files import BLANK, files, scans
from tests.stories.world import town
from tests.support.patience import PATIENCE

REFUSED = ("JPEG, 7,000 scans", "HEIC, a grid", "WebP, a frame larger", "PNG, a colour profile", "EPS")
SAMPLE = (*REFUSED, "AVIF, says 64×64", "TIFF, one strip 60,000 times", "GIF, a comment")


@pytest.mark.promise
@pytest.mark.skipif(sys.platform != "linux", reason="what processes hold is read from /proc")
async def test_hostile_files_are_refused_unpaid_and_the_photos_beside_them_are_taken(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    photos = innocents(600, 400)
    async with victim(tmp_path, forked=True) as bot:
        await bot.meet(BLANK, BLANK.make(), photos, bot.held())  # loads what is loaded when it is first used
        idle = bot.held()
        for file in files():
            if not file.name.startswith(SAMPLE):
                continue
            with subtests.test(file.name):
                seen = await bot.meet(file, file.make(), photos, idle)
                assert seen.is_taken is not file.name.startswith(REFUSED)
                assert seen.as_known
                assert seen.is_taken or "picture" in seen.words or "photo" in seen.words
                assert seen.are_innocents_taken
                assert seen.own < 20 * MIB
                assert seen.together < 870 * MIB
        assert await bot.stop() == 0


def test_the_sample_is_of_files_that_there_are() -> None:
    names = [file.name for file in files()]
    assert all(any(name.startswith(start) for name in names) for start in SAMPLE)
    assert set(COSTLIEST) <= set(names)
    assert len(scans(7_000)) < 300_000


@pytest.mark.promise
@pytest.mark.skipif(sys.platform != "linux", reason="what processes hold is read from /proc")
async def test_a_stop_ends_the_decoder_and_the_photo_is_opened_again_after_the_start(tmp_path: Path) -> None:
    async with town(tmp_path) as here:
        photo = (*innocents(600, 400)[0], "image/jpeg")
        await here.maya.result_after(await here.maya.command("virtual-staging", image=photo, **INPUTS))
        decoders = decoders_of(here.process.pid)
        for one in decoders:
            os.kill(one, signal.SIGSTOP)
        await here.maya.command("photo-restore", image=photo)
        async with asyncio.timeout(PATIENCE):
            await here.stop()
        assert decoders
        for one in decoders:
            with pytest.raises(ProcessLookupError):
                os.kill(one, 0)
        await here.start()
        await until(lambda: len(here.studii.jobs) == 2, "the job to be made")

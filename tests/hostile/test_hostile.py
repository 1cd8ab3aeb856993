"""A sample of `make hostile`: hostile files through the whole bot, beside photos that nobody has to fear."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.machine.held import MIB
from bot.media import pool
from bot.media.pool import DecoderProcess
from sandbox.studii import Options, StudiiServer
from tests.hostile.__main__ import COSTLIEST
from tests.hostile.bot import INPUTS, innocents, victim
from tests.hostile.files import BLANK, files, scans
from tests.support.simulated.people import STEP_TIMEOUT, Person, until
from tests.support.simulated.stage import open_stage

REFUSED = ("JPEG, 7,000 scans", "WebP, a frame larger", "PNG, a colour profile", "EPS")
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
                assert not (seen.is_taken and file.name.startswith(REFUSED))
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
async def test_a_stop_ends_the_decoder_and_the_photo_is_opened_again_after_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    real = DecoderProcess.ask

    async def ask(self: DecoderProcess, request: Mapping[str, object], within: float) -> object:
        if request["do"] == "inspect" and not stopped:
            os.kill(self.pid, signal.SIGSTOP)
            stopped.append(self.pid)
        return await real(self, request, within)

    monkeypatch.setattr(DecoderProcess, "ask", ask)
    monkeypatch.setattr(pool, "_SLACK_SECONDS", 3600.0)
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, tmp_path) as stage,
    ):
        await Person(stage, stage.world.admin).set_key(studii.add_key().secret)
        (photo, _) = innocents(600, 400)
        await Person(stage, stage.world.maya).command("virtual-staging", image=photo, **INPUTS)
        await until(lambda: stopped, "the photo to be opened")
        async with asyncio.timeout(STEP_TIMEOUT):  # an hour, if anything waited for the decoder
            await stage.restart()
        with pytest.raises(ProcessLookupError):
            os.kill(stopped[0], 0)
        await until(lambda: studii.jobs, "the job to be made")

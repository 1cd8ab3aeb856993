"""The folder for photos and outputs stays within its bounds, and nobody fills it for the others."""

import shutil
import stat
from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.jobs.models import JobState
from bot.media.spool import Spool
from tests.engine.world import a_job, a_staging_job, engine_world

A, B = ("a" * 16, "b" * 16)


async def test_nobody_else_on_the_machine_sees_the_photos(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    await spool.prepare()
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert list((tmp_path / "spool").iterdir()) == []
    assert spool.path("../../etc/passwd").parent == tmp_path / "spool"


async def test_a_spool_that_can_not_be_used_says_so_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way", "utf-8")
    with pytest.raises(SettingsError, match=r"spool for photos and results can't be used \(file exists\)"):
        await Spool(tmp_path / "spool", 1000).prepare()


def test_a_fifth_is_left_for_outputs(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    claims = [spool.claim_source(A, 1, size) for size in (801, 800, 790, 800)]
    assert [*claims, spool.claim_source(B, 2, 1)] == [1, 0, 0, 0, 1]
    assert [spool.claim_output(A, 1, 201), spool.claim_output(A, 1, 200)] == [1, 0]


async def test_a_folder_that_is_removed_while_the_bot_runs_costs_no_photo_and_no_result(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        async with world.running():
            first = await world.accept(a_job())
            await world.announced(first.id)
            for job in (a_job(), a_staging_job()):
                # At once, since a file of the last job may be going just now.
                shutil.rmtree(world.spool_folder.rename(tmp_path / "removed"))
                said = await world.announced((await world.accept(job)).id)
                assert said.job.state is JobState.SUCCEEDED
                assert said.output is not None

"""The folder for photos and outputs stays within its bounds."""

import shutil
import stat
from pathlib import Path

import pytest

from bot.engine import Spool
from bot.errors import SettingsError
from bot.model import JobState
from tests.engine.world import a_job, a_staging_job, engine_world


async def test_nobody_else_on_the_machine_sees_the_photos(tmp_path: Path) -> None:
    await Spool(tmp_path / "spool", 1000).prepare()
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_spool_that_can_not_be_used_says_so_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way", "utf-8")
    with pytest.raises(SettingsError, match=r"spool for photos and results can't be used \(file exists\)"):
        await Spool(tmp_path / "spool", 1000).prepare()


async def test_a_fifth_is_left_for_outputs(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    await spool.prepare()
    assert await spool.room_for_source(800)
    assert not await spool.room_for_source(801)
    spool.source("a" * 16).write_bytes(b"x" * 700)
    assert not await spool.room_for_source(101)
    assert await spool.room_for_output()
    spool.output("a" * 16).write_bytes(b"x" * 300)
    assert not await spool.room_for_output()


async def test_a_name_from_elsewhere_leads_to_no_other_folder(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    assert spool.path("../../etc/passwd").parent == tmp_path / "spool"


async def test_an_output_is_known_by_its_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    spool.output("b" * 16, ".mp4").write_bytes(b"12345")
    output = await spool.open_output(f"{'b' * 16}.output.mp4")
    assert output is not None
    assert (output.kind, output.content_type, output.size) == ("video", "video/mp4", 5)
    assert await spool.open_output("gone.output.png") is None


async def test_a_sweep_spares_what_comes_in_meanwhile(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    for name in ("1" * 16, "2" * 16):
        spool.source(name).write_bytes(b"x")

    async def needed() -> set[str]:
        spool.source("3" * 16).write_bytes(b"x")
        return {"2" * 16}

    await spool.sweep(needed)
    assert not spool.source("1" * 16).exists()
    assert spool.source("2" * 16).exists()
    assert spool.source("3" * 16).exists()


async def test_a_folder_that_is_removed_while_the_bot_runs_costs_no_photo_and_no_result(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        async with world.running():
            first = await world.accept(a_job())
            await world.announced(first.id)
            for job in (a_job(), a_staging_job()):
                shutil.rmtree(world.spool_folder)
                said = await world.announced((await world.accept(job)).id)
                assert said.job.state is JobState.SUCCEEDED
                assert said.output is not None

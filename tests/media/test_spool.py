"""The folder for photos and outputs stays within its bounds."""

import shutil
import stat
from pathlib import Path

import pytest

from bot.domain import JobState
from bot.errors import SettingsError
from bot.media.spool import Spool
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
    assert spool.claim_source("a" * 16, 1, 801) == 1
    assert spool.claim_source("a" * 16, 1, 800) == 0
    assert spool.claim_source("b" * 16, 2, 1) == 1
    assert spool.claim_output("a" * 16, 1, 201) == 1
    assert spool.claim_output("a" * 16, 1, 200) == 0


async def test_files_of_an_earlier_life_count_for_their_servers(tmp_path: Path) -> None:
    earlier = Spool(tmp_path, 1000)
    earlier.source("a" * 16, ".png").write_bytes(b"x" * 300)
    earlier.output("a" * 16, ".png").write_bytes(b"x" * 100)
    earlier.source("b" * 16, ".png").write_bytes(b"x" * 50)
    spool = Spool(tmp_path, 1000)

    async def needed() -> dict[str, int]:
        return {"a" * 16: 1}

    await spool.sweep(needed)
    assert (spool.used, spool.source_size("a" * 16)) == (400, 300)
    assert spool.claim_source("c" * 16, 1, 200) > 0  # over the share of its server
    assert spool.claim_source("c" * 16, 2, 200) == 0


async def test_room_is_given_back_when_a_file_is_smaller_than_expected_or_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    assert spool.claim_output("a" * 16, 1, 1000) == 0
    path = spool.output("a" * 16, ".png")
    path.write_bytes(b"x" * 10)
    assert (await spool.settle(path), spool.used) == (10, 10)
    await spool.remove(path.name)
    assert spool.used == 0


async def test_what_is_being_written_keeps_its_room_in_a_sweep_and_what_others_removed_does_not(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, 1000)
    for job_id, written in (("a" * 16, 100), ("b" * 16, 0)):
        spool.claim_source(job_id, 1, 200)
        path = spool.source(job_id, ".png")
        path.write_bytes(b"x" * written)
        if written:
            await spool.settle(path)
            path.unlink()

    async def needed() -> dict[str, int]:
        return {"a" * 16: 1, "b" * 16: 1}

    await spool.sweep(needed)
    assert spool.used == 200


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

    async def needed() -> dict[str, int]:
        spool.source("3" * 16).write_bytes(b"x")
        return {"2" * 16: 1}

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

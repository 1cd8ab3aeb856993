"""The folder for photos and outputs stays within its bounds, and nobody fills it for the others."""

import shutil
import stat
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from bot.errors import SettingsError
from bot.jobs.models import JobState
from bot.media.spool import FOR_OUTPUTS, Evictable, Spool, to_evict
from tests.engine.world import a_job, a_staging_job, engine_world

MAX = 2000
PHOTOS = int(MAX * (1 - FOR_OUTPUTS))
SIZE = st.integers(1, 25)
A, B, C = ("a" * 16, "b" * 16, "c" * 16)


def fill(spool: Spool, guild_id: int, size: int = 25, *, held: bool = False) -> int:
    """Keep as many photos as the server may; returns their bytes."""
    number = 0
    while not spool.claim_source(
        f"{guild_id}-{number}", guild_id, size, held=held, held_together=spool.used if held else 0
    ):
        number += 1
    return number * size


async def swept(spool: Spool, **needed: int) -> None:
    async def those() -> dict[str, int]:
        return needed

    await spool.sweep(those)


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
    assert (spool.left_for_output(A), spool.left_for_output(B), spool.claim_rest(B, 2, 50)) == (200, 0, 0)
    assert spool.claim_rest(A, 1, 50) == 50
    assert spool.claim_rest(A, 1, 900) == 200


async def test_files_of_an_earlier_life_count_for_their_servers_and_orphans_go(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    spool.source(A, ".png").write_bytes(b"x" * 300)
    spool.output(A, ".png").write_bytes(b"x" * 100)
    spool.source(B, ".png").write_bytes(b"x" * 50)
    await swept(spool, **{A: 1})
    assert (spool.used, spool.source_size(A), spool.output_size(A)) == (400, 300, 100)
    assert spool.claim_source(C, 1, 200) > 0  # over the share of its server
    assert spool.claim_source(C, 2, 200) == 0
    assert not spool.source(B, ".png").exists()


async def test_a_sweep_spares_what_is_being_written_and_what_comes_meanwhile(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    for job_id, written in ((A, 100), (B, 0)):
        spool.claim_source(job_id, 1, 200)
        path = spool.source(job_id, ".png")
        path.write_bytes(b"x" * written)
        if written:
            await spool.settle(path)
            path.unlink()  # by others

    async def needed() -> dict[str, int]:
        spool.source(C).write_bytes(b"x")
        return {A: 1, B: 1}

    await spool.sweep(needed)
    assert spool.used == 200
    assert spool.source(C).exists()


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


async def test_a_server_alone_gets_half_of_the_room_and_the_next_ones_get_their_share(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MAX)
    assert [fill(spool, guild_id) for guild_id in range(1, 5)] == [800, 400, 200, 100]
    assert spool.claim_source("of a new server", 9, 50) == 0
    assert spool.claim_source("more", 2, 25) > 0
    await spool.remove(*(f"1-{number}.source" for number in range(32)))
    assert spool.claim_source("more", 2, 25) == 0
    assert fill(Spool(tmp_path, MAX), 1, held=True) == 300  # a server whose key is refused gets a fifth


@given(
    st.lists(st.tuples(st.integers(1, 4), SIZE, st.booleans()), max_size=30),
    st.integers(1, 200),
    st.integers(0, 200),
)
def test_files_give_way_only_if_that_helps_and_the_spared_ones_stay(
    files: list[tuple[int, int, bool]], lacking: int, spared: int
) -> None:
    kept = [Evictable(str(number), *one) for number, one in enumerate(files)]
    giving = to_evict(kept, lacking, spared=spared)
    left = sum(one.size for one in kept) - sum(one.size for one in giving)
    if giving:
        assert sum(one.size for one in giving) >= lacking > sum(one.size for one in giving[:-1])
        assert left >= spared
    elif spared == 0:
        assert left < lacking
    for guild_id in {one.guild_id for one in giving}:
        own = sorted((one for one in kept if one.guild_id == guild_id), key=lambda one: not one.is_elsewhere)
        mine = [one for one in giving if one.guild_id == guild_id]
        assert mine == own[: len(mine)]  # what can still be had from Studii, in the order given

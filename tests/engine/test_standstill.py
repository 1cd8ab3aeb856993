"""An engine that stumbles goes on; one that has work and stands still is noticed."""

import asyncio
from pathlib import Path

import pytest

from bot.engine import Engine
from tests.engine.troubles import TROUBLES, fail_at_every_look, hang_in_a_photo
from tests.engine.world import engine_world
from tests.support.clock import FakeClock
from tests.support.forks import conversation
from tests.support.patience import PATIENCE

OTHER_GUILD = 101


async def stuck(engine: Engine, clock: FakeClock) -> str:
    """Why the engine is taken for stuck, after as much time as that needs."""
    async with asyncio.timeout(PATIENCE):
        while (reason := engine.stuck()) is None:
            clock.advance(60)
            await asyncio.sleep(0.01)
    return reason


async def test_work_that_never_ends_is_named(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock) as world, world.running() as engine:
        assert engine.stuck() is None
        job = await hang_in_a_photo(world)
        assert f"fetching photos (job {job.id}) has lasted" in await stuck(engine, clock)


async def test_a_start_that_never_ends_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Engine, "_doubt_restored", hang)
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock) as world, world.running() as engine:
        assert "resuming interrupted jobs (at the start) has lasted" in await stuck(engine, clock)


@pytest.mark.promise
async def test_such_a_process_ends_with_a_failure_so_that_it_is_started_again(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with conversation("tests.engine.troubles", str(tmp_path)) as (_, answered):
        told = await asyncio.wait_for(asyncio.to_thread(answered.read), PATIENCE)
    ends = dict(line.split() for line in told.splitlines())
    for trouble, _, why in TROUBLES:
        name = trouble.__name__
        with subtests.test(name):
            said = await asyncio.to_thread((tmp_path / f"{name}.log").read_text, "utf-8")
            assert ends.get(name) == "1", said
            assert why in said


async def test_an_engine_in_which_everything_fails_says_that_it_is_not_well_before_it_ends(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock, reread_every=0.02) as world:
        engine = world.engine()
        assert not engine.alive()
        async with world.running(engine):
            await fail_at_every_look(world)
            assert engine.alive()
            async with asyncio.timeout(PATIENCE):
                while engine.alive():
                    clock.advance(10)
                    await asyncio.sleep(0.02)
            assert engine.stuck() is None
        assert not engine.alive()

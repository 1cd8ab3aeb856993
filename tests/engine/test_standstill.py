"""An engine that stumbles goes on; one that has work and stands still is noticed."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import posts
from bot.aio import retry
from bot.aio.liveness import TRANSFER_TIMEOUT
from bot.engine import Engine
from bot.engine.lanes import Lanes
from bot.jobs.models import JobState
from bot.servers.notices import NoticeKind
from bot.studii import JobReport
from sandbox.studii import Outcome
from tests.engine.troubles import TROUBLES, fail_at_every_look, hang_in_a_photo
from tests.engine.world import a_job, engine_world
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


async def test_an_engine_without_work_is_never_taken_for_stuck(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock, reread_every=0.02) as world:
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            for _ in range(10):
                await asyncio.sleep(0.03)  # it looks around meanwhile
                clock.advance(10 * TRANSFER_TIMEOUT)
                async with asyncio.timeout(PATIENCE):
                    while engine.stuck() is not None:  # noqa: ASYNC110 - a look was under way just then
                        await asyncio.sleep(0.01)


async def test_a_notice_that_discord_never_answers_is_named(tmp_path: Path) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock, drain=0.05) as world:
        hanging = asyncio.Event()

        async def send(*_: Any) -> Any:
            hanging.set()
            await asyncio.Event().wait()

        world.discord.send = send  # type: ignore[method-assign]
        await world.db.write(posts.want, OTHER_GUILD, NoticeKind.KEY_REFUSED, "1", at=clock.now())
        async with world.running() as engine:
            await hanging.wait()
            assert f"posting key_refused (server {OTHER_GUILD}) has lasted" in await stuck(engine, clock)


async def test_a_lane_that_stumbles_says_so_once_and_goes_on_and_no_other_lane_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry, "FIRST_RETRY_SECONDS", 0.05)
    async with engine_world(tmp_path) as world:
        one, other = world.studii.add_key(), world.studii.add_key()
        await world.use_key(one)
        await world.use_key(other, guild_id=OTHER_GUILD)
        looks: Counter[str] = Counter()
        healed = asyncio.Event()
        real = world.client.job_status

        async def job_status(key: str, *rest: Any) -> JobReport:
            looks[key] += 1
            if key == one.secret and not healed.is_set():
                raise RuntimeError("nobody foresaw this")
            return await real(key, *rest)

        monkeypatch.setattr(world.client, "job_status", job_status)
        stumbling = await world.accept(a_job())
        async with world.running():
            await world.reaches(stumbling.id, JobState.RUNNING)
            for _ in range(3):
                job = await world.accept(replace(a_job(guild_id=OTHER_GUILD), channel_id=7))
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED

            async def twice() -> bool:
                return looks[one.secret] >= 3

            await world.until(twice, "three tries")
            healed.set()
            assert (await world.announced(stumbling.id)).job.state is JobState.SUCCEEDED
        told = [record for record in caplog.records if "polling it failed" in record.getMessage()]
        assert [record.levelno for record in told][:3] == [logging.ERROR, logging.WARNING, logging.WARNING]
        assert sum(record.exc_info is not None for record in told) == 1
        pauses = [record.getMessage().rpartition("next try in ")[2] for record in told]
        assert pauses[:3] == ["0.05 s", "0.1 s", "0.2 s"]


async def test_a_lane_that_can_not_be_given_its_jobs_keeps_no_other_from_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await world.use_key(world.studii.add_key(), guild_id=OTHER_GUILD)
        world.studii.next_job(Outcome(duration=1000.0))
        stumbling = await world.accept(a_job())
        real, poisoned = vars(Lanes)["_entry"], asyncio.Event()

        def fail(self: Any, job: Any, *more: Any) -> Any:
            if poisoned.is_set() and job.id == stumbling.id:
                raise RuntimeError("nobody foresaw this")
            return real(self, job, *more)

        monkeypatch.setattr(Lanes, "_entry", fail)
        async with world.running() as engine:
            await world.reaches(stumbling.id, JobState.RUNNING)
            poisoned.set()
            for _ in range(3):
                job = await world.accept(a_job(guild_id=OTHER_GUILD, channel_id=7))
                engine.wake()
                await world.reaches(job.id, JobState.SUCCEEDED)
        told = [one for one in caplog.records if "lane failed" in one.getMessage()]
        assert sum(record.exc_info is not None for record in told) == 1

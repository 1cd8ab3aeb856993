"""Keys that are missing, refused, replaced or unreadable."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from bot import posts
from bot.db import Database
from bot.engine import Engine
from bot.jobs import holds as key_holds
from bot.jobs.models import FailureCode, Job, JobState
from bot.servers import settings
from bot.servers.notices import NoticeKind
from bot.ui.kit.reasons import reason_words
from bot.vault import Vault
from sandbox.studii import Key, Outcome, faults
from tests.engine.world import GUILD, EngineWorld, a_job, a_staging_job, engine_world
from tests.support.database import database


async def test_a_job_that_waited_a_day_for_a_key_ends_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_job(age=86_500))
        async with world.running():
            await world.announced(job.id)
        failed = await world.job(job.id)
        assert (failed.failure, failed.reserved, failed.settled) == (FailureCode.KEY, 0, 0)
        await world.balanced()


async def test_a_photo_uploaded_with_another_key_is_uploaded_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path, key_retries=(600.0,)) as world:
        first = world.studii.add_key()
        await world.use_key(first)
        job = await world.accept(a_staging_job())
        world.studii.fail("create", faults.error(401))
        async with world.running() as engine:

            async def held() -> bool:
                return (await world.job(job.id)).held is not None

            await world.until(held, "the job to be held")
            second = world.studii.add_key()
            await world.use_key(second)
            engine.wake()
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        accounts = {upload.account for upload in world.studii.uploads.values()}
        assert accounts == {first.account, second.account}


async def test_a_running_job_goes_on_with_the_servers_new_key(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        first = world.studii.add_key()
        await world.use_key(first)
        world.studii.next_job(Outcome(never_ends=True))
        job = await world.accept(a_job())
        async with world.running() as engine:
            await world.reaches(job.id, JobState.RUNNING)
            second = world.studii.add_key(account=first.account)
            await world.use_key(second)
            first.revoke()
            world.finish()
            engine.wake()
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED


async def test_a_running_job_of_another_account_than_the_new_keys_is_lost_with_its_charge(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        first = world.studii.add_key()
        await world.use_key(first)
        world.studii.next_job(Outcome(never_ends=True, charge=12))
        job = await world.accept(a_job())
        async with world.running():
            await world.reaches(job.id, JobState.RUNNING)
            await world.use_key(world.studii.add_key())
            first.revoke()
            await world.announced(job.id)
        lost = await world.job(job.id)
        assert (lost.failure, lost.settled) == (FailureCode.LOST, 12)
        await world.balanced()


async def test_an_unreadable_key_is_asked_for_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path, key_retries=(600.0,)) as world:
        await world.use_key(world.studii.add_key())
        readable, world.vault = world.vault, Vault.open((), tmp_path / "another.key")
        job = await world.accept(a_job())
        async with world.running():

            async def held() -> bool:
                return "enter it again" in reason_words((await world.job(job.id)).held)

            await world.until(held, "the job to say what to do")
        assert len(world.studii.requests) == 0
        world.vault = readable


async def test_a_key_refused_while_jobs_run_is_said_on_them_told_once_and_holds_the_server(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, key_retries=(600.0,)) as world:
        key = world.studii.add_key()
        stored = await world.use_key(key)
        world.studii.next_job(Outcome(never_ends=True))
        job = await world.accept(a_job())
        async with world.running():
            await world.reaches(job.id, JobState.RUNNING)
            key.revoke()

            async def held() -> bool:
                return "doesn't accept" in reason_words((await world.job(job.id)).held)

            await world.until(held, "the running job to say what is in the way")
        hold = await world.db.read(key_holds.get, GUILD)
        assert hold is not None
        assert hold.key_id == stored.id
        assert await world.db.read(posts.known, GUILD, NoticeKind.KEY_REFUSED, str(stored.id))
        assert (await world.job(job.id)).state is JobState.RUNNING


async def test_when_a_refused_key_works_again_nothing_is_held_any_more(tmp_path: Path) -> None:
    async with engine_world(tmp_path, key_retries=(600.0,)) as world:
        key = world.studii.add_key()
        stored = await world.use_key(key)
        job, engine = await _refused_while_running(world, key)
        waits = await world.accept(a_job())
        async with world.running(engine):
            key.revoked = False
            # As when an admin presses "Try again".
            await world.db.write(key_holds.poll_from, GUILD, world.clock.now())
            engine.wake()
            for one in (job, waits):
                assert (await world.announced(one.id)).job.state is JobState.SUCCEEDED
        assert await world.db.read(key_holds.get, GUILD) is None
        assert not await world.db.read(posts.known, GUILD, NoticeKind.KEY_REFUSED, str(stored.id))


@dataclass(frozen=True)
class _Late:
    """That answer, once it is let go; the request has no effect."""

    answer: faults.Answer
    let_go: asyncio.Event

    async def apply(self, request: web.Request, effect: faults.Effect) -> web.StreamResponse | None:
        await self.let_go.wait()
        return await self.answer.apply(request, effect)


@pytest.mark.parametrize("status", [401, 402])
async def test_what_studii_says_of_a_key_that_was_replaced_meanwhile_holds_and_ends_nothing(
    tmp_path: Path, status: int
) -> None:
    async with engine_world(tmp_path, key_retries=(600.0,)) as world:
        await world.use_key(world.studii.add_key())
        let_go = asyncio.Event()
        world.studii.fail("create", _Late(faults.error(status), let_go), times=1)
        job = await world.accept(a_job())
        async with world.running() as engine:
            await world.reaches(job.id, JobState.SUBMITTING)
            await world.use_key(world.studii.add_key())
            engine.wake()
            let_go.set()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1
        assert await world.db.read(key_holds.get, GUILD) is None
        assert world.discord.notices == []


async def _refused_while_running(world: EngineWorld, key: Key) -> tuple[Job, Engine]:
    """A job of which Studii does not tell with that key, after a restart; the engine for what follows."""
    world.studii.next_job(Outcome(never_ends=True))
    job = await world.accept(a_job())
    async with world.running():
        await world.reaches(job.id, JobState.RUNNING)
        key.revoke()

        async def held() -> bool:
            return (await world.job(job.id)).held is not None

        await world.until(held, "the running job to be held")
        world.finish()
    return job, world.engine()


async def test_another_process_that_finds_a_missing_server_again_has_its_jobs_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.engine.lanes.MISSING_LOOK", 0.1)
    url = await database(tmp_path)
    async with engine_world(tmp_path, url=url, reread_every=600.0) as world, Database.open(url) as other:
        await world.use_key(world.studii.add_key())
        await world.db.write(settings.set_missing, [GUILD], world.clock.now())
        job = await world.put(await world.accept(a_job()), JobState.WAITING)
        async with world.running():
            await asyncio.sleep(0.3)
            assert (await world.job(job.id)).state is JobState.WAITING
            await other.write(settings.set_missing, [GUILD], None)
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED

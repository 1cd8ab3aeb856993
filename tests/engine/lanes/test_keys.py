"""Keys that are missing, refused, replaced or unreadable."""

from pathlib import Path

from bot.jobs.models import JobState
from bot.ui.kit.reasons import reason_words
from bot.vault import Vault
from sandbox.studii import faults
from tests.engine.world import a_job, a_staging_job, engine_world


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

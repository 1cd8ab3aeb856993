"""A backup that was taken back pays for nothing twice and posts nothing twice."""

from pathlib import Path

import pytest

from bot.db import Database
from bot.jobs.models import JobState
from bot.reasons import Reason, ReasonCode
from bot.servers.notices import NoticeKind
from bot.sqlite_file import copy_database, replace_database
from sandbox.studii import Outcome
from tests.engine.world import a_job, a_staging_job, engine_world

RESTORED = Reason(ReasonCode.RESTORED)


def database_of(folder: Path) -> Path:
    (file,) = folder.glob("*.db")
    return file


@pytest.mark.promise
@pytest.mark.parametrize("state", [None, JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING])
async def test_what_had_not_gone_to_studii_in_a_backup_is_left_to_the_admins(
    tmp_path: Path, state: JobState | None
) -> None:
    folder, restored = tmp_path / "bot", tmp_path / "restored.db"
    folder.mkdir()
    async with engine_world(folder) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job() if state is None else a_job())
        if state is not None:
            await world.put(job, state)
        copy_database(database_of(folder), tmp_path / "copy.db")
        replace_database(tmp_path / "copy.db", restored, tmp_path / "aside.db")

        async def told() -> bool:
            return bool(world.discord.notices)

        async with Database.open(f"sqlite+aiosqlite:///{restored}") as world.db:
            async with world.running():
                said = await world.announced(job.id)
                await world.until(told, "told")
            assert (said.job.state, said.job.failure_text) == (JobState.UNKNOWN, RESTORED)
            assert said.job.reserved == job.estimate
            assert len(world.studii.requests) == 0
            ((notice, _, _),) = world.discord.notices
            assert (notice.kind, notice.details) == (NoticeKind.UNKNOWN, {"reason": RESTORED.encode()})
            later = await world.accept(a_job())
            async with world.running():
                assert (await world.announced(later.id)).job.state is JobState.SUCCEEDED
            await world.balanced()


@pytest.mark.promise
async def test_what_was_running_in_a_backup_is_looked_at_and_not_paid_for_again(tmp_path: Path) -> None:
    folder, restored = tmp_path / "bot", tmp_path / "restored.db"
    folder.mkdir()
    async with engine_world(folder) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(never_ends=True))
        job = await world.accept(a_job())
        async with world.running():
            await world.reaches(job.id, JobState.RUNNING)
        world.finish()
        copy_database(database_of(folder), tmp_path / "copy.db")
        replace_database(tmp_path / "copy.db", restored, tmp_path / "aside.db")
        async with Database.open(f"sqlite+aiosqlite:///{restored}") as world.db:
            async with world.running():
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
            assert world.studii.requests.count("create") == 1
            await world.balanced()

"""What Studii answers, or does not, before and after it has taken a job, with keys of all kinds."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from bot.db import Database
from bot.errors import CreditsShort, NotAlone, Unsure
from bot.jobs import lanes, submission
from bot.jobs.models import FailureCode, Job, JobRequest, JobState, MemberContext
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, privacy, settings
from bot.servers.notices import NoticeKind
from bot.servers.settings import Period
from bot.sqlite_file import copy_database, replace_database
from bot.studii.client import StudiiClient
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, faults
from tests.engine.world import (
    CHANNEL,
    GUILD,
    USER,
    EngineWorld,
    a_job,
    a_staging_job,
    ends_badly,
    engine_world,
)
from tests.support import spending


@pytest.mark.promise
@pytest.mark.parametrize("down", [False, True])
async def test_a_studii_that_keeps_failing_or_stays_unreachable_ends_the_job_unpaid(
    tmp_path: Path, *, down: bool
) -> None:
    async with engine_world(tmp_path, down=down) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.error(500), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 0)
        assert failed.failure is FailureCode.API
        assert world.studii.requests.count("create") == (0 if down else world.tuning.tries)
        assert not world.studii.jobs


@pytest.mark.promise
@pytest.mark.parametrize("step", ["claim", "record_taken"])
async def test_a_commit_whose_answer_is_lost_leaves_no_job_in_doubt(
    world: EngineWorld,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    begun: list[str] = []
    real, commit = getattr(submission, step), Connection.commit

    def noted(*args: Any) -> Any:
        begun.append(step)
        return real(*args)

    def lost(connection: Connection) -> None:
        commit(connection)
        if begun == [step]:
            begun.append("answer lost")
            raise ConnectionResetError

    monkeypatch.setattr(submission, step, noted)
    monkeypatch.setattr(Connection, "commit", lost)
    job = await world.accept(a_job())
    async with world.running():
        said = await world.announced(job.id)
    assert said.job.state is JobState.SUCCEEDED
    assert world.studii.requests.count("create") == 1
    assert "settled before" not in caplog.text
    await world.balanced()


async def test_a_claim_whose_answer_is_lost_is_taken_back_also_after_another_process_has_taken_over(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await world.accept(a_job())
    real, writes = world.db.write, list[Any]()

    async def replaced(work: Any, *args: Any, **more: Any) -> Any:
        if writes:
            raise NotAlone
        made = await real(work, *args, **more)
        if (await world.job(job.id)).state is JobState.SUBMITTING:
            writes.append(made)
            raise Unsure
        return made

    monkeypatch.setattr(world.db, "write", replaced)
    async with world.running():
        await world.until(lambda: bool(writes), "the claim")
        await world.reaches(job.id, JobState.WAITING)
    assert len(world.studii.jobs) == 0


@pytest.mark.world(key=False)
async def test_a_forgotten_key_is_kept_for_its_running_job_a_day_at_most(world: EngineWorld) -> None:
    key = await world.use_key(world.studii.add_key())
    world.studii.fail("status", faults.error(500), times=10_000)
    job = await world.put(
        await world.accept(a_job()),
        JobState.RUNNING,
        submitted_at=world.clock.now(),
        studii_id="x",
        charged=8,
        key_id=key.id,
    )
    now = world.clock.now()
    await world.db.write(settings.change, GUILD, key_id=None)
    await world.db.write(keys.retire, key.id, now)
    await world.db.write(privacy.erase_retired_keys, now - timedelta(days=1))
    assert all(one.ciphertext for one in await world.db.read(keys.stored))
    await world.db.write(privacy.erase_retired_keys, now + timedelta(seconds=1))
    async with world.running():
        failed = (await world.announced(job.id)).job
    assert (failed.state, failed.failure, failed.settled) == (JobState.FAILED, FailureCode.KEY, 8)
    assert "removed before the job finished" in reason_words(failed.failure_text)
    await world.balanced()


@pytest.mark.world(key=False, key_retries=(600.0,))
async def test_a_photo_uploaded_with_another_key_is_uploaded_again(world: EngineWorld) -> None:
    first = world.studii.add_key()
    await world.use_key(first)
    job = await world.accept(a_staging_job())
    world.studii.fail("create", faults.error(401))
    async with world.running() as engine:
        await world.becomes(job.id, lambda job: job.held is not None, "the job to be held")
        second = world.studii.add_key()
        await world.use_key(second)
        engine.wake()
        said = await world.announced(job.id)
    assert said.job.state is JobState.SUCCEEDED
    accounts = {upload.account for upload in world.studii.uploads.values()}
    assert accounts == {first.account, second.account}


VIDEO = {"mode": "video", "source": "text", "quality": "standard", "prompt": "A red kite"}
ASSUMED, PRICE = 40, 120  # credits: as the catalogue has it, and as Studii charges it here


async def budget(world: EngineWorld, limit: int, guild_id: int = GUILD) -> None:
    await spending.set_budget(world.resources, guild_id, limit, Period.DAY)


async def accept(
    world: EngineWorld,
    most: int,
    *,
    guild_id: int = GUILD,
    user_id: int = USER,
    roles: frozenset[int] = frozenset(),
    inputs: Mapping[str, str] = VIDEO,
) -> list[Job]:
    """As many jobs as are accepted, as members ask for them."""
    service = world.resources.acceptance
    context = MemberContext(roles=roles)
    request = JobRequest(guild_id, CHANNEL, user_id, "studio", inputs, context=context)
    jobs: list[Job] = []
    for _ in range(most):
        try:
            jobs += await service.accept_all([request])
        except CreditsShort:
            break
    return jobs


async def ended(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    return [(await world.announced(job.id)).job for job in jobs]


@pytest.mark.promise
async def test_when_the_first_fails_or_its_answer_is_lost_the_next_one_asks(world: EngineWorld) -> None:
    await budget(world, 160)
    jobs = await accept(world, 4)
    world.studii.fail("create", faults.error(400, "No kites."), times=1)
    world.studii.fail("create", faults.DropBefore(), times=1)
    world.studii.next_job(Outcome(charge=PRICE), times=2)
    async with world.running():
        done = await ended(world, jobs)
    refused, lost, first, shed = done
    assert (refused.state, refused.settled) == (JobState.FAILED, 0)
    assert (first.state, first.settled) == (JobState.SUCCEEDED, PRICE)
    assert (shed.state, shed.failure) == (JobState.FAILED, FailureCode.BUDGET)
    assert lost.state is JobState.UNKNOWN
    # It has probably cost what the next one did.
    assert (await world.job(lost.id)).reserved == PRICE
    await world.balanced()


RESTORED = Reason(ReasonCode.RESTORED)


def restored(folder: Path) -> str:
    """Restore a copy of the database, and return the address of what was restored."""
    copy_database(folder / "studii.db", folder / "copy.db")
    replace_database(folder / "copy.db", folder / "restored.db", folder / "aside.db")
    return f"sqlite+aiosqlite:///{folder / 'restored.db'}"


@pytest.mark.promise
@pytest.mark.parametrize("state", [None, JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING])
async def test_what_had_not_gone_to_studii_in_a_backup_is_left_to_the_admins(
    world: EngineWorld, tmp_path: Path, state: JobState | None
) -> None:
    job = await world.accept(a_staging_job() if state is None else a_job())
    if state is not None:
        await world.put(job, state)

    async def told() -> bool:
        return bool(world.discord.notices)

    async with Database.open(restored(tmp_path)) as world.db:
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
async def test_what_was_running_in_a_backup_is_looked_at_and_not_paid_for_again(
    world: EngineWorld, tmp_path: Path
) -> None:
    world.studii.next_job(Outcome(never_ends=True))
    job = await world.accept(a_job())
    async with world.running():
        await world.reaches(job.id, JobState.RUNNING)
    world.finish()
    async with Database.open(restored(tmp_path)) as world.db:
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert world.studii.requests.count("create") == 1
        await world.balanced()


@pytest.mark.world(key=False)
async def test_what_was_asked_for_a_photo_that_was_lost_meanwhile_counts_in_the_keys_minute(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a move without the photos: Studii has counted the request that came before the upload."""
    put, lost = StudiiClient.put, list[Path]()

    async def loses_first(client: StudiiClient, target: Any, path: Path, *more: Any) -> None:
        lost.append(path)
        there = path if len(lost) > 1 else path.with_name("lost")
        await put(client, target, there, *more)

    monkeypatch.setattr(StudiiClient, "put", loses_first)
    key = await world.use_key(world.studii.add_key())
    job = await world.accept(a_staging_job())
    async with world.running():
        await world.reaches(job.id, JobState.RUNNING)
        asked = sum(world.studii.requests.count(one) for one in ("upload", "create", "status"))
        counted = await world.db.read(lanes.windows, [key.lane])
    assert world.studii.requests.count("upload") == 2
    assert len(counted[key.lane]) >= asked

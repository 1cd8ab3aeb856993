"""Databases that are away, errors that nobody foresaw, engines that stand still: nothing is lost."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bench.machine.restart import restart
from bot import posts
from bot.aio import tasks
from bot.engine import Engine, Tuning
from bot.engine.context import UNEXPECTED_TRIES
from bot.engine.lane import Lane
from bot.engine.tuning import DAY, HOUR
from bot.errors import DatabaseAway, DatabaseFailed
from bot.jobs import submission, transitions
from bot.jobs.models import Approval, FailureCode, Job, JobState
from bot.media.pool import DecoderPool
from bot.posts import Post
from bot.reasons import ReasonCode
from bot.servers.notices import REFUSAL, NoticeKind, tell_refusal
from bot.studii import JobReport, NotSent, StudiiClient
from sandbox.studii import Outcome
from tests.engine.recorder import Recorder
from tests.engine.world import GUILD, QUICK, USER, EngineWorld, a_job, a_staging_job, engine_world
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE


def fail(*_: object, **__: object) -> None:
    raise OperationalError("INSERT", {}, Exception("database or disk is full"))


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(tasks, "MAX_RETRY_SECONDS", 0.005)
    monkeypatch.setattr("bot.aio.tasks.RETRY_PAUSE", 0.005)


def after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, gone: asyncio.Event) -> None:
    """The database goes away as soon as that has been answered for the first time."""
    real, calls = getattr(owner, name), list[None]()

    async def call(*args: Any, **options: Any) -> Any:
        said = await real(*args, **options)
        calls.append(None)
        if len(calls) == 1:
            gone.set()
        return said

    monkeypatch.setattr(owner, name, call)


async def long_away(world: EngineWorld, tried: list[None]) -> None:
    """Until so much was tried without a database that all patience that there is for jobs would be over."""

    await world.until(lambda: len(tried) > 30, "tried for long")


def away(world: EngineWorld, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, list[None]]:
    """Once it is set nothing can be written; with the writes that were tried then."""
    gone, tried, db = asyncio.Event(), list[None](), world.db
    real = db.write

    async def write(*args: Any, **options: Any) -> Any:
        if gone.is_set():
            tried.append(None)
            raise DatabaseAway
        return await real(*args, **options)

    monkeypatch.setattr(db, "write", write)
    return gone, tried


async def pages(world: EngineWorld, most: int) -> None:
    """SQLite itself says that the disk is full when the file would get more pages."""
    said = text(f"PRAGMA max_page_count={most}")
    await world.db.write(lambda session: session.execute(said).all())


def counted(world: EngineWorld, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One for each write that found the disk full."""
    full, db = list[None](), world.db
    real = db.write

    async def write(*args: Any, **options: Any) -> Any:
        try:
            return await real(*args, **options)
        except DatabaseFailed as error:
            if "database or disk is full" in str(error.__cause__):
                full.append(None)
            raise

    monkeypatch.setattr(db, "write", write)
    return full


@pytest.mark.parametrize("answered", ["fetch", "create_job", "download", "send"])
async def test_what_was_answered_once_is_kept_for_as_long_as_the_database_is_away(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch, answered: str
) -> None:
    gone, tried = away(world, monkeypatch)
    owners = {"fetch": world.album, "send": world.discord}
    after(monkeypatch, owners.get(answered, world.client), answered, gone)
    job = await world.accept(a_staging_job())
    async with world.running():
        await long_away(world, tried)
        back = world.clock.now()
        gone.clear()
        assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    found = await world.job(job.id)
    assert found.submitted_at is not None
    # As Studii's answer came, not as it was stored.
    assert (found.submitted_at < back) is (answered != "fetch")
    assert (len(world.studii.jobs), world.discord.attempts) == (1, 1)
    assert found.result_message_id is not None
    await world.balanced()


@pytest.mark.promise
@pytest.mark.world(unsent_tries=3)
async def test_a_request_that_was_not_sent_counts_once_however_long_the_database_is_away(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, tried = away(world, monkeypatch)
    real = world.client.create_job

    async def without_network(*args: Any) -> Any:
        if not tried:
            gone.set()
            raise NotSent(reason="no network")
        return await real(*args)

    monkeypatch.setattr(world.client, "create_job", without_network)
    job = await world.accept(a_job())
    async with world.running():
        await long_away(world, tried)
        gone.clear()
        assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    await world.balanced()


@pytest.mark.promise
@pytest.mark.world(key=False)
async def test_an_engine_that_starts_while_the_database_is_away_begins_when_it_is_back(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await world.use_key(world.studii.add_key())
    interrupted = await world.put(await world.accept(a_job()), JobState.SUBMITTING, key_id=key.id)
    job = await world.accept(a_job())
    gone, tried = away(world, monkeypatch)
    gone.set()
    async with world.running():
        await long_away(world, tried)
        assert len(world.studii.requests) == 0
        gone.clear()
        assert (await world.announced(interrupted.id)).job.state is JobState.UNKNOWN
        assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    assert len(world.studii.jobs) == 1


@pytest.mark.promise
async def test_a_disk_that_is_full_loses_nothing_and_all_goes_on_when_there_is_room(
    world: EngineWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [await world.accept(a_job(user_id=number, channel_id=number)) for number in range(8)]
    with closing(sqlite3.connect(tmp_path / "studii.db")) as database:
        database.execute("VACUUM")  # pages that migrations have freed would be room
    await pages(world, 1)  # no more than there are
    full = counted(world, monkeypatch)
    async with world.running():
        await long_away(world, full)
        await pages(world, 1_000_000)
        ends = [(await world.announced(job.id)).job.state for job in jobs]
    assert set(ends) == {JobState.SUCCEEDED}
    assert len(world.studii.jobs) == len(world.discord.said) == len(jobs)
    await world.balanced()


@pytest.mark.promise
async def test_a_job_that_cannot_be_read_is_left_alone_and_the_others_are_made(
    world: EngineWorld, tmp_path: Path
) -> None:
    broken, *others = [await world.accept(a_job()) for _ in range(4)]
    with closing(sqlite3.connect(tmp_path / "studii.db")) as database, database:
        database.execute("UPDATE jobs SET inputs = ? WHERE id = ?", ('{"prompt', broken.id))
    async with world.running():
        for job in others:
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    assert len(world.db.unreadable) == 1
    assert len(world.studii.jobs) == len(others)


@pytest.mark.world(reread_every=HOUR)
async def test_a_job_that_a_lane_could_not_take_in_is_handed_to_it_again_soon(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter, failed = Lane.enter, list[None]()

    def fail_once(*args: Any) -> None:
        if not failed:
            failed.append(None)
            raise RuntimeError("nobody foresaw this")
        enter(*args)

    monkeypatch.setattr(Lane, "enter", fail_once)
    job = await world.accept(a_job())
    async with world.running():
        assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    assert failed


def failing(monkeypatch: pytest.MonkeyPatch, where: type[Any], name: str) -> Callable[[], int]:
    """Let a method fail; returns how often it did."""
    calls: list[None] = []

    async def fail(*_: object, **__: object) -> None:
        calls.append(None)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(where, name, fail)
    return lambda: len(calls)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("where", "name", "code", "why", "tries"),
    [
        (DecoderPool, "inspect", FailureCode.PHOTO, ReasonCode.NOT_STARTED, UNEXPECTED_TRIES),
        (StudiiClient, "request_upload", FailureCode.UPLOAD, ReasonCode.UPLOAD_FAILED, QUICK.tries),
        (StudiiClient, "job_status", FailureCode.LOST, ReasonCode.NEVER_ENDED, None),
        (StudiiClient, "download", FailureCode.OUTPUT, ReasonCode.OUTPUT_UNEXPECTED_ERROR, None),
    ],
)
@pytest.mark.world(hourly_after=0.2, lost_after=0.3)
async def test_a_step_that_fails_unexpectedly_is_tried_some_times_and_ends_the_job_at_its_charge(
    world: EngineWorld,
    monkeypatch: pytest.MonkeyPatch,
    where: type[Any],
    name: str,
    code: FailureCode,
    why: ReasonCode,
    tries: int | None,
) -> None:
    failed = failing(monkeypatch, where, name)
    job = await world.accept(a_staging_job())
    async with world.running():
        ended = (await world.announced(job.id)).job
    assert (ended.state, ended.failure) == (JobState.FAILED, code)
    assert (ended.reserved, ended.settled) == (0, ended.charged or 0)
    assert (ended.charged is None) is (tries is not None)
    assert ended.failure_text is not None
    await world.balanced()
    assert ended.failure_text.code == why
    assert failed() == (tries or failed())


@pytest.mark.promise
async def test_a_result_whose_posting_fails_unexpectedly_is_kept_in_the_list_of_jobs(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, Recorder, "send")
    job = await world.accept(a_job())
    async with world.running():
        await world.over(job.id)
    kept = await world.job(job.id)
    assert kept.state is JobState.SUCCEEDED
    assert world.spooled() == [kept.output_file]


async def test_a_periodic_task_that_fails_keeps_no_other_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock) as world:
        unknown = await world.put(await world.accept(a_job()), JobState.SUBMITTING)
        await world.db.write(submission.make_unknown, unknown.id, clock.now())
        waiting = await world.accept(replace(a_staging_job(), approval=Approval.WANTED))
        await world.db.write(transitions.make_ready, waiting.id, None, clock.now())
        monkeypatch.setattr(transitions, "apply_ruling", fail)
        clock.advance(31 * DAY)
        with pytest.raises(DatabaseFailed):
            await world.engine()._tidy()  # pyright: ignore[reportPrivateUsage]
        assert (await world.job(unknown.id)).state is JobState.UNKNOWN
        assert (await world.job(waiting.id)).state is JobState.FAILED


async def stuck(engine: Engine, clock: FakeClock) -> str:
    """Why the engine is taken for stuck, after as much time as that needs."""
    async with asyncio.timeout(PATIENCE):
        while (reason := engine.stuck()) is None:
            clock.advance(60)
            await asyncio.sleep(0.01)
    return reason


async def test_a_start_that_never_ends_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Engine, "_resume", hang)
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock) as world, world.running() as engine:
        assert "resuming interrupted jobs has lasted" in await stuck(engine, clock)


Trouble = Callable[[EngineWorld, pytest.MonkeyPatch], Awaitable[None]]


async def hang_in_a_photo(world: EngineWorld, patch: pytest.MonkeyPatch) -> None:
    """A job whose photo never comes, once it is waited for."""
    hanging = asyncio.Event()

    async def fetch(*_: Any) -> None:
        hanging.set()
        await asyncio.Event().wait()

    patch.setattr(world.album, "fetch", fetch)
    await world.accept(a_staging_job())
    await hanging.wait()


async def fail_at_every_look(world: EngineWorld, patch: pytest.MonkeyPatch) -> None:
    """A job of which every look fails for a reason that nobody foresaw."""

    async def job_status(*_: Any) -> JobReport:
        raise RuntimeError("nobody foresaw this")

    patch.setattr(world.client, "job_status", job_status)
    await world.use_key(world.studii.add_key())
    job = await world.accept(a_job())
    await world.reaches(job.id, JobState.RUNNING)


async def fail_at_every_write(world: EngineWorld, patch: pytest.MonkeyPatch) -> None:
    """A job that goes on, and nothing can be written any more."""
    await world.use_key(world.studii.add_key())
    world.studii.next_job(Outcome(duration=1000.0))
    job = await world.accept(a_job())
    await world.reaches(job.id, JobState.RUNNING)

    def write(*_: Any, **__: Any) -> Any:
        raise DatabaseAway

    patch.setattr(world.db, "write_together", write)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (hang_in_a_photo, "has lasted "),
        (fail_at_every_look, "everything has failed"),
        (fail_at_every_write, "everything has failed"),
    ],
)
async def test_an_engine_that_makes_no_progress_is_told_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, why: str
) -> None:
    clock = FakeClock()
    async with engine_world(tmp_path, clock=clock, reread_every=0.06) as world, world.running() as engine:
        with monkeypatch.context() as patch:
            await trouble(world, patch)
            assert why in await stuck(engine, clock)
        world.finish()


async def test_with_2_000_jobs_on_100_keys_every_key_is_polled_and_none_in_a_burst(tmp_path: Path) -> None:
    run = await restart(tmp_path, 2_000, 100)
    assert (run.jobs, run.polling) == (2_000, 100)
    assert run.most_in_burst <= Tuning().requests_in_flight  # of twenty that are all due


@pytest.mark.promise
@pytest.mark.parametrize("tries", [0, 1])
async def test_a_wall_clock_that_is_put_back_leaves_nothing_waiting_for_the_time_that_it_had(
    world: EngineWorld, tries: int
) -> None:
    job = await world.accept(a_staging_job())
    before = world.clock.now() + timedelta(hours=3)
    await world.db.write(put_off, before, tries)
    async with world.running():
        assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    await world.db.write(posts.want, GUILD, NoticeKind.STILL_RUNNING, job.id, at=before, job_id=job.id)
    await world.db.write(put_off, before, tries)
    async with world.running():
        await world.until(lambda: world.db.read(nothing_waits), "posted")


@pytest.mark.promise
async def test_what_was_told_before_the_wall_clock_was_put_back_is_looked_at_again_once(
    world: EngineWorld,
) -> None:
    before = world.clock.now() + timedelta(hours=3)
    await world.db.write(tell_refusal, GUILD, USER, "There is no photo.", before)
    async with world.running():
        for _ in range(3):
            await world.announced((await world.accept(a_job())).id)
    (refusal,) = await world.db.read(
        lambda session: session.scalars(select(Post).filter_by(kind=REFUSAL)).all()
    )
    assert not refusal.wanted
    assert refusal.number <= 1


def put_off(session: Session, until: datetime, tries: int) -> None:
    session.execute(update(Job).values(not_before=until))
    session.execute(update(Post).where(Post.message_id.is_(None)).values(tries=tries, due_at=until))


def nothing_waits(session: Session) -> bool:
    return session.scalar(select(func.count(Post.id)).where(Post.due_at.is_not(None))) == 0

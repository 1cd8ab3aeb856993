"""A database that fails or is away ends nothing, and loses nothing that Studii has said."""

import asyncio
import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.aio import tasks
from bot.errors import DatabaseAway, DatabaseFailed
from bot.jobs.models import Job, JobState
from bot.studii import NotSent
from sandbox.studii import Options
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world

OTHER_GUILD = 101


def fail(*_: object, **__: object) -> None:
    raise OperationalError("INSERT", {}, Exception("database or disk is full"))


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(tasks, "MAX_RETRY_SECONDS", 0.005)
    monkeypatch.setattr("bot.aio.tasks.RETRY_PAUSE", 0.005)


def after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, gone: asyncio.Event) -> None:
    """The database goes away as soon as that has been answered."""
    real = getattr(owner, name)

    async def call(*args: Any) -> Any:
        said = await real(*args)
        gone.set()
        return said

    monkeypatch.setattr(owner, name, call)


async def long_away(world: EngineWorld, tried: list[None]) -> None:
    """Until so much was tried without a database that all patience that there is for jobs would be over."""

    async def enough() -> bool:
        return len(tried) > 30

    await world.until(enough, "tried for long")


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


@pytest.mark.usefixtures("_short_pauses")
async def test_what_studii_said_is_kept_for_as_long_as_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path, options=Options(instant=True, long_side=64)) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        after(monkeypatch, world.client, "create_job", gone)
        job = await world.accept(a_job())
        async with world.running():
            await long_away(world, tried)
            back = world.clock.now()
            gone.clear()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        submitted_at = (await world.job(job.id)).submitted_at
        assert submitted_at is not None
        assert submitted_at < back  # as its answer came, not as it was stored
        assert len(world.studii.jobs) == 1
        await world.balanced()


@pytest.mark.promise
@pytest.mark.usefixtures("_short_pauses")
async def test_a_request_that_was_not_sent_counts_once_however_long_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path, unsent_tries=3) as world:
        await world.use_key(world.studii.add_key())
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


async def test_an_answer_that_is_still_to_be_stored_is_stored_when_the_engine_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_RETRY_SECONDS", 0.001)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        after(monkeypatch, world.client, "create_job", gone)
        job = await world.accept(a_job())
        async with world.running():

            async def tried_once() -> bool:
                return len(tried) > 10

            await world.until(tried_once, "tried")
            asyncio.get_running_loop().call_later(0.2, gone.clear)
        assert (await world.job(job.id)).state is JobState.RUNNING


@pytest.mark.usefixtures("_short_pauses")
async def test_a_result_that_was_posted_is_not_posted_again_because_that_could_not_be_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        after(monkeypatch, world.discord, "send", gone)
        job = await world.accept(a_job())
        async with world.running():
            await long_away(world, tried)
            gone.clear()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert world.discord.attempts == 1
        assert (await world.job(job.id)).result_message_id is not None
        await world.balanced()


@pytest.mark.usefixtures("_short_pauses")
@pytest.mark.parametrize("step", ["source", "output"])
async def test_no_job_ends_because_the_database_was_away_while_its_files_came_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        real = world.client.download

        async def download(*args: Any, **options: Any) -> Any:
            done = await real(*args, **options)
            if not tried:
                gone.set()
            return done

        if step == "output":
            monkeypatch.setattr(world.client, "download", download)
        else:
            world.album.on_fetch = lambda _: None if tried else gone.set()
        job = await world.accept(a_staging_job())
        async with world.running():
            await long_away(world, tried)
            gone.clear()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1
        await world.balanced()


@pytest.mark.usefixtures("_short_pauses")
async def test_a_disk_that_takes_neither_a_photo_nor_what_is_noted_of_it_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)

        def full(_: Job) -> None:
            if not tried:
                gone.set()
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        world.album.on_fetch = full
        job = await world.accept(a_staging_job())
        async with world.running():
            await long_away(world, tried)
            gone.clear()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


@pytest.mark.promise
@pytest.mark.usefixtures("_short_pauses")
async def test_an_engine_that_starts_while_the_database_is_away_begins_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
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
@pytest.mark.usefixtures("_short_pauses")
async def test_a_disk_that_is_full_loses_nothing_and_all_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
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
async def test_a_job_that_cannot_be_read_is_left_alone_and_the_others_are_made(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        broken, *others = [await world.accept(a_job()) for _ in range(4)]
        with closing(sqlite3.connect(tmp_path / "studii.db")) as database, database:
            database.execute("UPDATE jobs SET inputs = ? WHERE id = ?", ('{"prompt', broken.id))
        async with world.running():
            for job in others:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.db.unreadable) == 1
        assert len(world.studii.jobs) == len(others)

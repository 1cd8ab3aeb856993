"""A database that fails or is away ends nothing, and loses nothing that Studii has said."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from bot.engine import loops
from bot.model import JobState
from bot.storage import Transaction
from bot.storage.durations import Durations
from bot.storage.notices import Notices
from sandbox.studii import Options, faults
from tests.engine.world import World, a_job, engine_world

OTHER_GUILD = 101


async def fail(*_: object, **__: object) -> None:
    raise OperationalError("INSERT", {}, Exception("database or disk is full"))


def away(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, list[None]]:
    """Once it is set nothing can be written; with the writes that were tried then."""
    gone, tried = asyncio.Event(), list[None]()
    real = world.storage.write

    @asynccontextmanager
    async def write(**options: Any) -> AsyncGenerator[Transaction, None]:
        if gone.is_set():
            tried.append(None)
            raise ConnectionRefusedError("the database server is starting")
        async with real(**options) as tx:
            yield tx

    monkeypatch.setattr(world.storage, "write", write)
    return gone, tried


async def test_how_long_a_job_took_may_fail_to_be_kept_and_every_server_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Durations, "learn", fail)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await world.use_key(world.studii.add_key(), guild_id=OTHER_GUILD)
        async with world.running():
            for guild_id in (100, OTHER_GUILD, 100):
                job = await world.accept(a_job(guild_id=guild_id))
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


async def test_admins_may_fail_to_be_told_of_a_429_and_the_job_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[None] = []

    async def add(*_: object, **__: object) -> None:
        tried.append(None)
        await fail()

    monkeypatch.setattr(Notices, "add", add)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("status", faults.rate_limited(0), 3)
        job = await world.accept(a_job())
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
    assert tried


async def test_what_studii_said_is_kept_for_as_long_as_the_database_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr("bot.engine.starting.STORE_PAUSE", 0.005)
    async with engine_world(tmp_path, options=Options(instant=True, long_side=64)) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        real = world.client.create_job

        async def create_job(*args: Any) -> object:
            created = await real(*args)
            gone.set()
            return created

        monkeypatch.setattr(world.client, "create_job", create_job)
        job = await world.accept(a_job())
        async with world.running():

            async def long_away() -> bool:
                return len(tried) > 30

            await world.until(long_away, "tried for long")
            gone.clear()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1
        await world.balanced()


async def test_an_answer_that_is_still_to_be_stored_is_stored_when_the_engine_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loops, "FIRST_PAUSE", 0.001)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        gone, tried = away(world, monkeypatch)
        real = world.client.create_job

        async def create_job(*args: Any) -> object:
            created = await real(*args)
            gone.set()
            return created

        monkeypatch.setattr(world.client, "create_job", create_job)
        job = await world.accept(a_job())
        async with world.running():

            async def tried_once() -> bool:
                return len(tried) > 10

            await world.until(tried_once, "tried")
            asyncio.get_running_loop().call_later(0.2, gone.clear)
        assert (await world.job(job.id)).state is JobState.RUNNING

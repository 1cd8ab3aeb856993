"""What a process sends only while its lease lasts: the last look is just before the first byte."""

import asyncio
from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.aio.net import Connector, Gate
from bot.clock import boottime
from bot.cluster import LeaseTimes
from bot.jobs.models import JobState
from bot.studii import StudiiClient
from tests.cluster.members import process_on
from tests.engine.world import a_job, engine_world
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database

LONG = LeaseTimes(lasts=60.0, renewed_every=30.0)
HANG = 100.0  # seconds


@pytest.mark.promise
async def test_a_process_that_stood_still_between_the_commit_and_the_post_sends_nothing(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    stopped = 0.0
    url = await new_migrated_database(migrated_postgresql)
    async with process_on(url, times=LONG, clock=lambda: boottime() + stopped) as own:
        await asyncio.wait_for(own.stand_by(), PATIENCE)
        connect = partial(Connector, None, gate=Gate(lambda _: own.may_act()))
        async with (
            engine_world(tmp_path, url=url, member=own) as world,
            StudiiClient(world.studii.url, connect=connect) as client,
        ):
            world.client = client
            await world.use_key(world.studii.add_key(balance=1000))
            refused = asyncio.Event()

            def right_after_the_commit(wakes: Mapping[Hashable, Any]) -> None:
                nonlocal stopped
                states = {job.state for job in wakes.values() if job is not None}
                if JobState.SUBMITTING in states and not refused.is_set():
                    stopped = HANG
                elif stopped and JobState.WAITING in states:
                    refused.set()

            with world.db.listening(right_after_the_commit):
                async with world.running():
                    job = await world.accept(a_job())
                    await asyncio.wait_for(refused.wait(), PATIENCE)
                    assert world.studii.requests.count("create") == 0
                    stopped = 0.0
                    await world.reaches(job.id, JobState.SUCCEEDED)
                    assert len(world.studii.jobs) == 1

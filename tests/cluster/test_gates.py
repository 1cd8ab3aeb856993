"""What a process sends only while its lease lasts: the last look is just before the first byte."""

import asyncio
from collections.abc import Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bot.aio.net import Connector, Gate
from bot.clock import boottime
from bot.cluster import TOLD_AFTER, LeaseTimes, Membership, arrived_at, discord_gate
from bot.jobs.models import JobState
from bot.studii import StudiiClient
from tests.cluster.members import process_on
from tests.engine.world import a_job, engine_world
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database

LONG = LeaseTimes(lasts=60.0, renewed_every=30.0)
HANG = 100.0  # seconds
ANSWER = URL("https://discord.com/api/v10/interactions/1/token/callback")
LATER_ANSWER = URL("https://discord.com/api/v10/webhooks/1/token/messages/@original")
MESSAGE = URL("https://discord.com/api/v10/channels/1/messages")


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


class AProcess(Membership):
    """One of several, at some moment of its lease."""

    def __init__(self, *, acts: bool = False, tells: bool = False, finishes: bool = False) -> None:
        self._acts, self._tells, self._finishes = acts, tells, finishes

    def may_act(self) -> bool:
        return self._acts

    def may_tell(self) -> bool:
        return self._tells

    def may_finish(self) -> bool:
        return self._finishes


def test_without_a_lease_people_are_told_of_the_database_a_little_later_and_nothing_else_is_sent() -> None:
    clock = FakeClock()
    holder = discord_gate(AProcess(acts=True), clock)
    cut_off = discord_gate(AProcess(tells=True), clock)
    replaced = discord_gate(AProcess(), clock)
    finishing = discord_gate(AProcess(finishes=True), clock)
    for url in (ANSWER, LATER_ANSWER, MESSAGE):
        assert (holder.allows(url), holder.delay(url)) == (True, 0.0)
        assert (replaced.allows(url), replaced.delay(url)) == (False, 0.0)
        assert cut_off.allows(url) is (url is not MESSAGE)
        assert cut_off.delay(url) == (0.0 if url is MESSAGE else TOLD_AFTER)
        assert (finishing.allows(url), finishing.delay(url)) == (url is LATER_ANSWER, 0.0)
    alone = discord_gate(Membership(), clock)
    assert (alone.allows(MESSAGE), alone.delay(MESSAGE)) == (True, 0.0)


def test_an_answer_without_a_lease_waits_from_its_interactions_arrival() -> None:
    clock = FakeClock()
    cut_off = discord_gate(AProcess(tells=True), clock)
    before = arrived_at.set(clock.monotonic())
    try:
        clock.advance(1.5)
        assert cut_off.delay(ANSWER) == pytest.approx(0.5)
        clock.advance(1.0)
        assert cut_off.delay(ANSWER) == 0.0
    finally:
        arrived_at.reset(before)

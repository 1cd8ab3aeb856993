"""However a key's requests are counted, none is too many: killed again and again, and at once there anew."""

import random
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.db import Database
from bot.domain.guilds import Plan
from bot.engine import Tuning
from bot.jobs import accept, queries
from bot.jobs.models import JobState
from bot.servers import keys as server_keys, settings
from bot.vault import Vault, lane_names
from sandbox.studii import Key, RateStyle, faults
from sandbox.studii.ratelimit import Counting
from tests.crash.life import ENDED
from tests.crash.world import KILLED, Case, CrashWorlds, Zygote, worlds
from tests.engine.world import a_job
from tests.support.database import given

COUNTINGS: tuple[Counting, ...] = ("sliding", "fixed", "bucket")
JOBS = 16  # on each key: more than it may send in a period, however seldom it is polled
# A minute of Studii's, and what it lets through in one, are smaller here; so much of the smallest plan's is
# left unused that the margin is the usual one.
PERIOD, LIMIT = 2.0, 14
TUNING = {"rate_period": 2.1, "answer_bound": 2.5, "rate_margin": 60 - LIMIT + Tuning().rate_margin}
REQUEST_TIMEOUT = 2.0  # seconds until a request is given up: less than the bound of an answer
SEED = 6


async def serve(case: Case, guild_id: int, key: Key, jobs: int) -> None:
    """A server with that key, the smallest plan's, and so many jobs that were just accepted."""
    async with Database.open(case.database) as db:
        vault = Vault.open((), Path(case.folder) / "encryption.key")
        lane = (await db.write(lane_names, vault)).lane_of(key.secret)
        at = SystemClock().now()
        stored = await db.write(
            server_keys.add, guild_id, lane, key.hint, Plan.PRO, vault.seal(key.secret), at
        )
        await db.write(settings.set_key, guild_id, stored.id, at)
        for number in range(jobs):
            job = a_job(guild_id=guild_id, channel_id=guild_id, user_id=number % 7)
            await db.write(given(accept.store, [job], at))


async def states(case: Case, guild_id: int) -> list[JobState]:
    async with Database.open(case.database) as db:
        return [
            job.state for job in await db.read(queries.in_states, list(JobState)) if job.guild_id == guild_id
        ]


async def crowd(own: CrashWorlds) -> tuple[Case, dict[Counting, Key]]:
    """A database with a busy server for each way of counting."""
    case = await own.case(text=True)
    keys: dict[Counting, Key] = {}
    for number, counting in enumerate(COUNTINGS, 1):
        style = RateStyle(counting=counting, period=PERIOD)
        keys[counting] = own.studii.add_key(balance=10_000, rate_limit=LIMIT, rate_style=style)
        await serve(case, number, keys[counting], JOBS)
    return case, keys


@pytest.mark.promise
async def test_no_key_meets_a_429_of_our_making_however_often_the_bot_is_killed(process: Zygote) -> None:
    rng = random.Random(SEED)
    async with worlds() as own:
        case, keys = await crowd(own)
        for _ in range(4):
            life = own.life(
                case, dies_after=rng.uniform(0.3, 1.2), tuning=TUNING, patience=REQUEST_TIMEOUT, threads=True
            )
            assert await process.live(life) == KILLED
        assert await process.live(own.life(case, tuning=TUNING, patience=REQUEST_TIMEOUT)) == ENDED
        assert own.studii.requests.count(status=429) == 0
        for number, key in enumerate(keys.values(), 1):
            submitted = sum(job.key is key for job in own.studii.jobs.values())
            ends = await states(case, number)
            assert set(ends) <= {JobState.SUCCEEDED, JobState.UNKNOWN}
            assert ends.count(JobState.SUCCEEDED) <= submitted <= JOBS
            assert len(own.studii.requests.of(key=key.hint)) > LIMIT


@pytest.mark.promise
async def test_nothing_is_asked_before_retry_after_has_passed_though_the_bot_was_killed(
    process: Zygote,
) -> None:
    async with worlds() as own:
        case = await own.case(text=True)
        own.studii.fail("status", faults.rate_limited(3))
        for asked in (case.interaction, None, None):
            life = own.life(case, dies_once="lane_limits", threads=True, interaction=asked)
            assert await process.live(life) == KILLED
        (limited,) = own.studii.requests.of(status=429)
        assert await process.live(own.life(case)) == ENDED
        after = [one for one in own.studii.requests if one.monotonic > limited.monotonic]
        assert after
        assert all(one.monotonic - limited.monotonic >= 3.0 for one in after if one.endpoint != "output")
        assert await states(case, case.guild_id) == [JobState.SUCCEEDED]

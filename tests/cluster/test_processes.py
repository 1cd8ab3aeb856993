"""Processes of the bot on one PostgreSQL: no gap, and nothing twice."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.delivery.answers import LEFT_UNANSWERED
from bot.jobs.models import JobState
from bot.ui.kit.answers import LateAnswer
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import Options
from sandbox.studii.jobs import Durations
from tests.cluster.world import Cluster, cluster, servers, until, until_async
from tests.engine.world import free_port
from tests.support.patience import PATIENCE


@asynccontextmanager
async def connected(url: str) -> AsyncGenerator[AsyncConnection]:
    """Connect to the database beside the processes."""
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


TAKES = Options(long_side=64, durations=Durations(image=2.0, video=2.0, spread=0.0))
(GUILD,) = servers(1)
JOBS_EACH = 16


def told_alone(own: Cluster) -> list[str]:
    """Return what one person alone was told."""
    return [str(one.payload) for one in own.discord.messages.values() if one.ephemeral]


async def metrics(session: aiohttp.ClientSession, port: int) -> str:
    """Return the process's metrics as soon as it answers: it says that it stands by a moment before."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                    return await response.text()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


@pytest.mark.promise
async def test_a_standby_takes_over_with_what_was_under_way_and_answers_who_was_told_to_wait(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    async with cluster(tmp_path, migrated_postgresql, [GUILD], options=TAKES) as own, own.process() as first:
        await until(lambda: own.connected() == [0])
        async with own.process() as second, connected(own.url) as other:
            await until(lambda: second.said("stands by"))
            assert own.connected() == [0]
            asked = own.ask(GUILD)
            await until(lambda: asked.over)
            await until_async(own.runs)
            await other.execute(text("LOCK TABLE jobs IN EXCLUSIVE MODE"))  # so nothing is accepted
            waits = own.ask(GUILD, "A green kite")
            await until(lambda: waits.waits)
            first.forked.kill()
            await other.rollback()
            await until(lambda: second.said("serves shards 0 of 1"))
            await until(lambda: own.connected() == [0])
            await until(
                lambda: any(str(LEFT_UNANSWERED[LateAnswer.JOB]) in words for words in told_alone(own))
            )
            assert waits.over
            await until(lambda: len(own.posted(GUILD)) == 1)
            again = own.ask(GUILD, "A blue kite")
            await until(lambda: again.over)
            await until(lambda: len(own.posted(GUILD)) == 2)
            assert (
                await other.execute(text("SELECT count(*) FROM answers WHERE subject IS NULL"))
            ).scalar_one() == 0
        assert len(own.studii.jobs) == 2
        assert {job.state for job in await own.jobs()} == {JobState.SUCCEEDED}


# Long: one story of two processes, in order.
@pytest.mark.promise
async def test_a_process_that_was_stopped_finds_itself_replaced_and_does_nothing_any_more(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    port = free_port()
    worlds = cluster(tmp_path, migrated_postgresql, [GUILD], options=TAKES)
    async with worlds as own, own.process() as first:
        await until(lambda: own.connected() == [0])
        async with own.process() as second, aiohttp.ClientSession() as session:
            await until(lambda: second.said("stands by"))
            jobs = [own.ask(GUILD, f"A kite number {number}") for number in range(4)]
            await until(lambda: all(one.over for one in jobs))
            first.forked.send_signal(signal.SIGSTOP)
            await until(lambda: second.said("serves shards 0 of 1"))
            await until(lambda: len([one for one in own.discord.sessions.all if one.connected]) == 2)
            await until(lambda: len(own.posted(GUILD)) == 4)
            # Both sessions hear of it, as Discord has not noticed yet that one is dead.
            asked = own.ask(GUILD, "A blue kite")
            await until(lambda: asked.over)
            first.forked.send_signal(signal.SIGCONT)
            await until(lambda: first.said("drops its shards"))
            await until(lambda: own.connected() == [0])
            await until(lambda: len(own.posted(GUILD)) == 5)
            await until(lambda: first.forked.returncode is not None)
            assert first.forked.returncode == 1  # its supervisor starts another one
            assert (
                len([path for _, path in own.discord.requests if asked.token in path and "callback" in path])
                == 1
            )
            assert not first.said("stopped unexpectedly")
            assert not first.said("Session is closed")
            last = own.ask(GUILD, "A white kite")
            await until(lambda: last.over)
            async with own.process(HEALTH_PORT=str(port)) as third:
                await until(lambda: third.said("stands by"))
                second.forked.send_signal(signal.SIGTERM)
                await until(lambda: third.said("serves shards 0 of 1"))
                await until(lambda: second.forked.returncode is not None)
                assert second.forked.returncode == 0
                await until(lambda: own.connected() == [0])
                await until(lambda: len(own.posted(GUILD)) == 6)
                assert "studii_takeovers_total 1.0" in await metrics(session, port)
        assert len(own.studii.jobs) == 6
        assert len(set(own.posted(GUILD))) == 6
        assert {job.state for job in await own.jobs()} == {JobState.SUCCEEDED}


@pytest.mark.promise
async def test_a_standby_takes_over_although_discord_is_unwell_at_that_moment(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    async with cluster(tmp_path, migrated_postgresql, [GUILD]) as own, own.process() as first:
        await until(lambda: own.connected() == [0])
        async with own.process() as second:
            await until(lambda: second.said("stands by"))
            # Asked for the number of shards, and for the intents; and then for the gateway's limits.
            own.discord.fail("me", *[Fault(status=503)] * 2)
            own.discord.fail("gateway", *[Fault(status=503)] * 2)
            first.forked.kill()
            await until(lambda: second.said("so there are 1 as before"))
            await until(lambda: second.said("tries again"))
            await until(lambda: second.serves and own.connected() == [0])
            asked = own.ask(GUILD)
            await until(lambda: asked.over)
            assert second.forked.returncode is None


@pytest.mark.promise
async def test_servers_of_two_processes_share_a_key_and_its_limit(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    guilds = servers(2)
    shared = cluster(tmp_path, migrated_postgresql, guilds, shards=2, shared_key=True, period=2.0)
    async with shared as own:
        settings = {"SHARD_COUNT": "2", "SHARDS_PER_PROCESS": "1"}
        async with own.process(**settings), own.process(**settings):
            await until(lambda: own.connected() == [0, 1])
            for _ in range(JOBS_EACH):
                for guild in guilds:
                    own.ask(guild)
            await until(lambda: all(len(own.posted(guild)) == JOBS_EACH for guild in guilds))
        # More than the key allows at a time, so that both had to wait for each other.
        assert len(own.studii.requests) > 60
        assert own.studii.requests.count(status=429) == 0
        assert len(own.studii.jobs) == 2 * JOBS_EACH

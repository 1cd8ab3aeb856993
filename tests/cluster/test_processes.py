"""Processes of the bot on one PostgreSQL: no gap, and nothing twice; what operators see of them; and a sample
of `make cluster`."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.cli.doctor import GOOD, STOPS, processes
from bot.config import Settings
from bot.delivery.answers import LEFT_UNANSWERED
from bot.jobs.models import JobState
from bot.migrate import migrate
from sandbox.discord.emulator import TOKEN
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import Options
from sandbox.studii.jobs import Durations
from tests.cluster.members import process_on
from tests.cluster.trial import Crowd, Trial, crowd_asks
from tests.cluster.world import Cluster, cluster, servers
from tests.support.patience import PATIENCE, until
from tests.support.postgresql import free_port, new_database, new_migrated_database, server


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
            await until(own.runs)
            await other.execute(text("LOCK TABLE jobs IN EXCLUSIVE MODE"))  # so nothing is accepted
            waits = own.ask(GUILD, "A green kite")
            await until(lambda: waits.waits)
            first.forked.kill()
            await other.rollback()
            await until(lambda: second.said("serves shards 0 of 1"))
            await until(lambda: own.connected() == [0])
            await until(lambda: any(str(LEFT_UNANSWERED) in words for words in told_alone(own)))
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
async def test_doctor_lists_the_processes_their_shards_and_those_that_are_free(
    migrated_postgresql: str,
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    settings = Settings.read(discord_token=TOKEN, database_url=url)
    assert [one.words async for one in processes(settings)] == ["No bot is running on this database."]
    async with process_on(url, "maple:1", count=4, per_process=2) as first:
        await asyncio.wait_for(first.stand_by(), PATIENCE)
        found = [one async for one in processes(settings)]
        serving, free = found
        assert serving.words.startswith("maple:1 (number 1, version")
        assert "has served shards 0, 1 of 4 since 2" in serving.words
        assert "No process serves shards 2, 3 of 4" in free.words
        assert [one.verdict for one in found] == [GOOD, STOPS]
        async with process_on(url, "oak:2", per_process=2), process_on(url, "elm:3", per_process=2):
            await until(lambda: first.free_shards == 0)
            words = [one.words async for one in processes(settings)]
            assert sum("has served shards" in one for one in words) == 2
            assert sum("has stood by since" in one for one in words) == 1
            assert not any("No process serves" in one for one in words)


@pytest.mark.promise
async def test_a_process_that_stands_by_is_healthy_and_one_with_another_encryption_key_stops(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    port = free_port()
    async with cluster(tmp_path, migrated_postgresql, servers(1)) as own, own.process():
        await until(lambda: own.connected() == [0])
        async with own.process(HEALTH_PORT=str(port)) as second, aiohttp.ClientSession() as session:
            await until(lambda: second.said("stands by"))
            await until(partial(_answers, session, port))
            async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                told = await response.json()
                assert (response.status, told["ok"], told["standby"]) == (200, True, True)
            async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                assert 'studii_shards{what="held"} 0.0' in await response.text()
        async with own.process(ENCRYPTION_KEYS=Fernet.generate_key().decode()) as stranger:
            await until(lambda: stranger.forked.returncode is not None)
            assert stranger.forked.returncode == 2
            assert stranger.said("Give all of them the same ENCRYPTION_KEYS")


async def _answers(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/healthz"):
            return True
    except aiohttp.ClientError:
        return False


@pytest.mark.promise
async def test_several_that_start_at_once_make_the_tables_once(postgresql: str) -> None:
    url = await new_database(postgresql)
    await asyncio.gather(*(migrate(url) for _ in range(4)))
    async with process_on(url) as member:
        await asyncio.wait_for(member.stand_by(), PATIENCE)


# In earnest, as `make cluster` runs it, with leases as they are; else as a sample.
EARNEST = "CLUSTER_IN_EARNEST" in os.environ
TAKE = Durations(image=4.0, video=8.0, spread=0.5) if EARNEST else Durations(image=1.0, video=1.0, spread=0.0)
SHARDS, SERVERS, JOBS, ASKED_FOR = (4, 12, 200, 200.0) if EARNEST else (2, 4, 16, 12.0)
# Seconds; a process that is taken for dead is a part of the trial.
TRIAL_LEASE, HANG, AWAY = (None, 45.0, 30.0) if EARNEST else (4.0, 6.0, 1.0)


@pytest.mark.promise
async def test_nothing_is_lost_or_doubled_while_processes_die_hang_and_come_back(tmp_path: Path) -> None:
    with server() as postgresql:
        url = await new_database(postgresql.url)
        await migrate(url)
        guilds, options = servers(SERVERS), Options(long_side=64, durations=TAKE)
        worlds = cluster(tmp_path, "", guilds, shards=SHARDS, options=options, url=url, lease=TRIAL_LEASE)
        async with worlds as own:
            crowd = Crowd(own, guilds)
            trial = Trial(own, postgresql, shards=SHARDS, per_process=SHARDS // 2, hang=HANG, away=AWAY)
            async with trial.running(3):
                asking = asyncio.create_task(crowd_asks(crowd, JOBS, ASKED_FOR))
                await trial.kill(signal.SIGKILL)
                await trial.stop_and_continue()
                if EARNEST:
                    await trial.kill(signal.SIGTERM)
                await trial.restart_database()
                await asking
                await trial.ended()
                assert await trial.complaints(crowd) == []
        sys.stdout.write(f"The longest silence of a server: {max(crowd.silences.values()):.1f} s\n")

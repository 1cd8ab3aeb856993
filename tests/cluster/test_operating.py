"""What operators see of several processes: doctor, health, keys that differ, and updates."""

import asyncio
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet

from bot.cli.doctor import Verdict, processes
from bot.config import Settings
from bot.migrate import migrate
from sandbox.discord.emulator import TOKEN
from tests.cluster.members import process_on
from tests.cluster.world import cluster, servers, until, until_async
from tests.engine.world import free_port
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_database, new_migrated_database


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
        assert [one.verdict for one in found] == [Verdict.GOOD, Verdict.STOPS]
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
            await until_async(partial(_answers, session, port))
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

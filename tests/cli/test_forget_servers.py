"""The operator's word on servers that seem to have removed the bot, many at once."""

import asyncio
import signal
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.db import Database
from bot.domain.guilds import Plan
from bot.servers import keys, settings
from sandbox.discord.emulator import DiscordServer
from tests.cli.commands import database, looked_after, made_database
from tests.support.patience import PATIENCE
from tests.support.process import bot_process

GONE, STILL_THERE = (101, 102, 103, 104), 100
API = "http://127.0.0.1:9/api/v1"


async def keep_servers(folder: Path, missing: bool = False) -> None:
    """Servers that the bot was in, each with a Studii key; all of them may seem to have removed it."""
    url = await made_database(folder)
    now = SystemClock().now()
    async with Database.open(url) as db:
        for guild_id in (*GONE, STILL_THERE):
            key = await db.write(keys.add, guild_id, f"lane{guild_id}", "abcd", Plan.PRO, b"sealed", now)
            await db.write(settings.came, guild_id, now)
            await db.write(settings.set_key, guild_id, key.id)
        if missing:
            await db.write(settings.set_missing, [*GONE, STILL_THERE], now)


async def with_keys(folder: Path) -> list[int]:
    url = f"sqlite+aiosqlite:///{database(folder)}"
    async with Database.open(url) as db:
        return [one for one in (*GONE, STILL_THERE) if await db.read(keys.current, one) is not None]


async def run(discord: DiscordServer, folder: Path, command: str) -> tuple[int | None, str]:
    async with bot_process(discord, folder, command, STUDII_API_URL=API, COLUMNS="300") as process:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode, " ".join((out + errors).decode().split())


@pytest.mark.promise
async def test_the_running_bot_keeps_many_servers_that_are_gone_and_the_operator_lets_them_go(
    tmp_path: Path,
) -> None:
    await keep_servers(tmp_path)
    async with (
        DiscordServer(guilds=[STILL_THERE]) as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL=API) as bot,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        await looked_after(bot)
        async with asyncio.timeout(60):
            while "forget-servers" not in (await run(discord, tmp_path, "doctor"))[1]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert await with_keys(tmp_path) == [*GONE, STILL_THERE]
        status, told = await run(discord, tmp_path, "forget-servers")
        assert status == 0
        assert "Forgotten, and their Studii keys erased: 101, 102, 103, 104." in told
        assert await with_keys(tmp_path) == [STILL_THERE]
        assert "There are no servers to forget" in (await run(discord, tmp_path, "forget-servers"))[1]
        bot.send_signal(signal.SIGTERM)
        await asyncio.wait_for(bot.communicate(), PATIENCE)
        assert bot.returncode == 0


async def test_a_server_in_which_the_bot_still_is_is_not_forgotten(tmp_path: Path) -> None:
    await keep_servers(tmp_path, missing=True)
    async with DiscordServer(guilds=[STILL_THERE]) as discord:
        status, told = await run(discord, tmp_path, "forget-servers")
    assert status == 0
    assert "Kept, because the bot is still in these servers: 100." in told
    assert await with_keys(tmp_path) == [STILL_THERE]

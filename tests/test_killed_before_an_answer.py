"""A kill while someone is told that the answer will come: the next start gives it."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.db import Database
from bot.delivery.answers import LEFT_UNANSWERED
from bot.domain.guilds import Plan
from bot.servers import keys, settings
from bot.ui.kit.deferral import LateAnswer
from bot.vault import Vault, lane_names
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import Options, StudiiServer
from tests.support.database import database
from tests.support.patience import PATIENCE
from tests.support.process import bot_process

GUILD, MEMBER = 1 << 30, 1 << 40
NEVER = Fault(delay=10 * PATIENCE)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.02)


async def prepared(folder: Path, secret: str) -> None:
    (folder / "data").mkdir()
    url = await database(folder / "data")
    vault = Vault.open((), folder / "data" / "encryption.key")
    async with Database.open(url) as db:
        lanes, now = await db.write(lane_names, vault), SystemClock().now()
        key = await db.write(
            keys.add, GUILD, lanes.lane_of(secret), "abcd", Plan.TEAM, vault.seal(secret), now
        )
        await db.write(settings.set_key, GUILD, key.id)


def deferred(folder: Path) -> int:
    """Return how many answers are still to be given."""
    with closing(sqlite3.connect(folder / "data" / "studii.db")) as other:
        return int(other.execute("SELECT count(*) FROM answers WHERE subject IS NULL").fetchone()[0])


@pytest.mark.promise
async def test_the_next_start_gives_the_answer_that_was_announced(tmp_path: Path) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=False)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        file = tmp_path / "data" / "studii.db"
        async with bot_process(discord, tmp_path, "run", **where) as process:
            await until(discord.ready.is_set)
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                asked = discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
                await until(lambda: asked.waits)
                for call in ("answer", "original"):
                    discord.fail(call, *[NEVER] * 9)
                other.execute("ROLLBACK")
                await until(lambda: other.execute("SELECT count(*) FROM jobs").fetchone() == (1,))
                await until(lambda: deferred(tmp_path))
            process.kill()
            await process.communicate()
        discord.faults.clear()
        async with bot_process(discord, tmp_path, "run", **where):
            await until(lambda: asked.over)
            await until(lambda: not deferred(tmp_path))
        assert "A red kite" in str(asked.said)
        assert discord.in_channel(GUILD) == []


@pytest.mark.promise
async def test_a_member_whose_list_of_tools_was_announced_is_asked_to_try_again(tmp_path: Path) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        async with bot_process(discord, tmp_path, "run", **where) as process:
            await until(discord.ready.is_set)
            discord.fail("answer", *[NEVER] * 9)
            asked = discord.send(discord.command(GUILD, MEMBER, "help"))
            await until(lambda: asked.waits and deferred(tmp_path))
            process.kill()
            await process.communicate()
        discord.faults.clear()
        async with bot_process(discord, tmp_path, "run", **where):
            await until(lambda: asked.over)
            await until(lambda: not deferred(tmp_path))
        assert str(LEFT_UNANSWERED[LateAnswer.VIEW]) in str(asked.said)

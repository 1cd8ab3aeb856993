"""A kill while someone is told that the answer will come: the next start gives it."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.delivery.deferrals.late_answers import LEFT_UNANSWERED
from bot.domain.guilds import Plan
from bot.servers import keys, settings
from bot.storage import Storage
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
    async with Storage.open(url) as storage:
        lanes, now = await storage.db.write(lane_names, vault), SystemClock().now()
        async with storage.write() as transaction:
            key = await transaction.run(
                keys.add, GUILD, lanes.lane_of(secret), "abcd", Plan.TEAM, vault.seal(secret), now
            )
            await transaction.run(settings.set_key, GUILD, key.id, now)


@pytest.mark.promise
@pytest.mark.parametrize("accepted", [False, True])
async def test_the_next_start_gives_the_answer_that_was_announced(tmp_path: Path, accepted: bool) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        file = tmp_path / "data" / "studii.db"
        async with bot_process(discord, tmp_path, "run", **where) as process:
            await until(discord.ready.is_set)
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                asked = discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
                await until(lambda: asked.waits)
                if accepted:
                    for call in ("answer", "original"):
                        discord.fail(call, *[NEVER] * 9)
                else:
                    process.kill()
                    await process.communicate()
                other.execute("ROLLBACK")
                if accepted:
                    await until(lambda: other.execute("SELECT count(*) FROM jobs").fetchone() == (1,))
            process.kill()
            await process.communicate()
        discord.faults.clear()
        async with bot_process(discord, tmp_path, "run", **where):
            await until(lambda: asked.over)
            await until(lambda: not list((tmp_path / "data" / "deferrals").iterdir()))
        if accepted:
            assert "A red kite" in str(asked.said)
            return
        assert asked.dropped_at is not None
        told = [str(one.payload) for one in discord.messages.values() if one.ephemeral]
        assert any(str(LEFT_UNANSWERED[LateAnswer.CARD]) in words for words in told)
        assert discord.in_channel(GUILD) == []
        with closing(sqlite3.connect(file)) as other:
            assert other.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


@pytest.mark.promise
async def test_an_answer_that_discord_refuses_at_the_next_start_is_given_without_another_one(
    tmp_path: Path,
) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        async with bot_process(discord, tmp_path, "run", **where) as process:
            await until(discord.ready.is_set)
            with closing(sqlite3.connect(tmp_path / "data" / "studii.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                asked = discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
                await until(lambda: asked.waits)
                process.kill()
                await process.communicate()
                other.execute("ROLLBACK")
        discord.fail("followup", Fault(400), Fault(400))
        async with bot_process(discord, tmp_path, "run", **where):
            await until(
                lambda: any(
                    str(LEFT_UNANSWERED[LateAnswer.CARD]) in str(one.payload)
                    for one in discord.messages.values()
                )
            )
            await until(lambda: not list((tmp_path / "data" / "deferrals").iterdir()))
        assert asked.dropped_at is not None
        assert discord.in_channel(GUILD) == []


@pytest.mark.promise
@pytest.mark.parametrize("private", [False, True])
async def test_no_job_is_shown_in_the_place_of_a_command_that_was_refused(
    tmp_path: Path, private: bool
) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=False)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        with closing(sqlite3.connect(tmp_path / "data" / "studii.db", isolation_level=None)) as other:
            async with bot_process(discord, tmp_path, "run", **where) as process:
                await until(discord.ready.is_set)
                other.execute(
                    "UPDATE guilds SET budget_limit = 20, budget_period = 'day', "
                    "budget_since = '2026-01-01 00:00:00.000000'"
                )
                other.execute("BEGIN IMMEDIATE")
                dear = {"prompt": "A public wish", "mode": "video"}
                refused = discord.send(discord.command(GUILD, MEMBER, "studio", dear))
                await asyncio.sleep(0.1)
                cheap = {"prompt": "Another wish", "private": private}
                accepted = discord.send(discord.command(GUILD, MEMBER, "studio", cheap))
                await until(lambda: refused.waits and accepted.waits)
                for call in ("answer", "original", "followup"):
                    discord.fail(call, *[NEVER] * 9)
                other.execute("ROLLBACK")
                await until(lambda: other.execute("SELECT private FROM jobs").fetchall() == [(private,)])
                process.kill()
                await process.communicate()
            discord.faults.clear()
            async with bot_process(discord, tmp_path, "run", **where):
                await until(lambda: refused.over and accepted.over)
        assert refused.dropped_at is not None
        assert "Another wish" in str(accepted.said)
        in_channel = [str(message.payload) for message in discord.in_channel(GUILD)]
        assert any("Another wish" in words for words in in_channel) is not private


@pytest.mark.promise
async def test_a_member_whose_list_of_tools_was_announced_is_asked_to_try_again(tmp_path: Path) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        async with bot_process(discord, tmp_path, "run", **where) as process:
            await until(discord.ready.is_set)
            discord.fail("answer", *[NEVER] * 9)
            asked = discord.send(discord.command(GUILD, MEMBER, "tools"))
            await until(lambda: asked.waits)
            process.kill()
            await process.communicate()
        discord.faults.clear()
        async with bot_process(discord, tmp_path, "run", **where):
            await until(lambda: asked.over)
            await until(lambda: not list((tmp_path / "data" / "deferrals").iterdir()))
        assert str(LEFT_UNANSWERED[LateAnswer.VIEW]) in str(asked.said)

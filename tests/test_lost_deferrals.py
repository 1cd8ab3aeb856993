"""Answers of Discord's that are lost after their effect: who was told to wait is answered all the same."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.faults import Fault
from sandbox.studii import Options, StudiiServer
from tests.support.process import bot_process
from tests.test_killed_before_an_answer import GUILD, MEMBER, deferred, prepared, until

LOST = {"proxy": Fault(502, after=True), "reset": Fault(None, after=True)}


@pytest.mark.promise
@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("call", ["callback", "answer"])
@pytest.mark.parametrize("lost", LOST)
async def test_who_was_told_to_wait_is_answered(tmp_path: Path, lost: str, call: str, accepted: bool) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        file = tmp_path / "data" / "studii.db"
        async with bot_process(discord, tmp_path, "run", **where):
            await until(discord.ready.is_set)
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                if not accepted:
                    other.execute(
                        "UPDATE guilds SET budget_limit = 1, budget_period = 'day', "
                        "budget_since = '2026-01-01 00:00:00.000000'"
                    )
                other.execute("BEGIN IMMEDIATE")
                discord.fail(call, LOST[lost])
                asked = discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
                await until(lambda: asked.waits)
                await asyncio.sleep(0.5)
                other.execute("ROLLBACK")
            if accepted:
                await until(lambda: not asked.waits)
                await until(lambda: "A red kite" in str(asked.said))
            else:
                await until(lambda: asked.said is not None)
                assert "1 of 1 credit" in str(asked.said)
                assert discord.in_channel(GUILD) == []
            await until(lambda: not deferred(tmp_path))


@pytest.mark.promise
async def test_who_was_told_to_wait_is_answered_without_a_restart_when_discord_takes_it(
    tmp_path: Path,
) -> None:
    async with DiscordServer(guilds=[GUILD]) as discord, StudiiServer(Options(instant=True)) as studii:
        await prepared(tmp_path, studii.add_key().secret)
        where = {"STUDII_API_URL": studii.url, "DATABASE_URL": f"sqlite:///{tmp_path}/data/studii.db"}
        async with bot_process(discord, tmp_path, "run", **where):
            await until(discord.ready.is_set)
            with closing(sqlite3.connect(tmp_path / "data" / "studii.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                # The progress, and the first time that it is tried again.
                discord.fail("answer", Fault(400), Fault(400))
                asked = discord.send(discord.command(GUILD, MEMBER, "studio", {"prompt": "A red kite"}))
                await until(lambda: asked.waits)
                other.execute("ROLLBACK")
            await until(lambda: "A red kite" in str(asked.said))
            await until(lambda: not deferred(tmp_path))

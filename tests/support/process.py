"""Runs the bot in a process of its own, as an operator does, with the sandbox's address of Discord."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.config import Settings
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.launch import command
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def bot_process(
    discord: DiscordServer, folder: Path, *arguments: str, **settings: str
) -> AsyncGenerator[ForkedProcess]:
    """Run `python -m bot ARGUMENTS` in `folder`, against the sandbox's Discord; kill it in the end if it
    runs.

    Its imports are done already (`tests.support.forks`); `started_process` is without that.
    """
    where = (discord.api, discord.cdn_address, *arguments)
    process = await ForkedProcess.start(where, folder, environment(settings))
    try:
        yield process
    finally:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def started_process(
    discord: DiscordServer, folder: Path, *arguments: str, **settings: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run `python -m bot ARGUMENTS` like `bot_process`, but from its very start."""
    process = await asyncio.create_subprocess_exec(
        *command(discord.api, discord.cdn_address, *arguments),
        cwd=folder,
        env=environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with killed_at_the_end(process):
        yield process


@asynccontextmanager
async def killed_at_the_end(process: asyncio.subprocess.Process) -> AsyncGenerator[None]:
    """Kill the process at the end of the block, if it runs still, and read what it wrote."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_it_says(process: ForkedProcess, words: bytes) -> None:
    """Wait until a line of its log has the words."""
    async with asyncio.timeout(PATIENCE):
        while words not in await process.stderr.readline():
            assert process.returncode is None


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings as an environment, with only those variables of this one that a process needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "DISCORD_TOKEN": TOKEN, **settings}


def without_settings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let no setting of this machine reach the test: an empty folder, and none of our variables."""
    monkeypatch.chdir(folder)
    for name in list(os.environ):
        if name.lower() in Settings.__dataclass_fields__:
            monkeypatch.delenv(name)

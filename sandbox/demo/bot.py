"""Runs the bot as an operator does, in a process and a folder of its own, beside the emulated Discord."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.launch import command
from sandbox.studii import StudiiServer

ROOT = Path(__file__).parents[2]
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
END = 20.0  # seconds in which it has to end


class BotEndedError(RuntimeError):
    """The bot's process ended by itself; its log has gone to this one's standard error."""


@asynccontextmanager
async def running_bot(
    discord: DiscordServer, studii: StudiiServer, folder: Path, *, log_level: str = "WARNING"
) -> AsyncGenerator[asyncio.Task[int]]:
    """Start the bot; yield a task that ends with its exit status; stop it at the end.

    `folder` has its database and its spool. Its own settings are in its environment alone, so that an
    operator's `.env` has no say.
    """
    settings = {
        "DISCORD_TOKEN": TOKEN,
        "DATABASE_URL": f"sqlite:///{folder / 'studii.db'}",
        "STUDII_API_URL": studii.url,
        "LOG_LEVEL": log_level,
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        *command(discord.api, discord.cdn_address, "run"),
        cwd=folder,
        env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ} | settings,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        # Of its own session: Ctrl-C is for us, who stop it.
        start_new_session=True,
    )
    ended = asyncio.create_task(process.wait(), name="bot process")
    try:
        yield ended
    finally:
        if not ended.done():
            process.terminate()
            await asyncio.wait({ended}, timeout=END)
        if not ended.done():
            process.kill()
        await ended


async def until_ready(discord: DiscordServer, ended: asyncio.Task[int]) -> None:
    """Wait until the bot is connected and its commands are registered. Raises `BotEndedError`."""
    while not (discord.ready.is_set() and discord.commands):
        if ended.done():
            raise BotEndedError(f"The bot ended with exit status {ended.result()} before it was connected.")
        await asyncio.wait({ended}, timeout=0.05)

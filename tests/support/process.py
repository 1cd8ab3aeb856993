"""The bot as an operator runs it: a process by itself, with Discord's address changed to the sandbox's."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.discord.server import TOKEN, DiscordServer

ROOT = Path(__file__).parents[2]

LAUNCHER = """
import sys
import discord.http
discord.http.Route.BASE = sys.argv[1]
from bot.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@asynccontextmanager
async def bot_process(
    discord: DiscordServer, folder: Path, *arguments: str, **settings: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`python -m bot ARGUMENTS` in `folder`, against the sandbox's Discord; killed in the end if it runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        LAUNCHER,
        discord.api,
        *arguments,
        cwd=folder,
        env=environment(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings as an environment, with nothing of this one's but what a process needs to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "DISCORD_TOKEN": TOKEN, **settings}

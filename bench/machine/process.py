"""Measure the start of the bot in its own process, and its needs while it is idle."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.machine.memory import resident
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.discord.launch import command

ROOT = Path(__file__).parents[2]
SETTLED = 3.0  # seconds after which the start has ended


@dataclass(frozen=True)
class Started:
    """`ready`: seconds from the process's start until it was connected to Discord; `resident` in bytes (None
    where the system does not tell)."""

    ready: float
    resident: int | None


async def start(folder: Path) -> Started:
    """Start the bot on the database in `folder` (a new one), and end it again."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    settings = {
        "DISCORD_TOKEN": TOKEN,
        "STUDII_API_URL": "http://127.0.0.1:9/api/v1",
        "PYTHONPATH": str(ROOT),
    }
    async with DiscordServer() as server:
        began = perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command(server.api, server.cdn_address, "run"),
            cwd=folder,
            env={**kept, **settings},
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            ready = await _until_ready(server, process, began)
            await asyncio.sleep(SETTLED)
            return Started(ready, resident(process.pid))
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()


async def _until_ready(server: DiscordServer, process: asyncio.subprocess.Process, began: float) -> float:
    while not server.ready.is_set():
        if process.returncode is not None and process.stderr is not None:
            raise RuntimeError((await process.stderr.read()).decode())
        await asyncio.sleep(0.01)
    return perf_counter() - began

"""An emulator in a process of its own, steered from here."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[3]
ANSWER = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True)
class RemoteDiscord:
    """Its addresses (see `DiscordServer`), and what steers it."""

    api: str
    gateway: str
    cdn_address: str
    control: str
    session: aiohttp.ClientSession

    async def do(self, name: str, /, **values: Any) -> Any:
        """Do that with the emulator (see `control.Control`). Raises RuntimeError if it can't be done."""
        async with self.session.post(f"{self.control}/{name}", json=values) as response:
            if response.status != 200:
                raise RuntimeError(f"{name}: {await response.text()}")
            return json.loads(await response.read())


@asynccontextmanager
async def emulator_process(*arguments: str) -> AsyncGenerator[RemoteDiscord]:
    """Start `python -m sandbox.discord.emulator` with these arguments, and end it at the end."""
    command: Sequence[str] = (sys.executable, "-m", "sandbox.discord.emulator", *arguments)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=pipe, stdout=pipe)
    try:
        if process.stdout is None:
            raise RuntimeError("the emulator has no output")
        addresses = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession(timeout=ANSWER) as session:
            yield RemoteDiscord(**addresses, session=session)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()

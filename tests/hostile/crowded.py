"""`python -m tests.hostile crowded`: legal files, as large as may be, while others use the bot's only core.

Each must be taken. `crowded --name HEIC` sends the HEIC files alone. It takes a quarter of an hour.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from tests.hostile.bot import Seen, Victim, made, victim
from tests.hostile.files import BLANK, MadeFile
from tests.hostile.legal import MAX_LEGAL_BYTES

HOGS = 2
MAX_CROWDED_SECONDS = 120.0  # seconds; what takes longer has failed, and the bot is started anew
_HOG = "while True: pass"


async def run(console: Console, files: Sequence[MadeFile]) -> int:
    """Send the files, print what became of each, and return how many were not taken."""
    waiting = list(files)
    (core, *_) = sorted(os.sched_getaffinity(0))
    console.print(f"The bot and {HOGS} busy processes share core {core}.")
    failed: list[str] = []
    while waiting:
        with tempfile.TemporaryDirectory() as folder:
            async with victim(Path(folder)) as bot:
                bot.crowd(core)
                await _take(bot, BLANK, BLANK.make())
                failed += await _send(bot, waiting, core, console)
    if failed:
        console.print("[red]Not taken: " + "; ".join(failed))
    else:
        console.print("All were taken.")
    return len(failed)


async def _take(bot: Victim, file: MadeFile, data: bytes) -> Seen:
    async with asyncio.timeout(MAX_CROWDED_SECONDS):
        return await bot.meet(file, data, [], bot.held())


async def _send(bot: Victim, waiting: list[MadeFile], core: int, console: Console) -> list[str]:
    """Send files until none waits or one has taken too long; returns the names of those that failed."""
    failed: list[str] = []
    while waiting:
        file = waiting.pop(0)
        with console.status(file.name):
            data = await made(file)
            assert len(data) < MAX_LEGAL_BYTES, f"{file.name} has {len(data):,} bytes"
            try:
                async with _hogs(core):
                    taken = await _take(bot, file, data)
            except (TimeoutError, RuntimeError) as error:
                _tell(console, file, len(data), f"{error or 'too slow'}", MAX_CROWDED_SECONDS)
                return [*failed, file.name]
        _tell(console, file, len(data), taken.words or "taken", taken.seconds)
        failed += [] if taken.is_taken else [file.name]
    return failed


def _tell(console: Console, file: MadeFile, size: int, became: str, seconds: float) -> None:
    console.print(f"{file.name:36} {size:>11,} bytes {seconds:>6.1f} s  {became}", highlight=False)


@asynccontextmanager
async def _hogs(core: int) -> AsyncGenerator[None]:
    """Keep the core busy, within the context."""
    started = [await asyncio.create_subprocess_exec(sys.executable, "-c", _HOG) for _ in range(HOGS)]
    try:
        for hog in started:
            os.sched_setaffinity(hog.pid, {core})
        yield
    finally:
        for hog in started:
            hog.kill()
            await hog.wait()

"""A bot in a process of its own, and what it takes of the machine."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.crowd.counts import Counts, new_counts, read_counts
from bench.crowd.share import part_of_core
from bench.crowd.waiting import until
from sandbox.discord.emulator import DiscordServer

ROOT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
READY = 60.0  # seconds in which it has to be connected
SETTLED = 3.0  # seconds after which nothing of the start is going on any more
END = 20.0  # seconds in which it has to end
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class BotProcess:
    """A bot that is connected. `ready`: seconds from its start until then."""

    pid: int
    ready: float
    counts_file: Path
    log: Path

    def processor(self) -> float:
        """Return the seconds of processor that it and its children have used."""
        return sum(_times(pid) for pid in self._family())

    def memory(self) -> tuple[int, int]:
        """Return the bytes resident: its own, and those of its children."""
        own, *others = (_resident(pid) for pid in self._family())
        return own, sum(others)

    def counts(self) -> Counts:
        """Return what it has asked its database so far."""
        return read_counts(self.counts_file)

    def _family(self) -> list[int]:
        parents: dict[int, list[int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            fields = _fields(stat)
            if fields:
                parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
        family = [self.pid]
        for pid in family:
            family += parents.get(pid, [])
        return family


@asynccontextmanager
async def started(
    discord: DiscordServer,
    folder: Path,
    command: Sequence[str],
    settings: Mapping[str, str],
    core: float | None,
) -> AsyncGenerator[BotProcess]:
    """Start a bot and wait until it is connected; end it at the end. `core`: how much of one core it has."""
    counts, log = folder / "counts", folder / "log"
    new_counts(counts)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    began = perf_counter()
    with part_of_core(core) as prefix:
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *prefix,
                sys.executable,
                *command,
                cwd=folder,
                env={**environment, "PYTHONPATH": str(ROOT), **settings},
                stdout=output,
                stderr=output,
            )
        try:
            await _until_ready(discord, process, log)
            ready = perf_counter() - began
            await asyncio.sleep(SETTLED)
            yield BotProcess(process.pid, ready, counts, log)
        finally:
            await _end(process)


async def _until_ready(discord: DiscordServer, process: asyncio.subprocess.Process, log: Path) -> None:
    if not await until(lambda: discord.ready.is_set() or process.returncode is not None, READY, 0.01):
        raise TimeoutError("the bot did not connect")
    if process.returncode is not None:
        raise RuntimeError(await asyncio.to_thread(log.read_text))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(END):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _fields(stat: Path) -> list[str]:
    """Return what follows the name in parentheses: state, parent, …"""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return []


def _times(pid: int) -> float:
    """Return its own seconds, and those of its children that have ended."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return sum(int(one) for one in fields[11:15]) / TICKS if fields else 0.0


def _resident(pid: int) -> int:
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return int(fields[21]) * os.sysconf("SC_PAGE_SIZE") if fields else 0

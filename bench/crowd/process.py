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
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONOPTIMIZE")


@dataclass(frozen=True)
class BotProcess:
    """A bot that is connected. `ready`: seconds from its start until then."""

    pid: int
    ready: float
    counts_file: Path
    log: Path

    def processor(self) -> float:
        """Return the seconds of processor that it and its children have used."""
        return processor_of(self.pid)

    def memory(self) -> tuple[int, int]:
        """Return the bytes resident: its own, and those of its children."""
        return memory_of(self.pid)

    def counts(self) -> Counts:
        """Return what it has asked its database so far."""
        return read_counts(self.counts_file)


@dataclass(frozen=True)
class Bot:
    """The processes of a bot, which share its shards."""

    processes: Sequence[BotProcess]

    @property
    def ready(self) -> float:
        """The seconds that the slowest process took to be connected."""
        return max(one.ready for one in self.processes)

    def log(self) -> str:
        """Return what the processes have logged."""
        return "".join(one.log.read_text() for one in self.processes)

    def processor(self) -> float:
        """Return the seconds of processor that they and their children have used."""
        return sum(one.processor() for one in self.processes)

    def memory(self) -> tuple[int, int]:
        """Return the bytes resident: their own, and those of their children."""
        own, others = zip(*(one.memory() for one in self.processes), strict=True)
        return sum(own), sum(others)

    def counts(self) -> Counts:
        """Return what they have asked the database so far."""
        return Counts(*map(sum, zip(*(one.counts() for one in self.processes), strict=True)))


async def compile_first() -> None:
    """Import once what a bot imports, so that no start that is measured has to compile it."""
    program = (
        "import importlib, bot.app, bot.client.bot\n"
        "for name in bot.client.bot.EXTENSIONS: importlib.import_module(name)"
    )
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=ROOT, env=environment)
    await process.wait()


@asynccontextmanager
async def started(
    discord: DiscordServer,
    folder: Path,
    module: str,
    settings: Mapping[str, str],
    core: float | None,
) -> AsyncGenerator[BotProcess]:
    """Start a process of a bot and wait until it is connected, after those that are; end it at the end.

    `core`: how much of one core it has.
    """
    counts, log = folder / "counts", folder / "log"
    new_counts(counts)
    command = ("-m", module, str(counts), discord.api, discord.cdn_address, "run")
    connected = _connected(discord) + 1
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
            await _until_ready(discord, connected, process, log)
            ready = perf_counter() - began
            await asyncio.sleep(SETTLED)
            yield BotProcess(process.pid, ready, counts, log)
        finally:
            await _end(process)


def _connected(discord: DiscordServer) -> int:
    return sum(one.connected for one in discord.sessions.all)


async def _until_ready(
    discord: DiscordServer, connected: int, process: asyncio.subprocess.Process, log: Path
) -> None:
    def ready() -> bool:
        return _connected(discord) >= connected or process.returncode is not None

    if not await until(ready, READY, 0.01):
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


def processor_of(pid: int) -> float:
    """Return the seconds of processor that a process and its children have used."""
    return sum(_times(one) for one in _family(pid))


def memory_of(pid: int) -> tuple[int, int]:
    """Return the bytes that a process has resident, and those of its children."""
    own, *others = (_resident(one) for one in _family(pid))
    return own, sum(others)


def _family(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [pid]
    for one in family:
        family += parents.get(one, [])
    return family


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

"""What a large output costs in memory, on its whole way: download, spool, upload to Discord."""

import asyncio
import resource
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import discord
from aiohttp import web
from discord.http import Route

from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.delivery import DiscordDelivery
from bot.model import Job, JobState, OutputFile, Posted
from bot.studii import StudiiClient
from sandbox.discord.rest import DiscordRest

MIB = 1024 * 1024
WARM_UP = 8 * MIB
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Memory:
    """In bytes: resident before, and the most that a file of `size` bytes added."""

    size: int
    before: int
    added: int


@asynccontextmanager
async def outputs() -> AsyncGenerator[str]:
    """A storage server that sends as many bytes as its path says."""

    async def send(request: web.Request) -> web.StreamResponse:
        size = int(request.match_info["size"])
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // MIB):
            await response.write(bytes(MIB))
        return response

    app = web.Application()
    app.router.add_get("/{size}", send)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def measure(folder: Path, size: int = 200 * MIB) -> Memory:
    """In a process of its own, so that nothing but the bot is measured."""
    async with outputs() as storage, DiscordRest() as rest:
        mine, theirs = get_context("spawn").Pipe()
        process = get_context("spawn").Process(
            target=_child, args=(theirs, storage, rest.url, str(folder), size)
        )
        process.start()
        try:
            while not mine.poll():
                if not process.is_alive():
                    raise RuntimeError("the measured process died")
                await asyncio.sleep(0.05)
            before, peak = mine.recv()
        finally:
            process.kill()
            process.join()
        taken = [sum(message.files.values()) for message in rest.messages.values()]
    if max(taken) != size:
        raise RuntimeError(f"Discord got {taken} bytes instead of {size}")
    return Memory(size, before, peak - before)


def _child(answer: Connection, storage: str, rest: str, folder: str, size: int) -> None:
    answer.send(asyncio.run(_transfer(storage, rest, Path(folder), size)))


async def _transfer(storage: str, rest: str, folder: Path, size: int) -> tuple[int, int]:
    Route.BASE = rest
    async with (
        StudiiClient(f"{storage}/api/v1") as studii,
        discord.Client(intents=discord.Intents.none()) as client,
    ):
        await client.login("of.no.use")
        delivery = DiscordDelivery(client, Catalog.load(), SystemClock())
        allow(delivery, 2 * size)

        async def one(number: int, length: int) -> None:
            path = folder / f"{number}.mp4"
            await studii.download(f"{storage}/{length}", path, limit=2 * size)
            said = await delivery.announce(_job(number), OutputFile(path, "video", "video/mp4", length))
            path.unlink()
            if not isinstance(said, Posted):
                raise RuntimeError(str(said))  # noqa: TRY004

        await one(1, WARM_UP)
        forget_peak()
        before = peak()
        await one(2, size)
        return before, peak()


def allow(delivery: DiscordDelivery, size: int) -> None:
    """As in a server that has room for such a file."""

    def limit(_: Job) -> int:
        return size

    setattr(delivery, "_size_limit", limit)  # noqa: B010


def peak() -> int:
    """The most that this process has had resident since `forget_peak`, in bytes."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def forget_peak() -> None:
    """From now on the peak is that of what follows (Linux: man 5 proc, clear_refs)."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


def _job(number: int) -> Job:
    now = SystemClock().now()
    rest: dict[str, Any] = {"tool": "studio", "inputs": {"mode": "video"}, "variant": "", "source": None}
    return Job(
        id=f"{number:016x}",
        guild_id=1,
        channel_id=2,
        user_id=3,
        private=False,
        state=JobState.SUCCEEDED,
        version=5,
        created_at=now,
        changed_at=now,
        finished_at=now,
        estimate=10,
        reserved=0,
        settled=10,
        output_kind="video",
        **rest,
    )

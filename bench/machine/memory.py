"""Measure the memory that a large output takes while it is polled, downloaded and posted."""

import asyncio
import re
import resource
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bench.machine.apart import apart
from bench.machine.work import at_work, discord_of, studio_job

MIB = 1024 * 1024
WARM_UP = 8 * MIB
BENCH_TIMEOUT = 60.0  # seconds
KEY = "stu_0123456789abcdef"
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Memory:
    """In bytes: resident before, and the most that a file of `size` bytes added."""

    size: int
    before: int
    added: int


@asynccontextmanager
async def large_outputs() -> AsyncGenerator[str]:
    """Serve a Studii whose jobs are done at once.

    The output has as many bytes as the prompt says, and is nowhere in memory as a whole.
    """

    async def create(request: web.Request) -> web.Response:
        size = (await request.json())["inputs"]["prompt"]
        return web.json_response({"id": size, "status": "queued", "credits_charged": 8}, status=202)

    async def status(request: web.Request) -> web.Response:
        size = request.match_info["size"]
        told = {"id": size, "status": "completed", "output_kind": "video", "credits_charged": 8}
        return web.json_response(told | {"output_url": f"{request.url.origin()}/output/{size}"})

    async def output(request: web.Request) -> web.StreamResponse:
        size = int(request.match_info["size"])
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(size // MIB):
            await response.write(bytes(MIB))
        return response

    app = web.Application()
    app.router.add_post("/api/v1/jobs", create)
    app.router.add_get("/api/v1/jobs/{size}", status)
    app.router.add_get("/output/{size}", output)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/api/v1"
    finally:
        await runner.cleanup()


async def measure(folder: Path, size: int = 200 * MIB) -> Memory:
    """Measure in a process of its own, so that nothing but the bot is measured."""
    async with large_outputs() as studii, discord_of(1) as discord:
        before, peak = await apart(_measure, folder, studii, discord.api, size)
        taken = [sum(file.size for file in message.files.values()) for message in discord.messages.values()]
    if taken != [WARM_UP, size]:
        raise RuntimeError(f"Discord got {taken} bytes instead of {size}")
    return Memory(size, before, peak - before)


async def _measure(folder: Path, studii: str, rest: str, size: int) -> tuple[int, int]:
    there = asyncio.Event()
    async with at_work(folder, studii, rest, [KEY], posted=lambda _: there.set(), largest=2 * size) as bot:

        async def one(length: int) -> None:
            there.clear()
            await bot.accept([studio_job(1, 1, str(length), "video")])
            async with asyncio.timeout(BENCH_TIMEOUT):
                await there.wait()

        await one(WARM_UP)
        forget_peak()
        before = peak()
        await one(size)
        return before, peak()


def peak() -> int:
    """Return the most that this process has had resident since `forget_peak`, in bytes."""
    if STATUS.exists():
        return _of_status("VmHWM")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def resident(pid: int | None = None) -> int | None:
    """Return the resident memory of a process in bytes, by default this one's. None if the system doesn't
    tell."""
    status = STATUS if pid is None else Path(f"/proc/{pid}/status")
    return _of_status("VmRSS", status) if status.exists() else None


def forget_peak() -> None:
    """Let the peak be that of what follows from now on (Linux: man 5 proc, clear_refs)."""
    if STATUS.exists():
        Path("/proc/self/clear_refs").write_text("5")


def _of_status(name: str, status: Path = STATUS) -> int:
    found = re.search(rf"^{name}:\s+(\d+) kB", status.read_text(), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{status} does not say {name}")
    return int(found[1]) * 1024

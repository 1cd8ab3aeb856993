"""Measure ten photos of 25 MB in one form: seconds until the card and all results, and the bot's memory.

python -m bench.large_set
"""

import asyncio
import io
import os
import tempfile
from pathlib import Path
from time import perf_counter

from PIL import Image
from rich.console import Console

from bench.crowd.process import memory_of
from sandbox.demo.people import text_of, until
from sandbox.demo.place import MAYA, NORA, PHOTO_DESK
from sandbox.demo.world import DemoWorld, prepared_world

PHOTOS, MAX_PHOTO_BYTES = 10, 25_000_000
SIDE = (6000, 4000)
LOOK_SECONDS = 0.05
MIB = 1024 * 1024


def large_photo() -> bytes:
    """Return a JPEG of almost 25 MB and 24 megapixels."""
    noise = Image.effect_noise(SIDE, 60).convert("RGB")
    quality, data = 99, b""
    while not data or len(data) > MAX_PHOTO_BYTES:
        file = io.BytesIO()
        noise.save(file, "JPEG", quality=quality, subsampling=2)
        quality, data = quality - 1, file.getvalue()
    return data


def bot_process() -> int:
    """Return the id of the bot's process, which is this one's child."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            words = (folder / "cmdline").read_text()
        except OSError:
            continue
        if int(parent) == os.getpid() and "launch" in words:
            return int(folder.name)
    raise RuntimeError("The bot has no process.")


async def main() -> None:
    """Print the figures."""
    photo = await asyncio.to_thread(large_photo)
    with tempfile.TemporaryDirectory() as folder:
        async with prepared_world(Path(folder)) as world:
            maya, pid = world.guest(MAYA), bot_process()
            await world.guest(NORA).command("studii budget", credits=1000, period="day")
            before, most = memory_of(pid), [0, 0]
            watching = asyncio.create_task(_watch(pid, most))
            form = await maya.press_for_form(await maya.command("help"), "Photo restoration")
            files = [(f"{number}.jpg", photo, "image/jpeg") for number in range(PHOTOS)]
            began = perf_counter()
            await maya.fill_in(form, {"image": files})
            shown = perf_counter() - began
            await until(lambda: len(_results(world)) == PHOTOS, "ten results")
            done = perf_counter() - began
            watching.cancel()
    console, size = Console(), len(photo) / 1e6
    console.print(f"{PHOTOS} photos of {size:.1f} MB: card after {shown:.2f} s, all after {done:.1f} s")
    own, decoders = (held / MIB for held in most)
    console.print(f"The bot: {before[0] / MIB:.0f} MiB before, at most {own:.0f}, decoders {decoders:.0f}")


async def _watch(pid: int, most: list[int]) -> None:
    while True:
        own, others = await asyncio.to_thread(memory_of, pid)
        most[:] = max(most[0], own), max(most[1], others)
        await asyncio.sleep(LOOK_SECONDS)


def _results(world: DemoWorld) -> list[int]:
    """Return the numbers of the photos whose results are posted."""
    there = [text_of(one) for one in world.discord.in_channel(PHOTO_DESK) if one.files]
    return [n for n in range(1, PHOTOS + 1) if any(f"**{n}.** " in words for words in there)]


if __name__ == "__main__":
    asyncio.run(main())

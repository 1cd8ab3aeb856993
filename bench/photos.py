"""What huge photos cost in memory while they are looked at and converted."""

import asyncio
import shutil
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from bench.memory import forget_peak, peak
from bot.media.pool import DecoderPool

WIDTH, HEIGHT = 9800, 6500  # just below the most pixels that are taken


@dataclass(frozen=True)
class Photos:
    """`added`: the most bytes that looking at `number` photos at once added; `seconds` for all of them."""

    number: int
    megapixels: int
    added: int
    seconds: float


async def huge_photos(folder: Path, number: int = 4) -> Photos:
    """HEIC photos as large as they may be, all at once, in a process of their own."""
    photo = folder / "photo.heic"
    await asyncio.to_thread(_draw, photo)
    copies = [folder / str(index) for index in range(number)]
    for copy in copies:
        shutil.copy(photo, copy)
    mine, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_child, args=(theirs, copies))
    process.start()
    try:
        while not mine.poll():
            if not process.is_alive():
                raise RuntimeError("the measured process died")
            await asyncio.sleep(0.05)
        added, seconds = mine.recv()
    finally:
        process.kill()
        process.join()
    return Photos(number, WIDTH * HEIGHT // 1_000_000, added, seconds)


def _draw(path: Path) -> None:
    picture = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
    heif: Any = pillow_heif.from_pillow(picture)
    heif.save(path, quality=50)


def _child(answer: Connection, photos: list[Path]) -> None:
    answer.send(asyncio.run(_look_at(photos)))


async def _look_at(photos: list[Path]) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    async with DecoderPool() as decoder:
        forget_peak()
        before, began = peak(), loop.time()
        await asyncio.gather(*(decoder.inspect(photo) for photo in photos))
        return peak() - before, loop.time() - began

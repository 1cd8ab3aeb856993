"""Measure the memory that huge photos take while they are checked and converted."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from bench.machine.apart import apart
from bench.machine.held import held, watching
from bot.media.pool import DecoderPool

WIDTH, HEIGHT = 9800, 6500  # just below the most pixels that are taken


@dataclass(frozen=True)
class Photos:
    """`added`: the most bytes that looking at `number` photos at once added, the processes that open them
    included; `seconds` for all of them."""

    number: int
    megapixels: int
    added: int
    seconds: float


async def huge_photos(folder: Path, number: int = 4) -> Photos:
    """Measure HEIC photos as large as they may be, all at once, in a process of their own."""
    photo = folder / "photo.heic"
    await asyncio.to_thread(_draw, photo)
    copies = [folder / str(index) for index in range(number)]
    for copy in copies:
        shutil.copy(photo, copy)
    added, seconds = await apart(_measure, copies)
    return Photos(number, WIDTH * HEIGHT // 1_000_000, added, seconds)


def _draw(path: Path) -> None:
    picture = Image.linear_gradient("L").resize((WIDTH, HEIGHT)).convert("RGB")
    heif: Any = pillow_heif.from_pillow(picture)
    heif.save(path, quality=50)


async def _measure(photos: list[Path]) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    async with DecoderPool() as decoder:
        before, began = held().together, loop.time()
        with watching() as most:
            await asyncio.gather(*(decoder.inspect(photo) for photo in photos))
        return most.together - before, loop.time() - began
